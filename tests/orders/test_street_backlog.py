"""A database that hangs leaves no backlog of old prices: what waits of the street is the newest,
what has grown old is not taken, and what is carried out is what the journal has. The real server
and core over a store in memory whose commits wait.
"""

from decimal import Decimal

import msgspec
import pytest

from orders.domain import commands
from orders.domain.matching.street import STREET_TTL_NS
from orders.domain.replies import BusyReply, DoneReply
from orders.domain.values import Side
from orders.engine import server as server_module
from orders.engine.batches import Waiting
from orders.engine.journal import read_batch
from orders.engine.protocol import NO_REPLY
from orders.engine.waiting_line import LOOK_NS, MAX_STREET_WAIT_NS, WaitingLine
from tests.orders.desk import quote
from tests.orders.test_batches_ahead import Engine, buy, play, turn
from tests.simulation.floor import SECOND_NS, START_NS, submit_command

HANG_NS = 30 * SECOND_NS


def told(bid: str, ask: str, t_ns: int, symbol: str = "AAPL") -> commands.QuoteStreet:
    return msgspec.structs.replace(quote(f"{bid}x5", f"{ask}x5", symbol), t_ns=t_ns)


def traded(price: str, t_ns: int | None = None, symbol: str = "AAPL") -> commands.PrintStreetTrade:
    return commands.PrintStreetTrade(symbol, Decimal(price), Decimal(1), Side.SELL, t_ns)


def feed(engine: Engine, *asked: commands.AnyCommand) -> None:
    """As the feed sends: nobody waits for an answer."""
    for command in asked:
        engine.server.enqueue(engine.client, NO_REPLY, command)


def applied(engine: Engine) -> list[commands.AnyCommand]:
    """What the journal has of the batches that were committed."""
    return [
        command
        for content in engine.writer.contents
        for _, command in read_batch(content)
        if not isinstance(command, commands.ExpireOrders)
    ]


async def hang(engine: Engine) -> None:
    """An order is on its way to a database that does not answer."""
    engine.enqueue(buy("first"))
    await turn()


async def answer_again(engine: Engine) -> None:
    engine.clock.time_ns = START_NS + HANG_NS
    engine.writer.let_go(10)
    await turn()


def test_after_a_hang_an_order_trades_at_the_newest_quote_and_no_older_one_is_applied() -> None:
    async def scenario(engine: Engine) -> None:
        await hang(engine)
        feed(engine, told("99", "100", START_NS))
        engine.enqueue(submit_command("alice-2", "BUY 1 MARKET"))

        for second in range(1, 30):
            engine.clock.time_ns = START_NS + second * SECOND_NS
            price = 100 + second
            feed(engine, told(str(price), str(price + 1), engine.clock.time_ns))
        assert engine.server.pending == 2  # the newest quote and the order
        await answer_again(engine)

        quotes = [each for each in applied(engine) if isinstance(each, commands.QuoteStreet)]
        assert [each.asks[0][0] for each in quotes] == [130]
        reply = engine.client.replies[2]
        assert (reply.order.status, reply.order.average_price) == ("FILLED", "130")  # type: ignore[union-attr]

    play(scenario)


def test_a_backlog_of_old_quotes_and_prints_fills_nobody_and_elects_nobody() -> None:
    async def scenario(engine: Engine) -> None:
        engine.writer.let_go(2)
        engine.enqueue(buy("rests"), submit_command("alice-stop", "BUY 1 @ 60 STOP 50"))
        await turn()
        await hang(engine)
        feed(
            engine,
            told("9", "50", START_NS),
            traded("50", START_NS),
            told("8", "9", START_NS),
            traded("9", START_NS),
        )
        engine.enqueue(submit_command("alice-2", "BUY 1 MARKET"))

        await answer_again(engine)

        denied = [*engine.client.replies.values()][-1]
        assert denied.reason == "LIQUIDITY_NONE"  # type: ignore[union-attr]
        orders = engine.core.state.orders.values()
        assert {order.filled for order in orders} == {0}
        assert {order.status for order in orders} == {"ACCEPTED"}
        book = engine.core.state.instruments["AAPL"].book
        assert book.best(Side.SELL, engine.clock.time_ns) is None

    play(scenario)


