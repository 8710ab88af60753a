"""Every place at which the engine can die, for every kind of command, seed by seed: what it has
committed is all there, what it has not is not, and the client ends where it would have without.

The real server, core, journal and recovery run over a store in memory that takes a batch whole or
not at all (tests/simulation/crashing.py); tests/faults/test_crash_points.py crashes on the real
database, at fewer places. PORTAL_CRASH_SEEDS asks for more seeds of each kind, PORTAL_FIRST_SEED
for others.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest

from orders.domain import commands
from orders.domain.replies import AnyReply, DeniedReply
from risk.domain.limit_tree import LOSSES, LimitKind
from tests.properties.ledger_lockstep import state_for
from tests.simulation.crashing import ANSWERED, BEFORE, Crash, MemoryEngine, Point
from tests.simulation.dump import Dump, dump
from tests.simulation.floor import START_NS
from tests.simulation.market_swarm import MarketSwarm
from tests.simulation.memory_store import MemoryStore
from tests.simulation.plan_swarm import STORMY

SEEDS_OF_EACH = int(os.environ.get("PORTAL_CRASH_SEEDS", "20"))
FIRST_SEED = int(os.environ.get("PORTAL_FIRST_SEED", "1"))
SEEDS_MAX = 15 * SEEDS_OF_EACH
STEPS = 120

KINDS = {
    "SubmitOrder",
    "SubmitOrder of a group",
    "ReplaceOrder",
    "AmendOrder",
    "CancelOrder",
    "CancelAllOrders",
    "OrderBatch",
    "SetDeadMan",
    "OpenSession",
    "EndSession",
    "MoveCash",
    "SetInstrumentStatus",
    "SetFeeTier",
    "SetAccountTier",
    "ConfigureAccount",
    "SetStpMode",
    "SetSessions",
    "SetMargin",
    "QuoteStreet",
    "PrintStreetTrade",
    "SwitchTrading",
    "JoinDesk",
    "PlanMarketState",
    "SetBands",
    "SetLimit",
}
"""What is rarer (margin calls, plans that are withdrawn) crashes on the real database alone."""

EVENTLESS = {
    "SetDeadMan",
    "OpenSession",
    "SetInstrumentStatus",
    "SetFeeTier",
    "SetAccountTier",
    "ConfigureAccount",
    "SetStpMode",
    "SetSessions",
    "SetMargin",
    "JoinDesk",
    "PlanMarketState",
    "SetBands",
    "SetLimit",
}
"""Kinds that mostly change something without an event: they have no midst to die in."""


class BusySwarm(MarketSwarm):
    """Markets in which everything happens now and then; every third one is stormy."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed + STORMY * (seed % 3 == 0), START_NS)
        self._weights = [20, 8, 3, 4, 2, 10, 10, 4, 4, 3, 2, 2]
        self.switches._share = self.limits._share = 0.06
        self.sessions.share, self.groups._share = 0.05, 0.2
        # What an account has lost is looked at in batches of their own.
        self.limits.kinds = tuple(kind for kind in LimitKind if kind not in LOSSES)


@dataclass(frozen=True)
class Case:
    """A command that is about to come to an engine, and what that has last seen of the street."""

    seed: int
    store: MemoryStore
    command: commands.AnyCommand
    now_ns: int
    quotes: tuple[commands.QuoteStreet, ...]

    @property
    def kind(self) -> str:
        """An order that comes with legs is a kind of its own."""
        is_group = isinstance(self.command, commands.SubmitOrder) and self.command.group is not None
        return "SubmitOrder of a group" if is_group else type(self.command).__name__

    def engine(self) -> MemoryEngine:
        """One that has just started, and been told of the street."""
        engine = MemoryEngine(self.store)
        for quote in self.quotes:
            engine.ask(quote, self.now_ns)
        return engine


