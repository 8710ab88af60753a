"""Ways to tamper with a ledger behind the engine's back, and who must notice.

The names in braces are rows of the story that tests/orders/test_verify_ledger.py tells.
"""

# What is done → the rule that must find it, and how it must name the row.
TAMPERINGS: dict[str, tuple[str, str, str]] = {
    "key watched for too long": (
        "INSERT INTO orders_deadman (key_id, account_id, fires_at)"
        " SELECT 'PKFOREVER', {alice}, max(committed_at) + interval '2 hours'"
        " FROM orders_enginelease",
        "dead_man",
        "watched key PKFOREVER",
    ),
    "key watched for the house": (
        "INSERT INTO orders_deadman (key_id, account_id, fires_at)"
        " SELECT 'PKHOUSE', {house}, max(committed_at) FROM orders_enginelease",
        "dead_man",
        "watched key PKHOUSE",
    ),
    "cash out of nowhere": (
        "UPDATE portfolio_balance SET total = total + 1 WHERE account_id = {alice}",
        "currency_sum",
        "currency USD",
    ),
    "cash moved without a transfer": (
        "UPDATE portfolio_balance SET total = total + CASE account_id WHEN {alice} THEN 1 ELSE -1"
        " END WHERE account_id IN ({alice}, {charlie})",
        "balance_total",
        "balance of account {alice} in USD",
    ),
    "a unit of cash": (
        "UPDATE portfolio_balance SET total = total + 0.00000001 WHERE account_id = {house}",
        "balance_total",
        "balance of account {house} in USD",
    ),
    "balance deleted": (
        "DELETE FROM portfolio_balance WHERE account_id = {charlie}",
        "balance_total",
        "balance of account {charlie} in USD",
    ),
    "cash unlocked": (
        "UPDATE portfolio_balance SET locked = 0 WHERE account_id = {charlie}",
        "balance_locked",
        "balance of account {charlie} in USD",
    ),
    "overdraft allowed": (
        "UPDATE portfolio_balance SET is_overdraft_allowed = true WHERE account_id = {alice}",
        "overdraft",
        "balance of account {alice} in USD",
    ),
    "more locked than there is": (
        "ALTER TABLE portfolio_balance DROP CONSTRAINT balance_free_not_negative;"
        "UPDATE portfolio_balance SET locked = total + 1 WHERE account_id = {alice}",
        "overdraft",
        "balance of account {alice} in USD",
    ),
    "transfer changed": (
        "UPDATE portfolio_transfer SET amount = amount + 1 WHERE trade_id = {street_trade}",
        "trade",
        "trade {street_trade}",
    ),
    "transfer deleted": (
        "DELETE FROM portfolio_transfer WHERE trade_id = {users_trade}",
        "trade",
        "trade {users_trade}",
    ),
    "transfer turned around": (
        "UPDATE portfolio_transfer SET debit_account_id = credit_account_id,"
        " credit_account_id = debit_account_id WHERE trade_id = {users_trade}",
        "trade",
        "trade {users_trade}",
    ),
    "transfer of a trade that never was": (
        "INSERT INTO portfolio_transfer (id, kind, debit_account_id, credit_account_id,"
        " currency_id, amount, trade_id, reason, occurred_at)"
        " VALUES (999, 'TRADE', {alice}, {charlie}, 'USD', 1, 998, '', now())",
        "trade",
        "trade 998",
    ),
    "deposit that never was": (
        "INSERT INTO portfolio_transfer (id, kind, debit_account_id, credit_account_id,"
        " currency_id, amount, reason, occurred_at)"
        " VALUES (999, 'DEPOSIT', {house}, {charlie}, 'USD', 1, '', now())",
        "balance_total",
        "balance of account {charlie} in USD",
    ),
    "position made larger": (
        "UPDATE portfolio_position SET quantity = quantity + 1 WHERE account_id = {charlie}",
        "position",
        "position of account {charlie} in instrument {apple}",
    ),
    "shares out of nowhere": (
        "UPDATE portfolio_position SET quantity = quantity + 1 WHERE account_id = {charlie}",
        "instrument_sum",
        "instrument AAPL",
    ),
    "cost changed by a unit": (
        "UPDATE portfolio_position SET cost_basis = cost_basis + 0.00000001"
        " WHERE account_id = {alice}",
        "position",
        "position of account {alice} in instrument {apple}",
    ),
    "profit changed": (
        "UPDATE portfolio_position SET realized_pnl = 0 WHERE account_id = {alice}",
        "position",
        "position of account {alice} in instrument {apple}",
    ),
    "street's cost changed": (
        "UPDATE portfolio_position SET cost_basis = cost_basis - 1 WHERE account_id = {street}",
        "position",
        "position of account {street} in instrument {apple}",
    ),
    "position deleted": (
        "DELETE FROM portfolio_position WHERE account_id = {charlie}",
        "position",
        "position of account {charlie} in instrument {apple}",
    ),
    "position unlocked": (
        "UPDATE portfolio_position SET locked = 0 WHERE account_id = {alice}",
        "position_locked",
        "position of account {alice} in instrument {apple}",
    ),
    "short allowed": (
        "UPDATE portfolio_position SET is_short_allowed = true WHERE account_id = {alice}",
        "short_position",
        "position of account {alice} in instrument {apple}",
    ),
    "filled quantity changed": (
        "UPDATE orders_order SET filled_quantity = filled_quantity + 1 WHERE id = '{open_buy}'",
        "order_fills",
        "order {open_buy}",
    ),
    "filled notional changed": (
        "UPDATE orders_order SET filled_notional = filled_notional + 0.00000001"
        " WHERE id = '{filled_at_once}'",
        "order_fills",
        "order {filled_at_once}",
    ),
    "filled order opened again": (
        "UPDATE orders_order SET closed_at = NULL WHERE id = '{filled_at_once}'",
        "order_life",
        "order {filled_at_once}",
    ),
    "open order closed silently": (
        "UPDATE orders_order SET closed_at = now() WHERE id = '{open_buy}'",
        "order_life",
        "order {open_buy}",
    ),
    "cancel without a reason": (
        "UPDATE orders_order SET reason = '' WHERE id = '{canceled}'",
        "order_life",
        "order {canceled}",
    ),
    "status changed": (
        "UPDATE orders_order SET status = 'EXPIRED', reason = 'DAY_END' WHERE id = '{canceled}'",
        "order_event",
        "order {canceled}",
    ),
    "limit changed": (
        "UPDATE orders_order SET limit_price = limit_price + 0.01 WHERE id = '{open_sell}'",
        "order_event",
        "order {open_sell}",
    ),
    "replaces an order that nobody replaced": (
        "UPDATE orders_order SET replaces = '{canceled}' WHERE id = '{open_buy}'",
        "replace",
        "order {open_buy}",
    ),
    "an order of a group that another account has": (
        "UPDATE orders_order SET account_id = {alice} WHERE leg = 'STOP_LOSS'",
        "group",
        "group {group}",
    ),
    "a hold for both of a pair": (
        "INSERT INTO portfolio_hold (order_id, account_id, instrument_id, amount, remaining, state)"
        " SELECT id, account_id, instrument_id, quantity, quantity, 'PENDING' FROM orders_order"
        " WHERE leg = 'STOP_LOSS'",
        "hold",
        "hold of order {stop_loss}",
    ),
    "quantity prevented without an own order": (
        "UPDATE orders_order SET prevented_quantity = 1 WHERE id = '{canceled}'",
        "prevented",
        "owner {alice_owner} in instrument {apple}",
    ),
    "quantity changed": (
        "UPDATE orders_order SET quantity = quantity + 1 WHERE id = '{open_sell}'",
        "hold",
        "hold of order {open_sell}",
    ),
    "client order id changed": (
        "UPDATE orders_order SET client_order_id = 'other' WHERE id = '{canceled}'",
        "order_event",
        "order {canceled}",
    ),
    "hold shrunk": (
        "UPDATE portfolio_hold SET remaining = remaining - 1 WHERE order_id = '{open_buy}'",
        "hold",
        "hold of order {open_buy}",
    ),
    "hold voided": (
        "UPDATE portfolio_hold SET remaining = 0, state = 'VOIDED' WHERE order_id = '{open_sell}'",
        "hold",
        "hold of order {open_sell}",
    ),
    "hold deleted": (
        "DELETE FROM portfolio_hold WHERE order_id = '{open_buy}'",
        "hold",
        "hold of order {open_buy}",
    ),
    "hold of an order that ended": (
        "INSERT INTO portfolio_hold (order_id, account_id, currency_id, amount, remaining, state)"
        " VALUES ('{filled_at_once}', {alice}, 'USD', 1, 1, 'PENDING')",
        "hold",
        "hold of order {filled_at_once}",
    ),
    "hold of no order": (
        "INSERT INTO portfolio_hold (order_id, account_id, currency_id, amount, remaining, state)"
        " VALUES ('00000000-0000-0000-0000-000000000001', {alice}, 'USD', 1, 1, 'PENDING')",
        "hold",
        "hold of order 00000000-0000-0000-0000-000000000001",
    ),
    "hold of another account": (
        "UPDATE portfolio_hold SET account_id = {alice} WHERE order_id = '{open_buy}'",
        "hold",
        "hold of order {open_buy}",
    ),
    "execution's price changed": (
        "UPDATE orders_execution SET price = price - 1 WHERE id = {first}",
        "order_fills",
        "order {filled_at_once}",
    ),
    "execution above the limit": (
        "UPDATE orders_execution SET price = 1000 WHERE id = {first}",
        "execution",
        "execution {first}",
    ),
    "execution on the other side": (
        "UPDATE orders_execution SET side = 'SELL' WHERE id = {first}",
        "execution",
        "execution {first}",
    ),
    "execution of another account": (
        "UPDATE orders_execution SET account_id = {charlie} WHERE id = {first}",
        "execution",
        "execution {first}",
    ),
    "execution deleted": (
        "DELETE FROM orders_execution WHERE id = {first}",
        "trade",
        "trade {first}",
    ),
    "one side of a trade deleted": (
        "DELETE FROM orders_execution WHERE id = {users_trade} + 1",
        "trade",
        "trade {users_trade}",
    ),
    "one side of a trade changed": (
        "UPDATE orders_execution SET quantity = quantity + 1 WHERE id = {users_trade} + 1",
        "trade",
        "trade {users_trade}",
    ),
    "both sides makers": (
        "UPDATE orders_execution SET liquidity = 'MAKER' WHERE trade_id = {users_trade}",
        "trade",
        "trade {users_trade}",
    ),
    "fee not paid": (
        "DELETE FROM portfolio_transfer WHERE kind = 'FEE' AND trade_id = {users_trade}",
        "fee",
        "execution {fee_execution}",
    ),
    "fee paid to a trader": (
        "UPDATE portfolio_transfer SET credit_account_id = {charlie} WHERE kind = 'FEE'",
        "fee",
        "execution {fee_execution}",
    ),
    "fee above the order's rate": (
        "UPDATE orders_order SET fee_bps = 0 WHERE id = '{filled_at_once}'",
        "fee",
        "execution {first}",
    ),
    "fee of no trade": (
        "INSERT INTO portfolio_transfer (id, kind, debit_account_id, credit_account_id,"
        " currency_id, amount, trade_id, reason, occurred_at)"
        " VALUES (999, 'FEE', {alice}, {house}, 'USD', 1, 998, '', now())",
        "fee",
        "transfer 999",
    ),
    "fees forgotten": (
        "UPDATE portfolio_balance SET fees_paid = 0 WHERE account_id = {alice}",
        "fees_paid",
        "balance of account {alice} in USD",
    ),
    "told another fee": (
        "UPDATE core_event SET payload = jsonb_set(payload::jsonb, '{{execution,fee}}', '\"1\"')"
        " WHERE id = {fill_event}",
        "fill_event",
        "execution {told_execution}",
    ),
    "execution of no order": (
        "UPDATE orders_execution SET order_id = '00000000-0000-0000-0000-000000000000'"
        " WHERE id = {first}",
        "reference",
        "orders_execution.order_id 00000000-0000-0000-0000-000000000000",
    ),
    "transfer from nobody": (
        "UPDATE portfolio_transfer SET debit_account_id = 999999 WHERE id = 1",
        "reference",
        "portfolio_transfer.debit_account_id 999999",
    ),
    "event deleted": (
        "DELETE FROM core_event WHERE id = {fill_event}",
        "event_sequence",
        "events of account {alice}",
    ),
    "event renumbered": (
        "UPDATE core_event SET account_sequence = 999 WHERE id = {fill_event}",
        "event_envelope",
        "event {fill_event}",
    ),
    "event of another kind": (
        "UPDATE core_event SET kind = 'OrderCanceled' WHERE id = {fill_event}",
        "event_envelope",
        "event {fill_event}",
    ),
    "fill that nobody was told of": (
        "DELETE FROM core_event WHERE id = {fill_event}",
        "fill_event",
        "execution {told_execution}",
    ),
    "told another price": (
        "UPDATE core_event SET payload = jsonb_set(payload::jsonb, '{{execution,price}}', '\"1\"')"
        " WHERE id = {fill_event}",
        "fill_event",
        "execution {told_execution}",
    ),
    "told of a fill that never was": (
        "UPDATE core_event SET payload = jsonb_set(payload::jsonb, '{{execution,id}}',"
        " '\"7ead0000-0000-8000-8000-0000000003e7\"') WHERE id = {fill_event}",
        "fill_event",
        "event {fill_event}",
    ),
    "acceptance that nobody was told of": (
        "DELETE FROM core_event WHERE id = {accepted_event}",
        "order_event",
        "order {filled_at_once}",
    ),
    "told another status": (
        "UPDATE core_event SET"
        " payload = jsonb_set(payload::jsonb, '{{order,status}}', '\"EXPIRED\"')"
        " WHERE id = {fill_event}",
        "order_event",
        "order {told_order}",
    ),
    "told another balance": (
        "UPDATE core_event SET payload = jsonb_set(payload::jsonb, '{{balance,total}}', '\"1\"')"
        " WHERE (account_id, account_sequence) IN (SELECT account_id, max(account_sequence)"
        " FROM core_event WHERE account_id = {alice} GROUP BY account_id)",
        "balance_event",
        "balance of account {alice} in USD",
    ),
    "an order open in a halted scope": (
        "INSERT INTO risk_tradingstate (scope, state, version, is_clearing, reason, request_id,"
        " changed_at) VALUES ('account:{alice}', 'HALTED', 1, false, '', 'r', now())",
        "halted_scope",
        "order {open_sell}",
    ),
    "an approval without its switch": (
        "INSERT INTO risk_changerequest (id, scope, state, limit_kind, window_seconds, version,"
        " reason, asked_by_id, asked_at, expires_at, status, decided_by_id, decided_at)"
        " SELECT 9, 'firm', 'ACTIVE', '', 0, 1, 'r',"
        " min(id), now(), now(), 'APPROVED', max(id), now() FROM accounts_user",
        "approval",
        "request 9",
    ),
    "an approval without its limit": (
        "INSERT INTO risk_changerequest (id, scope, state, limit_kind, window_seconds, version,"
        " reason, asked_by_id, asked_at, expires_at, status, decided_by_id, decided_at)"
        " SELECT 10, 'firm', '', 'ORDER_VALUE', 0, 1, 'r',"
        " min(id), now(), now(), 'APPROVED', max(id), now() FROM accounts_user",
        "limit_raise",
        "request 10",
    ),
}
