"""Clients that trade as fast as they can and write down what they asked and what they were told.

Each keeps a log of (command, when asked, when answered, answer): the engine may die at any moment,
so an outcome is acknowledged, refused, unknown or never sent. tests/faults/ judges the database by
these logs alone.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from uuid import UUID, uuid4

from orders.domain import commands
from orders.domain.replies import AnyReply
from orders.domain.values import OrderType, Side, TimeInForce
from orders.engine.client import EngineClient, EngineUnavailableError, UnknownOutcomeError
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk

TRADERS = 6

Outcome = Literal["answered", "unknown", "not sent"]


@dataclass(slots=True)
class Entry:
    """One command. Times are monotonic nanoseconds, comparable among the threads."""

    command: commands.AnyCommand
    asked_ns: int
    outcome: Outcome
    reply: AnyReply | None = None
    answered_ns: int = 0


@dataclass
class Trader(threading.Thread):
    """One client of one account; it goes on through every crash until told to stop."""

    client: EngineClient
    account_id: int
    seed: int
    should_stop: threading.Event
    log: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._random = random.Random(self.seed)
        self._sent: list[UUID] = []

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.should_stop.is_set():
            entry = self._ask(self._next())
            self.log.append(entry)
            if entry.outcome == "not sent":
                time.sleep(0.02)  # nobody listens: the engine is being started again
        self.client.close()

    def _ask(self, command: commands.AnyCommand) -> Entry:
        asked_ns = time.monotonic_ns()
        try:
            reply = self.client.request(command)
        except UnknownOutcomeError:
            return Entry(command, asked_ns, "unknown")
        except EngineUnavailableError:
            return Entry(command, asked_ns, "not sent")
        return Entry(command, asked_ns, "answered", reply, time.monotonic_ns())

    def _next(self) -> commands.AnyCommand:
        draw = self._random
        kind = draw.random()
        if kind < 0.12 and self._sent:
            return commands.CancelOrder(draw.choice(self._sent[-20:]), self.account_id, "r")
        if kind < 0.13:
            return commands.CancelAllOrders(self.account_id, "r")
        if kind < 0.16:
            return commands.MoveCash(self.account_id, Decimal(1), "DEPOSIT", "", "r")
        return self._order()

    def _order(self) -> commands.SubmitOrder:
        draw = self._random
        order_id = uuid4()
        self._sent.append(order_id)
        is_market = draw.random() < 0.1
        return commands.SubmitOrder(
            order_id=order_id,
            account_id=self.account_id,
            symbol="AAPL",
            client_order_id=f"{self.seed}-{len(self._sent)}",
            side=draw.choice(tuple(Side)),
            type=OrderType.MARKET if is_market else OrderType.LIMIT,
            time_in_force=draw.choice((TimeInForce.GTC, TimeInForce.GTC, *TimeInForce)),
            quantity=Decimal(draw.randint(1, 20)),
            limit_price=None if is_market else Decimal(draw.randint(97, 103)),
            submitted_by_id=1,
            request_id=f"{self.seed}-{len(self._sent)}",
        )


@dataclass
class Feed(threading.Thread):
    """Quotes and street trades, which ask for no promise."""

    client: EngineClient
    seed: int
    should_stop: threading.Event

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        draw = random.Random(self.seed)
        while not self.should_stop.is_set():
            middle = draw.randint(98, 102)
            size = Decimal(draw.randint(5, 50))
            bids = [(Decimal(middle - step), size) for step in (1, 2)]
            asks = [(Decimal(middle + step), size) for step in (1, 2)]
            try:
                self.client.request(commands.QuoteStreet("AAPL", bids, asks))
                self.client.request(
                    commands.PrintStreetTrade(
                        "AAPL", Decimal(middle), size, draw.choice(tuple(Side))
                    )
                )
            except (UnknownOutcomeError, EngineUnavailableError):
                time.sleep(0.02)
            time.sleep(0.005)
        self.client.close()


def run_for_a_while(threads: list[threading.Thread], nemesis: Callable[[], None]) -> None:
    """Start the threads, let the nemesis do its work, stop them and wait for the last answer."""
    for thread in threads:
        thread.start()
    try:
        nemesis()
    finally:
        for thread in threads:
            thread.should_stop.set()  # type: ignore[attr-defined]
        for thread in threads:
            thread.join()


def trade_through(engine: EngineProcess, desk: Desk, nemesis: Callable[[], None]) -> list[Trader]:
    """Traders of both accounts and a feed, while the nemesis is at work."""
    should_stop = threading.Event()
    owners = [desk.accounts["alice"].pk, desk.accounts["charlie"].pk]
    traders = [
        Trader(engine.client(), owners[number % 2], number, should_stop)
        for number in range(TRADERS)
    ]
    run_for_a_while([*traders, Feed(engine.client(), 99, should_stop)], nemesis)
    return traders