def test_a_quote_lives_on_from_its_own_time() -> None:
    async def scenario(engine: Engine) -> None:
        feed(engine, told("9", "10", START_NS - STREET_TTL_NS + 1_000))
        await turn()
        book = engine.core.state.instruments["AAPL"].book
        assert book.best(Side.SELL, START_NS + 1_000) == 1_000
        assert book.best(Side.SELL, START_NS + 1_001) is None

        feed(engine, told("9", "11", START_NS + SECOND_NS))  # its clock is ahead of ours
        await turn()
        assert book.best(Side.SELL, START_NS + STREET_TTL_NS) == 1_100
        assert book.best(Side.SELL, START_NS + STREET_TTL_NS + 1) is None

    play(scenario)


# --- the line


def waiting(
    command: commands.AnyCommand, received_ns: int = START_NS, request_id: int = NO_REPLY
) -> Waiting:
    return Waiting(None, request_id, command, received_ns, None)


def lined_up(*asked: commands.AnyCommand) -> list[commands.AnyCommand]:
    line = WaitingLine()
    for command in asked:
        if not line.replace(waiting(command)):
            line.put(waiting(command))
    assert line.weight == len(line)
    return [each.command for each in line.take(100)]


def test_newest_quote_stands_in_the_place_of_the_oldest() -> None:
    first, second, third = (told(bid, "50", START_NS) for bid in ("1", "2", "3"))
    other, order = told("7", "8", START_NS, "IBM"), buy("1")

    assert lined_up(first, other, order, second, third) == [third, other, order]


def test_print_is_judged_by_the_quote_before_it() -> None:
    first, second, third = (told(bid, "50", START_NS) for bid in ("1", "2", "3"))
    elsewhere = traded("7", symbol="IBM")

    assert lined_up(first, traded("2"), second, elsewhere, third) == [
        first, traded("2"), third, elsewhere,
    ]  # fmt: skip


def test_quote_that_somebody_waits_for_is_carried_out() -> None:
    line = WaitingLine()
    asked = waiting(told("2", "50", START_NS), request_id=7)
    line.put(waiting(told("1", "50", START_NS)))

    assert not line.replace(asked)
    line.put(asked)
    assert not line.replace(waiting(told("3", "50", START_NS)))
    assert len(line) == 2


def test_quote_that_has_left_the_line_is_not_replaced() -> None:
    line = WaitingLine()
    line.put(waiting(told("1", "50", START_NS)))
    line.put(waiting(buy("1")))
    assert len(line.take(1)) == 1

    assert not line.replace(waiting(told("2", "50", START_NS)))
    assert line.first == buy("1")


def test_full_line_leaves_out_what_the_street_told_long_ago() -> None:
    line = WaitingLine()
    now_ns = START_NS + MAX_STREET_WAIT_NS
    old, order, young = traded("1"), buy("1"), traded("2")
    for command, received_ns in (
        (told("1", "50", START_NS), START_NS - 1),
        (old, START_NS - 1),
        (order, START_NS - 1),
        (young, START_NS),
    ):
        line.put(waiting(command, received_ns))

    assert line.forget_street(now_ns) == 2
    assert line.forget_street(now_ns + LOOK_NS - 1) == 0  # it has just been looked through
    assert line.weight == 2
    assert not line.replace(waiting(told("2", "50", START_NS)))
    assert [each.command for each in line.take(9)] == [order, young]


def test_full_line_takes_new_prices_rather_than_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_PENDING", 2)

    async def scenario(engine: Engine) -> None:
        await hang(engine)
        feed(engine, told("9", "11", START_NS), traded("9", START_NS))
        assert engine.server.pending == 2
        engine.clock.time_ns = START_NS + MAX_STREET_WAIT_NS + 1
        now_ns = engine.clock.time_ns

        feed(engine, told("19", "21", now_ns))
        assert engine.server.pending == 1
        engine.enqueue(buy("2"), buy("3"))
        assert [type(reply) for reply in engine.client.replies.values()] == [BusyReply]
        feed(engine, told("29", "31", now_ns))
        engine.writer.let_go(10)
        await turn()

        book = engine.core.state.instruments["AAPL"].book
        assert book.best(Side.SELL, now_ns) == 3_100

    play(scenario)


def test_quote_without_a_time_is_as_old_as_its_batch() -> None:
    async def scenario(engine: Engine) -> None:
        engine.server.enqueue(engine.client, 1, quote("9x1", "10x1"))
        await turn()

        assert engine.client.replies[1] == DoneReply()
        book = engine.core.state.instruments["AAPL"].book
        assert book.best(Side.SELL, START_NS + STREET_TTL_NS) == 1_000
        assert book.best(Side.SELL, START_NS + STREET_TTL_NS + 1) is None

    play(scenario)
