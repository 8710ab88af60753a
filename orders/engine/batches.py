"""Batches, one after another: carries commands out, has them committed, then answers and publishes.

While one batch is on its way to the database the next is carried out in memory, and nobody hears of
either before it has landed. orders/engine/server.py takes the commands in; whatever goes wrong here
ends the engine, and the next start rebuilds from the database.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, cast
from uuid import UUID

import structlog

from core.domain.clock import Clock
from orders.domain.commands import (
    AnyCommand,
    ExpireOrders,
    OrderBatch,
    ReplaceOrder,
    SubmitOrder,
)
from orders.domain.replies import AnyReply, BatchReply, BusyReply, CheckedReply
from orders.engine import metrics
from orders.engine.changes import Changes
from orders.engine.conditions import check_deadline
from orders.engine.core import Core, denied, duplicate_client_order_id
from orders.engine.journal import Journal
from orders.engine.protocol import NO_REPLY, encode
from orders.engine.publisher import Publisher
from orders.engine.writer import BatchWriter, Prepared
from risk.domain.commands import EvaluateLosses

logger = structlog.get_logger(__name__)

MAX_BATCH: Final = 512
"""Commands in one transaction: bounds how long the first of them waits for the last. Each order of
a client's batch counts.
"""

NewOrder: TypeAlias = SubmitOrder | ReplaceOrder
NEW_ORDERS: Final = (SubmitOrder, ReplaceOrder)
"""Commands that bring a new order: unique by its client order id, and not good for ever."""

MAX_OPEN_NS: Final = 50_000_000
"""How long an open batch takes commands in: all of them happen at the time at which it began, also
when the one before it takes long to land.
"""

COMMANDS_A_TURN: Final = 6
"""Carried out in one turn of the loop while a batch is on its way: a batch of all that waits takes
longer than most commits do.
"""

ClientId = tuple[int, str]
"""Account and client order id."""


class Answered(Protocol):
    """Where a reply goes."""

    def send(self, data: bytes) -> None: ...


class Intake(Protocol):
    """What the batches need of whoever takes the commands in."""

    @property
    def pending(self) -> int:
        """How much has come and is not yet on its way to the database."""

    def ask_itself(self, command: AnyCommand) -> None:
        """Put a command of the engine's own behind what waits."""

    def wake(self) -> None:
        """A batch has landed, or failed to."""


class Waiting(NamedTuple):
    """A command, where its reply goes (None: the engine asked itself) and the frame it came in."""

    connection: Answered | None
    request_id: int
    command: AnyCommand
    received_ns: int
    frame: bytes | None


Answers = list[tuple[Waiting, AnyReply]]


