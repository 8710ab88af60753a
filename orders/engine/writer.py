"""Commits one batch: a single statement, and so one transaction, that writes every app's tables.

Its condition is the fence: this engine still holds the lease (same epoch), or nothing is written.
Any failure leaves the outcome to the next start, which rebuilds from the database (crash-only), so
nothing here is retried.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from core.batch_sql import Write, one_statement
from core.services import audit_log, event_log
from core.services.event_log import EventRow
from orders.domain.values import OrderStatus
from orders.engine import market_store, peak_store, session_store, store
from orders.engine.changes import Changes
from orders.engine.lease import Lease, LeaseLostError
from orders.engine.plain_orders import is_plain
from orders.engine.state import Account, Instrument, OrderState
from orders.engine.statements import Statements
from portfolio.domain.fees import FeeTier
from portfolio.domain.rows import AccountTermsRow, BalanceRow, FeeTierRow, HoldRow, PositionRow
from portfolio.services import posting
from risk.services import recording

_FENCE = """
UPDATE orders_enginelease SET batch = %s::bigint,
  committed_at = timestamptz 'epoch' + %s::bigint * interval '1 microsecond'
WHERE segment = %s AND epoch = %s::bigint
RETURNING 1
"""
"""Gives a row unless a newer engine has taken the lease."""

_EPOCH = "SELECT epoch FROM orders_enginelease WHERE segment = $1"


class Prepared(NamedTuple):
    """A batch as it is to be written: whatever the engine does next, this stays what it is."""

    batch: int
    changes: Changes
    payloads: list[str]
    """The events as JSON, in their order."""

    sql: str
    values: list[str | bytes]


class BatchWriter:
    """Owns the engine's writing session. One batch at a time. `reading` is a session of its own for
    looking things up while a batch is being written; without it nothing may be.
    """

    def __init__(
        self,
        connection: AsyncConnection[TupleRow],
        lease: Lease,
        reading: AsyncConnection[TupleRow] | None = None,
    ) -> None:
        self._statements = Statements(connection)
        self._look_ups = Statements(reading) if reading else self._statements
        self._lease = lease
        self.batch = lease.batch

    async def verify_lease(self) -> None:
        """Raise when the database is gone, for either session, or a newer engine has taken the
        lease.
        """
        for session in {self._statements, self._look_ups}:
            result = await session.execute(_EPOCH, (self._lease.segment,))
            found = result.get_value(0, 0) if result.ntuples else None
            if found != b"%d" % self._lease.epoch:
                raise LeaseLostError(f"epoch {self._lease.epoch} is over: now {found!r}")

    async def known_client_ids(
        self, asked: Sequence[tuple[int, str]]
    ) -> dict[tuple[int, str], UUID]:
        """The order ids behind those (account, client order id) pairs that are stored already."""
        return await store.known_client_ids(self._look_ups, asked)

    async def commit_start(self, content: bytes, now_ns: int) -> None:
        """Commit a START row of the journal: the first that an engine writes."""
        await self.write(self._prepared("START", Changes(), [], content, now_ns))

    async def commit(self, changes: Changes, content: bytes, now_ns: int) -> None:
        """Write and commit everything in `changes`, with `content` for the journal."""
        await self.write(self.prepare(changes, content, now_ns))

    def prepare(self, changes: Changes, content: bytes, now_ns: int) -> Prepared:
        """Everything in `changes` as the statement that commits it, with `content` for the
        journal.
        """
        encoder = msgspec.json.Encoder()
        payloads = [encoder.encode(event).decode() for _, event in changes.events]
        return self._prepared("BATCH", changes, payloads, content, now_ns)

    async def write(self, prepared: Prepared) -> None:
        """Commit it, unless a newer engine has taken the lease."""
        await self._statements.execute(prepared.sql, prepared.values)

    def _prepared(
        self, kind: str, changes: Changes, payloads: list[str], content: bytes, now_ns: int
    ) -> Prepared:
        self.batch += 1
        row = store.journal_row(
            batch=self.batch, epoch=self._lease.epoch, now_ns=now_ns, kind=kind, content=content
        )
        writes = [*_writes(changes, payloads, now_ns), row]
        return Prepared(self.batch, changes, payloads, *one_statement(self._fence(now_ns), writes))

    def _fence(self, now_ns: int) -> Write:
        lease = self._lease
        return Write(
            _FENCE, (str(self.batch), str(now_ns // 1000), lease.segment, str(lease.epoch))
        )


def _writes(changes: Changes, payloads: list[str], now_ns: int) -> list[Write]:
    """What each table gets; those that get nothing are left out."""
    balances = [_balance_row(account) for account in changes.balances.values()]
    positions = [_position_row(*pair) for pair in changes.positions.values()]
    events = _event_rows(changes, payloads, now_ns)
    plain_orders, new_orders = _parted(changes.new_orders.values())
    plain_changes, changed_orders = _parted(changes.changed_orders.values())
    tables: list[tuple[Callable[[Any], Write], Collection[Any]]] = [  # Any: each its own rows
        (store.plain_orders, plain_orders),
        (store.new_orders, new_orders),
        (store.plain_changes, plain_changes),
        (store.changed_orders, changed_orders),
        (store.executions, changes.executions),
        (posting.transfers, changes.transfers),
        (posting.balances, balances),
        (posting.positions, positions),
        (posting.holds, _hold_rows(changes)),
        (market_store.instruments, changes.instruments.values()),
        (posting.fee_tiers, [_fee_tier_row(tier) for tier in changes.fee_tiers.values()]),
        (posting.account_terms, [_terms_row(item) for item in changes.account_terms.values()]),
        (store.dead_men, changes.dead_men.values()),
        (store.order_sessions, changes.order_sessions.values()),
        *_session_writes(changes),
        (peak_store.changed_peaks, changes.trail_peaks.items()),
        (peak_store.removed_peaks, changes.trail_peaks.items()),
        (market_store.market_plans, changes.market_plans.values()),
        (event_log.events, events),
        (audit_log.entries, changes.audits),
        (recording.trading_states, changes.trading_states.values()),
        (recording.limits, changes.limits.values()),
        (recording.watermarks, changes.watermarks.values()),
        (recording.approvals, changes.approvals),
    ]
    return [write(rows) for write, rows in tables if rows]


def _parted(orders: Iterable[OrderState]) -> tuple[list[OrderState], list[OrderState]]:
    """Those that are plain, and the others."""
    plain: list[OrderState] = []
    others: list[OrderState] = []
    for order in orders:
        (plain if is_plain(order) else others).append(order)
    return plain, others


def _session_writes(changes: Changes) -> list[tuple[Callable[[Any], Write], Collection[Any]]]:
    rows = changes.sessions.items()
    return [
        (session_store.changed_sessions, rows),
        (session_store.removed_sessions, rows),
    ]


def _balance_row(account: Account) -> BalanceRow:
    balance = account.balance
    return BalanceRow(
        account.id,
        account.currency,
        balance.total,
        balance.locked,
        balance.is_overdraft_allowed,
        balance.fees,
    )


def _fee_tier_row(tier: FeeTier) -> FeeTierRow:
    return FeeTierRow(tier.code, tier.name, tier.maker, tier.taker)


def _terms_row(account: Account) -> AccountTermsRow:
    return AccountTermsRow(
        account.id,
        account.tier.code or None,
        account.desk_id,
        account.stp_mode.value,
        account.is_suspended,
        account.is_long_only,
        account.multiplier,
        account.is_shorting_enabled,
        account.call,
    )


def _position_row(account: Account, instrument: Instrument) -> PositionRow:
    position = account.position(instrument.id)
    lot = instrument.lot_units
    return PositionRow(
        account_id=account.id,
        instrument_id=instrument.id,
        quantity_units=position.quantity * lot,
        locked_units=position.locked * lot,
        cost_units=position.cost,
        realized_units=position.realized,
        is_short_allowed=account.kind != "CASH" or account.is_margin,
    )


def _hold_rows(changes: Changes) -> list[HoldRow]:
    """Holds that outlive the batch, or that an earlier batch wrote.

    An order that came and went within the batch set aside and gave back in one commit: its hold was
    never visible to anyone and is not stored.
    """
    return [
        hold_row(order)
        for order in changes.holds.values()
        if order.hold or order.id not in changes.new_orders
    ]


def hold_row(order: OrderState) -> HoldRow:
    """An order's hold as it is stored."""
    is_cash = order.is_opening
    scale = 1 if is_cash else order.instrument.lot_units
    state = (
        "PENDING" if order.hold else ("POSTED" if order.status is OrderStatus.FILLED else "VOIDED")
    )
    return HoldRow(
        order_id=order.id,
        account_id=order.account.id,
        currency=order.account.currency if is_cash else None,
        instrument_id=None if is_cash else order.instrument.id,
        amount_units=order.hold_placed * scale,
        remaining_units=order.hold * scale,
        state=state,
    )


def _event_rows(changes: Changes, payloads: list[str], now_ns: int) -> list[EventRow]:
    return [
        EventRow(event.event, event.version, account_id, event.account_sequence, payload, now_ns)
        for (account_id, event), payload in zip(changes.events, payloads, strict=True)
    ]
