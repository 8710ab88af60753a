"""What an engine batch writes into the tables of risk (risk.services.recording)."""

from typing import NamedTuple

from risk.domain.limit_tree import Limit, LimitKey
from risk.domain.losses import Watermark
from risk.domain.scopes import Scope
from risk.domain.states import ScopeState


class StateRow(NamedTuple):
    scope: Scope
    account_id: int | None
    state: ScopeState


class LimitRow(NamedTuple):
    key: LimitKey
    account_id: int | None
    limit: Limit


class WatermarkRow(NamedTuple):
    account_id: int
    mark: Watermark


class ApprovalRow(NamedTuple):
    """A request whose change this batch made, by whom and when it was approved."""

    request: int
    decided_by_id: int
    decided_ns: int
