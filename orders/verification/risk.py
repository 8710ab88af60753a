"""Checks of trading states and limits: what a switch cancels is not open, an approval has the
change that it approved, and keys are watched as they can be.
"""

from collections.abc import Mapping
from typing import Final

_HALTED_SCOPE = """
SELECT format('order %s', o.id), format('is open, and %s is halted', state.scope)
FROM orders_order o
JOIN portfolio_tradingaccount account ON account.id = o.account_id
JOIN risk_tradingstate state ON state.state = 'HALTED' AND NOT state.is_clearing
  AND state.scope IN ('firm', 'desk:' || account.desk_id, 'account:' || o.account_id,
    'strategy:' || o.account_id || ':' || o.strategy, 'symbol:' || o.instrument_id)
WHERE o.closed_at IS NULL
ORDER BY o.sequence, state.scope
"""

_APPROVAL = """
SELECT format('request %s', request.id),
  format('was approved for switch %s of %s, which is at %s', request.version + 1, request.scope,
    coalesce(state.version::text, 'none'))
FROM risk_changerequest request LEFT JOIN risk_tradingstate state USING (scope)
WHERE request.status = 'APPROVED' AND request.limit_kind = ''
  AND coalesce(state.version, 0) <= request.version
ORDER BY request.id
"""

_DEAD_MAN = """
SELECT format('watched key %s', man.key_id),
  format('fires at %s for account %s of kind %s; the last commit was at %s', man.fires_at,
    man.account_id, account.kind, lease.committed_at)
FROM orders_deadman man JOIN portfolio_tradingaccount account ON account.id = man.account_id
CROSS JOIN (SELECT max(committed_at) AS committed_at FROM orders_enginelease) AS lease
WHERE man.fires_at IS NOT NULL
  AND (account.kind <> 'CASH' OR man.fires_at > lease.committed_at + interval '1 hour')
ORDER BY man.key_id
"""
"""A key is watched for an account of users, an hour ahead at most (docs/requests.md D1)."""

_RAISE = """
SELECT format('request %s', request.id),
  format('was approved for change %s of limit %s of %s, which is at %s', request.version + 1,
    request.limit_kind, request.scope, coalesce(held.version::text, 'none'))
FROM risk_changerequest request
LEFT JOIN risk_limit held ON held.scope = request.scope AND held.kind = request.limit_kind
  AND held.instrument_id IS NOT DISTINCT FROM request.instrument_id
WHERE request.status = 'APPROVED' AND request.limit_kind <> ''
  AND coalesce(held.version, 0) <= request.version
ORDER BY request.id
"""

CHECKS: Final[Mapping[str, str]] = {
    "halted_scope": _HALTED_SCOPE,
    "approval": _APPROVAL,
    "dead_man": _DEAD_MAN,
    "limit_raise": _RAISE,
}