class Batches:
    """At most one batch is on its way, and one is open. `weight` is how much the open one holds and
    is about to hold.
    """

    def __init__(
        self, core: Core, writer: BatchWriter, publisher: Publisher, clock: Clock, intake: Intake
    ) -> None:
        self.core = core
        self.weight = 0
        self.margin_looked_at = 0
        self._journal = Journal(core)
        self._writer = writer
        self._publisher = publisher
        self._clock = clock
        self._intake = intake
        self._looks_at_losses = False
        self._now_ns: int | None = None  # the open batch's time
        self._answers: Answers = []  # the open batch's
        self._new_ids: dict[ClientId, UUID] = {}  # of the open batch's orders
        self._leaving_ids: dict[ClientId, UUID] = {}  # of the one that is on its way
        self._landing: asyncio.Future[None] | None = None
        self._untold: list[Prepared] = []  # committed and answered

    @property
    def is_open(self) -> bool:
        return self._now_ns is not None

    @property
    def may_grow(self) -> bool:
        """Whether the open batch, or a new one, may take commands in now."""
        return self._now_ns is None or self._clock.now_ns() - self._now_ns <= MAX_OPEN_NS

    @property
    def is_landing(self) -> bool:
        """Whether a batch is on its way to the database."""
        return self._landing is not None and not self._landing.done()

    def look_at_losses(self) -> None:
        """Measure the accounts that a loss limit binds, before the next batch."""
        self._looks_at_losses = True

    async def carry_out(self, taken: Sequence[Waiting]) -> None:
        """Carry the commands out in the open batch, and close it unless one is on its way: then it
        may grow until that has landed.
        """
        self.weight += sum([weight_of(waiting.command) for waiting in taken])
        known = await self._known_client_ids(taken)
        if self._now_ns is None:
            self._now_ns = await self._expire_due()
        for number, waiting in enumerate(taken, start=1):
            self._answers.append((waiting, self._apply(waiting, known, self._now_ns)))
            if self.core.is_clearing:
                await self._clear(self._now_ns)
            if number % COMMANDS_A_TURN == 0 and self.is_landing:
                await asyncio.sleep(0)  # who waits for what has landed by now is answered
        if not self.is_landing or self.weight >= MAX_BATCH:
            await self._close(self._now_ns)

    async def land(self) -> None:
        """Wait until what is on its way is committed and answered; raises what kept it from it."""
        if self._landing is not None:
            await self._landing
            self._landing = None

    def tell(self) -> None:
        """Publish what was committed, and log whose requests it was. Whoever waits for an answer
        goes first: the next batch is on its way by now, or there is none.
        """
        for prepared in self._untold:
            changes = prepared.changes
            self._publisher.publish_events(changes, prepared.payloads)
            self._publisher.note_books(changes.books)
            logger.info(
                "batch_committed",
                batch=prepared.batch,
                requests=sorted({event.request_id for _, event in changes.events}),
            )
        self._untold.clear()

    # --- one batch

    async def _close(self, now_ns: int) -> None:
        """Send the open batch on its way, behind the one before."""
        await self.land()
        changes, answers = self.core.changes, self._answers
        self._now_ns, self._answers, self.weight = None, [], 0
        if changes.executions and self.core.state.limits.watching:
            self._looks_at_losses = True
            self._intake.ask_itself(ExpireOrders())
        if self.core.is_electing:
            self._intake.ask_itself(ExpireOrders())  # a batch that goes on with it, now
        if not changes.is_empty or self._journal.is_full:
            await self._send(now_ns, answers)
            return
        if any(isinstance(waiting.command, ExpireOrders) for waiting, _ in answers):
            await self._writer.verify_lease()
        self._answer(answers, changes)
        self._publisher.note_books(changes.books)
        self.tell()

    async def _send(self, now_ns: int, answers: Answers) -> None:
        """Have what the core changed written, and go on meanwhile. The one before has landed."""
        changes = self.core.changes
        prepared = self._writer.prepare(changes, self._journal.take(), now_ns)
        self._leaving_ids, self._new_ids = self._new_ids, {}
        self._landing = asyncio.ensure_future(self._write(prepared, answers))
        self._landing.add_done_callback(lambda _: self._intake.wake())
        await asyncio.sleep(0)  # so that it leaves before anything else is done
        self.tell()

    async def _write(self, prepared: Prepared, answers: Answers) -> None:
        """Commit, then answer; the world is told when the next batch has left."""
        await self._writer.write(prepared)
        self._untold.append(prepared)
        self._answer(answers, prepared.changes)

    def _answer(self, answers: Answers, changes: Changes) -> None:
        """Send the replies, those of one connection in one write."""
        outgoing: dict[Answered, list[bytes]] = {}
        for waiting, reply in answers:
            if isinstance(reply, CheckedReply):
                self.margin_looked_at = reply.last  # where the next look goes on
            if waiting.connection is not None and waiting.request_id != NO_REPLY:
                frame = encode(waiting.request_id, reply)
                outgoing.setdefault(waiting.connection, []).append(frame)
        for connection, frames in outgoing.items():
            connection.send(b"".join(frames))
        if answers:
            waited_ns = self._clock.now_ns() - answers[0][0].received_ns
            replies = [reply for _, reply in answers]
            metrics.observe_batch(replies, waited_ns, changes, self._intake.pending)

    async def _expire_due(self) -> int:
        """Take orders whose time has come out of the market and finish the elections of the batch
        before; returns the time for a new batch, at which nothing is due.
        """
        while True:
            # Whole microseconds: what the database keeps, so that a restart sees the same times.
            now_ns = self._clock.now_ns() // 1000 * 1000
            self.core.begin_batch()
            self._journal.apply(ExpireOrders(), now_ns)
            if self._looks_at_losses and not self.core.is_clearing:
                self._journal.apply(EvaluateLosses(), now_ns)
            if self.core.changes.is_empty:
                self._looks_at_losses = False
                return now_ns
            await self.land()
            await self._send(now_ns, [])

    async def _clear(self, now_ns: int) -> None:
        """Commit and go on until a switch has canceled all its orders, so that nothing trades in
        between and the commands after it find none of them (docs/risk.md W2).
        """
        while self.core.is_clearing:
            await self.land()
            metrics.count_changes(self.core.changes)
            await self._send(now_ns, [])
            self.core.begin_batch()
            self._journal.apply(ExpireOrders(), now_ns)

    # --- one command

    def _apply(self, waiting: Waiting, known: dict[ClientId, UUID], now_ns: int) -> AnyReply:
        """The core's reply, or the refusal of an order that comes too late or a second time."""
        command = waiting.command
        if not isinstance(command, NEW_ORDERS):
            if isinstance(command, OrderBatch):
                each = [waiting._replace(command=part, frame=None) for part in command.orders]
                parts = [self._apply(part, known, now_ns) for part in each]
                return BatchReply(cast(list[Any], parts))
            return self._journal.apply(command, now_ns, waiting.frame)
        too_late = self._too_late(command, now_ns)
        if too_late is not None:
            return too_late
        if not command.client_order_id:
            return self._journal.apply(command, now_ns, waiting.frame)
        key = (command.account_id, command.client_order_id)
        if key in known:
            return duplicate_client_order_id(known[key])
        reply = self._journal.apply(command, now_ns, waiting.frame)
        if command.order_id in self.core.changes.new_orders:
            known[key] = self._new_ids[key] = command.order_id
        return reply

    def _too_late(self, command: NewOrder, now_ns: int) -> AnyReply | None:
        """The refusal of an order that nobody waits for or wants any more, by the clock: the batch
        may have been open for a while.
        """
        clock_ns = max(now_ns, self._clock.now_ns())
        if command.good_until_ns is not None and clock_ns > command.good_until_ns:
            return BusyReply()
        if isinstance(command, SubmitOrder) and check_deadline(command, now_ns) is None:
            denial = check_deadline(command, clock_ns)
            return None if denial is None else denied(denial)
        return None

    async def _known_client_ids(self, taken: Sequence[Waiting]) -> dict[ClientId, UUID]:
        """Which (account, client order id) pairs of the commands earlier orders already bear.

        Unique for ever, terminal orders included, so memory cannot answer for those that are
        stored; the database cannot for those that are on their way. Orders sent without one get
        their own id and are not asked for.
        """
        asked = [
            (command.account_id, command.client_order_id)
            for waiting in taken
            for command in _parts(waiting.command)
            if isinstance(command, NEW_ORDERS) and command.client_order_id
        ]
        if not asked:
            return {}
        unstored = {**self._leaving_ids, **self._new_ids}  # as they are when the database looks
        return {**await self._writer.known_client_ids(asked), **unstored}


def weight_of(command: AnyCommand) -> int:
    """What a command counts toward the bounds of a batch and of what may wait."""
    return len(command.orders) if isinstance(command, OrderBatch) else 1


def _parts(command: AnyCommand) -> Sequence[AnyCommand]:
    """A batch's orders, or the command alone."""
    return command.orders if isinstance(command, OrderBatch) else (command,)
