"""What the journal keeps of the street and what it drops (docs/journal.md J2 to J6), row by row."""

import asyncio
import dataclasses
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orders.domain import commands
from orders.domain.matching.street import STREET_TTL_NS
from orders.domain.replies import DoneReply
from orders.domain.values import Side
from orders.engine import journal as journaling
from orders.engine.core import Core
from orders.engine.journal import (
    RULES_VERSION,
    Journal,
    JournalError,
    Start,
    read_batch,
    read_start,
    start_content,
)
from orders.engine.protocol import encode_frame
from orders.engine.rebuild import rebuild
from orders.engine.replaying import Replay
from orders.engine.state import Account, EngineState, Instrument, OrderState
from orders.engine.stored import (
    StoredAccount,
    StoredInstrument,
    StoredOrder,
    StoredPosition,
    StoredState,
    stored_from,
)
from orders.engine.street_log import MAX_PENDING_STREET
from orders.models import Journal as JournalModel
from portfolio.domain.positions import PositionState
from tests.faults.in_process import InProcessEngine
from tests.orders.desk import Desk, quote
from tests.orders.replaying import assert_replays
from tests.simulation.dump import whole
from tests.simulation.floor import START_NS, Floor, levels_of, submit_command
from tests.simulation.told_clock import ToldClock

SYMBOLS = ("AAPL", "BTC/USD")


class Bench:
    """A floor whose commands go through a journal."""

    def __init__(self, max_elections: int = 1_000) -> None:
        self.floor = Floor()
        self.floor.core = self.core = Core(self.floor.state, max_elections)
        self.core.begin_batch()
        self.journal = Journal(self.core)
        stored = stored_from(self.floor.state, [])
        self.start = Start(rules_version=RULES_VERSION, max_elections=max_elections, state=stored)
        self.commands: list[commands.AnyCommand] = []

    def ask(self, *asked: commands.AnyCommand) -> None:
        for command in asked:
            self.journal.apply(command, START_NS)

    def place(self, name: str, text: str) -> None:
        self.ask(submit_command(name, text))

    def kept(self) -> list[str]:
        """The rows so far, in short: "quote", "trade", "submit" …"""
        self.commands += [command for _, command in read_batch(self.journal.take())]
        return [_short(command) for command in self.commands]


def _short(command: commands.AnyCommand) -> str:
    match command:
        case commands.QuoteStreet():
            return f"quote {command.bids[0][1] if command.bids else 0}"
        case commands.PrintStreetTrade():
            return f"trade {command.price}"
    return type(command).__name__


def at(bid_size: int, bid: str = "99", ask: str = "101") -> commands.QuoteStreet:
    return commands.QuoteStreet("AAPL", levels_of(f"{bid}x{bid_size}"), levels_of(f"{ask}x5"))


def trade(price: str, quantity: int = 1) -> commands.PrintStreetTrade:
    return commands.PrintStreetTrade("AAPL", Decimal(price), Decimal(quantity), Side.SELL)


CANCEL = commands.CancelAllOrders(3, "reads the street")


def test_quote_that_another_replaced_unread_is_dropped() -> None:
    bench = Bench()

    bench.ask(at(1), at(2), at(3), CANCEL, at(4), at(5))
    bench.ask(CANCEL)

    assert bench.kept() == ["quote 3", "CancelAllOrders", "quote 5", "CancelAllOrders"]


def test_quote_that_was_read_stays() -> None:
    bench = Bench()

    bench.ask(at(1), CANCEL, at(2), CANCEL)

    assert bench.kept() == ["quote 1", "CancelAllOrders", "quote 2", "CancelAllOrders"]


def test_print_stays_with_the_quote_that_it_was_judged_by() -> None:
    bench = Bench()

    bench.ask(at(1), at(2), trade("100"), at(3), at(4), CANCEL)

    assert bench.kept() == ["quote 2", "trade 100", "quote 4", "CancelAllOrders"]


def test_print_that_another_replaced_is_dropped_with_its_quote() -> None:
    bench = Bench()

    bench.ask(at(1), trade("100"), at(2), trade("101"), CANCEL)

    assert bench.kept() == ["quote 2", "trade 101", "CancelAllOrders"]


def test_print_outside_the_street_and_what_came_too_late_are_dropped() -> None:
    bench = Bench()
    late_ns = START_NS - STREET_TTL_NS - 1

    bench.ask(at(1), trade("105"))
    for late in (at(2), trade("100")):
        bench.ask(msgspec.structs.replace(late, t_ns=late_ns))
    bench.ask(CANCEL)

    assert bench.kept() == ["quote 1", "CancelAllOrders"]


def test_refused_quote_counts_as_any_other_for_it_emptied_the_street() -> None:
    bench = Bench()

    bench.ask(at(1), at(2, bid="101", ask="99"), CANCEL, at(3), CANCEL)

    assert bench.kept() == ["quote 2", "CancelAllOrders", "quote 3", "CancelAllOrders"]


def test_expiry_without_effect_is_dropped_and_reads_nothing() -> None:
    bench = Bench()

    bench.ask(at(1), commands.ExpireOrders(), commands.AwaitCommit(), at(2), CANCEL)

    assert bench.kept() == ["quote 2", "CancelAllOrders"]


