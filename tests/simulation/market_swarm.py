"""Random histories for the whole engine, a pure function of their seed: commands and the time.

Each seed draws its own kind of market: grids, how many accounts, how poor they are, how few prices
they share, how the street behaves, how often something senseless is asked for.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from orders.domain import commands
from orders.domain.values import OrderType, Side, TimeInForce

SECOND_NS = 10**9
GRIDS = (("0.01", "1", "0"), ("0.05", "0.001", "1"), ("0.0001", "0.0001", "0"), ("1", "3", "10"))
"""Tick size, lot size, smallest value."""

FIRST_ACCOUNT = 3


@dataclass(frozen=True)
class Listing:
    symbol: str
    tick: Decimal
    lot: Decimal
    smallest_value: Decimal


@dataclass(frozen=True)
class Timed:
    """A command and when it comes; `is_new_batch`: what came before it has been committed."""

    command: commands.AnyCommand
    now_ns: int
    is_new_batch: bool


class MarketSwarm:
    """One seed's market."""

    def __init__(self, seed: int, start_ns: int) -> None:
        draw = self._random = random.Random(seed)
        self.listings = [
            Listing(symbol, *(Decimal(part) for part in draw.choice(GRIDS)))
            for symbol in ("AAPL", "BTC/USD")[: draw.choice((1, 1, 2))]
        ]
        self.accounts = list(range(FIRST_ACCOUNT, FIRST_ACCOUNT + draw.choice((2, 3, 5))))
        self._now_ns = start_ns
        self._middle = draw.choice((20, 1_000))
        self._ticks = draw.choice((2, 4, 8))
        self._quantity_max = draw.choice((3, 20, 500))
        self._riches = draw.choice((0.2, 2, 50))
        self._market_share = draw.choice((0.0, 0.1, 0.3))
        self._tif_weights = draw.choice(((9, 1, 1, 1), (3, 3, 2, 2), (2, 9, 1, 1)))
        self._street_share = draw.choice((0.1, 0.3))
        self._nonsense_share = draw.choice((0.0, 0.05))
        self._wait_max_ns = draw.choice((1, SECOND_NS, 6 * SECOND_NS, 3_600 * SECOND_NS))
        self._batch_share = draw.choice((0.05, 0.3, 1.0))
        self._weights = [
            draw.choice(weights) for weights in ((40, 60), (3, 15), (0, 1), (1, 4), (0, 1))
        ]
        self._placed: list[UUID] = []

    def history(self, count: int) -> Iterator[Timed]:
        """Cash and shares for everybody, then `count` random commands."""
        for command in self._beginning():
            yield Timed(command, self._now_ns, is_new_batch=True)
        for _ in range(count):
            if self._random.random() < 0.3:
                self._now_ns += self._random.randint(1, self._wait_max_ns) // 1000 * 1000
            is_new_batch = self._random.random() < self._batch_share
            yield Timed(self._command(), self._now_ns, is_new_batch)

    def _beginning(self) -> Iterator[commands.AnyCommand]:
        listing = self.listings[0]
        wealth = self._middle * self._quantity_max * listing.tick * listing.lot * 10
        for account in self.accounts:
            cash = (wealth * Decimal(self._riches)).quantize(Decimal("0.00000001")) + 1
            yield commands.MoveCash(account, cash, "DEPOSIT", "", "seed")
        for listing in self.listings:
            for account in self.accounts[::2]:
                quantity = self._quantity_max * listing.lot * 3
                asks = [(self._middle * listing.tick, quantity)]
                yield commands.QuoteStreet(listing.symbol, [], asks)
                yield self._order(listing, account, Side.BUY, quantity, None, TimeInForce.IOC)

    def _command(self) -> commands.AnyCommand:
        draw = self._random
        listing = draw.choice(self.listings)
        if draw.random() < self._street_share:
            return self._street(listing)
        kinds = (self._submit, self._cancel, self._cancel_all, self._cash, self._halt)
        return draw.choices(kinds, self._weights)[0](listing)

    def _submit(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        side = draw.choice(tuple(Side))
        limit = None if draw.random() < self._market_share else self._price(listing)
        tif = draw.choices(tuple(TimeInForce), self._tif_weights)[0]
        quantity = draw.randint(1, self._quantity_max) * listing.lot
        account = draw.choice(self.accounts)
        order = self._order(listing, account, side, quantity, limit, tif)
        return self._spoiled(order) if draw.random() < self._nonsense_share else order

    def _order(
        self,
        listing: Listing,
        account: int,
        side: Side,
        quantity: Decimal,
        limit: Decimal | None,
        time_in_force: TimeInForce,
    ) -> commands.SubmitOrder:
        order_id = UUID(int=len(self._placed) + 1)
        self._placed.append(order_id)
        without_slash = self._random.random() < 0.1
        return commands.SubmitOrder(
            order_id=order_id,
            account_id=account,
            symbol=listing.symbol.replace("/", "") if without_slash else listing.symbol,
            client_order_id="",
            side=side,
            type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            time_in_force=time_in_force,
            quantity=quantity,
            limit_price=limit,
            submitted_by_id=1,
            request_id="r",
        )

    def _spoiled(self, order: commands.SubmitOrder) -> commands.SubmitOrder:
        fields = {name: getattr(order, name) for name in order.__struct_fields__}
        spoilings: tuple[dict[str, object], ...] = (
            {"symbol": "NONE"},
            {"account_id": 99},
            {"account_id": 1},
            {"quantity": Decimal(0)},
            {"quantity": Decimal(200_000_000) * 3},
            {"quantity": order.quantity + Decimal("0.00000001")},
            {"limit_price": Decimal("0.000000001")},
            {"limit_price": Decimal(10_000_001)},
            {"limit_price": None, "type": OrderType.LIMIT},
            {"limit_price": Decimal(20), "type": OrderType.MARKET},
            {"quantity": Decimal(99_999_999), "limit_price": Decimal(9_000)},
        )
        return commands.SubmitOrder(**{**fields, **self._random.choice(spoilings)})

    def _price(self, listing: Listing) -> Decimal:
        ticks = self._middle + self._random.randint(-self._ticks, self._ticks)
        return ticks * listing.tick

    def _cancel(self, listing: Listing) -> commands.AnyCommand:
        order_id = self._random.choice(self._placed[-40:])
        return commands.CancelOrder(order_id, self._random.choice(self.accounts), "r")

    def _cancel_all(self, listing: Listing) -> commands.AnyCommand:
        return commands.CancelAllOrders(self._random.choice(self.accounts), "r")

    def _cash(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        if draw.random() < 0.3:
            return commands.ExpireOrders()
        amount = Decimal(draw.randint(-(10**12), 10**12)).scaleb(-8)
        account = draw.choice((*self.accounts, 99, 1))
        return commands.MoveCash(account, amount, "ADJUSTMENT", "", "r")

    def _halt(self, listing: Listing) -> commands.AnyCommand:
        status = self._random.choice(("OPEN", "OPEN", "HALTED"))
        return commands.SetInstrumentStatus(listing.symbol, status, "r")

    def _street(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        if draw.random() < 0.3:
            quantity = draw.randint(-1, self._quantity_max) * listing.lot
            return commands.PrintStreetTrade(
                listing.symbol, self._price(listing), quantity, draw.choice(tuple(Side))
            )
        bid = self._middle + draw.randint(-self._ticks, self._ticks)
        ask = bid + draw.choice((1, 1, 1, 2, 3, 0))
        return commands.QuoteStreet(
            listing.symbol, self._levels(listing, bid, -1), self._levels(listing, ask, 1)
        )

    def _levels(self, listing: Listing, ticks: int, step: int) -> list[tuple[Decimal, Decimal]]:
        draw = self._random
        levels = draw.choice((0, 1, 2, 4))
        return [
            (
                (ticks + step * number) * listing.tick,
                draw.randint(1, self._quantity_max) * listing.lot,
            )
            for number in range(levels)
            if ticks + step * number > 0
        ]