@dataclass(frozen=True)
class Course:
    """How it goes without a crash: the memory before the command and after it, the reply, and the
    memory after it when the engine was restarted, in good order, just before.
    """

    batch: int
    before: Dump
    after: Dump
    reply: AnyReply
    events: int
    after_restart: Dump

    @classmethod
    def of(cls, case: Case) -> "Course | None":
        """None for a command that does not make exactly one commit."""
        engine = case.engine()
        store, before = engine.store, dump(engine.core.state)
        reply = engine.ask(case.command, case.now_ns)
        if engine.store.batch != store.batch + 1:
            return None
        restarted = MemoryEngine(store)
        restarted.ask(case.command, case.now_ns)
        return cls(
            store.batch,
            before,
            dump(engine.core.state),
            reply,
            len(engine.store.payloads) - len(store.payloads),
            dump(restarted.core.state),
        )


def cases_of(seed: int) -> Iterator[Case]:
    """Every command of the seed's history that commits something."""
    swarm = BusySwarm(seed)
    engine = MemoryEngine(MemoryStore.of(state_for(swarm)))
    quotes: dict[str, commands.QuoteStreet] = {}
    for timed in swarm.history(STEPS):
        command, before = timed.command, engine.store
        if isinstance(command, commands.SubmitOrder):
            command = msgspec.structs.replace(command, client_order_id=str(command.order_id))
        engine.ask(command, timed.now_ns)
        if engine.store is not before:
            yield Case(seed, before, command, timed.now_ns, tuple(quotes.values()))
        if isinstance(command, commands.QuoteStreet):
            quotes[command.symbol] = command


def crash_and_recover(case: Case, course: Course, point: Point) -> None:
    """Let it die there; what the next engine knows, and what it does with the same command."""
    engine = case.engine()
    asked, published = len(engine.replies), len(engine.publisher.heard)
    with pytest.raises(Crash):
        engine.ask(case.command, case.now_ns, crash_at=point)

    replies, told = engine.replies[asked:], engine.publisher.heard[published:]
    recovered = MemoryEngine(engine.store)
    if point in BEFORE:
        assert engine.store.batch == course.batch
        assert (replies, told) == ([], [])
        assert dump(recovered.core.state) == course.before
        recovered.ask(case.command, case.now_ns)
        assert dump(recovered.core.state) == course.after_restart
        return
    assert engine.store.batch == course.batch + 1
    assert replies == ([course.reply] if point in ANSWERED else [])
    assert told == list(engine.store.payloads[-course.events :] if told else [])
    assert dump(recovered.core.state) == course.after
    if isinstance(case.command, commands.SubmitOrder):
        again = recovered.ask(case.command, case.now_ns)
        assert isinstance(again, DeniedReply) and again.reason == "CLIENT_ORDER_ID_DUPLICATE"
        assert dump(recovered.core.state) == course.after


def test_engine_recovers_from_a_crash_anywhere() -> None:
    met: Counter[tuple[str, Point]] = Counter()
    seeds_of: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS_MAX):
        if all(seeds_of[kind] >= SEEDS_OF_EACH for kind in KINDS):
            break
        seen: set[str] = set()
        for case in cases_of(seed):
            if case.kind in seen or seeds_of[case.kind] >= SEEDS_OF_EACH:
                continue
            course = Course.of(case)
            if course is None or (not course.events and case.kind not in EVENTLESS):
                continue
            seen.add(case.kind)
            seeds_of[case.kind] += 1
            for point in Point:
                if point is Point.IN_THE_MIDST and not course.events:
                    continue
                try:
                    crash_and_recover(case, course, point)
                except AssertionError as error:
                    pytest.fail(f"seed {seed}, {point}: {case.command}\n{error}")
                met[case.kind, point] += 1

    wanted = {(kind, point) for kind in KINDS for point in Point}
    wanted -= {(kind, Point.IN_THE_MIDST) for kind in EVENTLESS}
    lacking = {pair: met[pair] for pair in wanted if met[pair] < SEEDS_OF_EACH}
    assert lacking == {}
    assert met.total() >= 1_600 or SEEDS_OF_EACH < 20