def test_quote_that_moves_what_stands_ahead_stays() -> None:
    bench = Bench()
    bench.ask(at(9))
    bench.place("alice-1", "BUY 1 @ 99")

    bench.ask(at(5), at(7), at(6), trade("99", 2), at(8), CANCEL)

    assert bench.kept() == [
        "quote 9", "SubmitOrder", "quote 5", "quote 6", "trade 99", "quote 8", "CancelAllOrders",
    ]  # fmt: skip


def test_quote_that_fills_is_journaled_at_once() -> None:
    bench = Bench()
    bench.place("alice-1", "BUY 1 @ 99")

    bench.ask(at(1, bid="97", ask="98"))

    assert bench.kept() == ["SubmitOrder", "quote 1"]


def test_pending_street_is_bounded_whatever_it_moves() -> None:
    bench = Bench()
    bench.ask(at(500))
    bench.place("alice-1", "BUY 1 @ 99")
    bench.kept()
    most = 0

    for size in range(400, 300, -1):
        bench.ask(at(size))
        pending = bench.journal._street._pending.values()
        most = max(most, *map(len, pending), 0) if pending else most

    assert most == MAX_PENDING_STREET - 1
    assert len(bench.kept()) >= 90


def test_election_that_finds_a_halt_is_journaled_though_nothing_is_stored() -> None:
    bench = Bench(max_elections=1)
    bench.ask(at(9))
    for name in ("alice-1", "alice-2"):
        bench.place(name, "BUY 1 @ 120 STOP 110")
    bench.place("charlie-1", "BUY 1 @ 101")
    bench.ask(at(9, bid="109", ask="111"), trade("110"))
    assert bench.core.is_electing
    bench.ask(commands.SetInstrumentStatus("AAPL", "HALTED", "halt"))

    bench.ask(at(1))  # no quote while halted, but the stop takes its turn and waits again

    assert not bench.core.is_electing
    bench.ask(commands.SetInstrumentStatus("AAPL", "OPEN", "open"))
    bench.place("charlie-2", "BUY 1 @ 50")
    replay = Replay()
    replay.start(read_start(start_content(bench.start)))
    [*replay.batch(bench.journal.take())]
    assert whole(replay.state) == whole(bench.floor.state)


def test_command_is_kept_as_it_was_received() -> None:
    bench = Bench()
    command = submit_command("alice-1", "BUY 1 @ 99")
    frame = encode_frame(77, command)

    bench.journal.apply(command, START_NS, frame)

    assert bench.journal._entries == [(START_NS, [frame])]


def test_start_carries_sums_that_outgrow_64_bits() -> None:
    floor = Floor()
    floor.state.accounts[1].balance.move(-(10**27))
    stored = stored_from(floor.state, [])
    start = Start(rules_version=RULES_VERSION, max_elections=1, state=stored)

    again = read_start(start_content(start))

    assert again.state.accounts == stored.accounts
    assert rebuild(again.state).accounts[1].balance.total == floor.state.accounts[1].balance.total


def test_unreadable_content_is_a_journal_error() -> None:
    for content in (b"", b"x", start_content(Bench().start)):
        with pytest.raises(JournalError):
            [*read_batch(content)]
    with pytest.raises(JournalError):
        read_start(Bench().journal.take())


LEFT_OUT = {
    Instrument: {
        "calendar", "book", "stops", "trails", "last_trade", "queue", "closing", "value_units",
        "terms", "bounds",
    },
    Account: {"tier", "positions", "open_orders", "balance", "bounds"},
    OrderState: {"account", "instrument", "reason", "closed_ns", "replaced_by", "text_id"},
    PositionState: {"openings"},
    EngineState: {
        "instruments_by_id", "calendars", "elections", "next_expiry_ns", "street_id", "house_id",
        "trading", "queueing", "groups", "next_market_ns", "margin_accounts", "to_judge",
    },
}  # fmt: skip
"""What a start need not carry: it follows from other rows, or is forgotten, or is carried under
another name.
"""


@pytest.mark.parametrize(
    ("memory", "stored"),
    [
        (Instrument, StoredInstrument),
        (Account, StoredAccount),
        (OrderState, StoredOrder),
        (PositionState, StoredPosition),
        (EngineState, StoredState),
    ],
)
def test_start_carries_all_of_the_memory_that_is_stored(
    memory: type[Any], stored: type[msgspec.Struct]
) -> None:
    is_struct = issubclass(memory, msgspec.Struct)
    attributes = {
        field.name for field in (msgspec.structs if is_struct else dataclasses).fields(memory)
    }

    assert attributes - set(stored.__struct_fields__) == LEFT_OUT[memory]


@pytest.mark.processes
def test_full_journal_is_committed_by_itself(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journaling, "MAX_UNCOMMITTED_BYTES", 1_000)
    rows = JournalModel.objects.count()

    asyncio.run(refuse_many(desk, tmp_path))

    assert JournalModel.objects.count() == rows + 1 + 1  # the start, and what was full
    assert assert_replays().commands >= 7


async def refuse_many(desk: Desk, directory: Path) -> None:
    async with InProcessEngine(directory / "engine.sock", ToldClock(START_NS)) as engine:
        assert await engine.ask(quote(asks="1x1")) == DoneReply()
        for _ in range(12):
            await engine.ask(desk.submit("alice", "BUY 999999 @ 100"))
