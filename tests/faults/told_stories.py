"""Histories told by hand, for engines that crash in them: of a margin call, and of market plans.

Prices are told by trades between users and with the street, and bids rest in the book, so that an
engine without a street (it starts anew) finds the same.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from uuid import UUID

from orders.domain import commands
from orders.domain.market_commands import CheckMargin, PlanMarketState, SetBands, WithdrawMarketPlan
from orders.domain.values import OrderType, Side, TimeInForce
from tests.simulation.floor import SECOND_NS, START_NS
from tests.simulation.market_swarm import Listing, Timed

LOTS = 1_000
"""In one round lot: enough for every smallest value."""


def margin_story(accounts: list[int], listing: Listing) -> Iterator[Timed]:
    """The first account borrows; the second buys what it must sell."""
    yield from _timed(Teller(accounts, listing).margin_call())


def plan_story(accounts: list[int], listing: Listing) -> Iterator[Timed]:
    """Plans begin, end, are missed and withdrawn; a band is left, and the market pauses."""
    yield from _timed(Teller(accounts, listing).plans())


def _timed(steps: Iterable[tuple[int, commands.AnyCommand]]) -> Iterator[Timed]:
    for seconds, command in steps:
        yield Timed(command, START_NS + seconds * SECOND_NS, is_new_batch=True)


class Teller:
    """Makes the commands; prices are in ticks, quantities in round lots."""

    def __init__(self, accounts: list[int], listing: Listing) -> None:
        self._borrower, self._other = accounts[:2]
        self._listing = listing
        self._orders = 0

    def margin_call(self) -> Iterator[tuple[int, commands.AnyCommand]]:
        listing = self._listing
        unit = listing.tick * listing.lot * LOTS
        for account, units in ((self._borrower, 10_000), (self._other, 60_000)):
            yield 0, commands.MoveCash(account, units * unit, "DEPOSIT", "", "seed")
        yield 0, commands.SetMargin(self._borrower, 2, True, "seed")
        yield 0, self._quote(999)
        yield 0, self._buy(self._borrower, 15, 1_001, TimeInForce.IOC)
        for second, bid in ((1, 440), (3_602, 440), (3_610, 300)):
            yield second, self._quote(bid)
            yield second, self._buy(self._other, 1, bid + 2, TimeInForce.IOC)
            yield second, self._buy(self._other, 20, bid + 1, TimeInForce.GTC)
            yield second + 1, CheckMargin()
            yield second + 2, CheckMargin()

    def plans(self) -> Iterator[tuple[int, commands.AnyCommand]]:
        unit = self._listing.tick * self._listing.lot * LOTS
        for account in (self._borrower, self._other):
            yield 0, commands.MoveCash(account, 60_000 * unit, "DEPOSIT", "", "seed")
        yield 0, self._quote(999)
        yield 0, self._buy(self._borrower, 15, 1_001, TimeInForce.IOC)
        yield 1, self._bands(100, "HALTED", 20)
        yield 1, self._plan(1, "CANCEL_ONLY", 5, 10)
        yield 1, self._plan(2, "AUCTION", 8, 30)
        yield 1, self._plan(4, "HALTED", 40, 50)
        yield 6, self._buy(self._other, 1, 900, TimeInForce.GTC)
        yield 12, self._buy(self._other, 2, 1_010, TimeInForce.GTC)
        yield 13, self._buy(self._borrower, 1, 990, TimeInForce.GTC)
        yield 14, WithdrawMarketPlan(4, "", "r")
        yield 31, self._buy(self._other, 1, 950, TimeInForce.GTC)
        yield 40, self._plan(5, "HALTED", 20, 35)
        yield 41, self._plan(6, "POST_ONLY", 35, None)
        yield 42, WithdrawMarketPlan(6, "", "r")
        yield 43, self._quote(1_100)
        yield 43, self._buy(self._borrower, 5, 1_200, TimeInForce.GTC)
        yield 50, self._buy(self._other, 1, 951, TimeInForce.GTC)
        yield 64, self._bands(0, "AUCTION", 5)
        yield 70, self._buy(self._other, 1, 952, TimeInForce.GTC)
        yield 80, self._buy(self._other, 1, 953, TimeInForce.GTC)

    def _plan(self, number: int, state: str, begins: int, ends: int | None) -> PlanMarketState:
        from_ns = START_NS + begins * SECOND_NS
        until_ns = None if ends is None else START_NS + ends * SECOND_NS
        return PlanMarketState(number, self._listing.symbol, state, from_ns, until_ns, "", "r")

    def _bands(self, bps: int, state: str, seconds: int) -> SetBands:
        return SetBands(
            self._listing.symbol, "r", volatility_bps=bps, pause_state=state, pause_seconds=seconds
        )

    def _quote(self, bid: int) -> commands.QuoteStreet:
        listing = self._listing
        sides = [[(price * listing.tick, 1_000 * LOTS * listing.lot)] for price in (bid, bid + 2)]
        return commands.QuoteStreet(listing.symbol, *sides)

    def _buy(
        self, account: int, lots: int, ticks: int, time_in_force: TimeInForce
    ) -> commands.SubmitOrder:
        self._orders += 1
        return commands.SubmitOrder(
            order_id=UUID(int=self._orders),
            account_id=account,
            symbol=self._listing.symbol,
            client_order_id="",
            side=Side.BUY,
            type=OrderType.LIMIT,
            time_in_force=time_in_force,
            quantity=lots * LOTS * self._listing.lot,
            limit_price=Decimal(ticks) * self._listing.tick,
            submitted_by_id=1,
            request_id="r",
        )
