"""What leads to margin calls in the random histories: large orders, prices that jump, looks at the
margin accounts, hours that pass. From a stream of random numbers of its own.
"""

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol
from uuid import UUID

import msgspec

from orders.domain import commands
from orders.domain.market_commands import CheckMargin
from orders.domain.values import OrderType, Side, TimeInForce
from tests.simulation.plan_swarm import LIMITED, STORMY

HOUR_NS = 3_601 * 10**9
SILENT_NS = 6 * 10**9
SILENCES = 0.05
"""Of what a storm brings: a feed that falls silent while somebody is called."""

Later = tuple[int, commands.AnyCommand]
"""How long before a command, and the command."""


class Grid(Protocol):
    """What is needed of a listing."""

    @property
    def symbol(self) -> str: ...

    @property
    def tick(self) -> Decimal: ...

    @property
    def lot(self) -> Decimal: ...


class StormSwarm:
    """One seed's storms. `accounts` may have margin; `size` is a large order's quantity in lots."""

    def __init__(
        self, seed: int, accounts: Sequence[int], listings: Sequence[Grid], middle: int, size: int
    ) -> None:
        draw = self._random = random.Random(f"looks {seed}")
        self.share = draw.choice((0.1, 0.3)) if STORMY < seed <= LIMITED else 0.0
        self._silences = random.Random(f"silences {seed}")
        self._accounts = accounts
        self._listings = listings
        self._middle = middle
        self._size = size
        self._bids: dict[str, int] = {}

    def draw(self, next_id: Callable[[], UUID]) -> list[Later]:
        """Commands of ours, if it is our turn."""
        draw = self._random
        if draw.random() >= self.share:
            return []
        if self._silences.random() < SILENCES:
            return self._silence(self._listings[0], next_id)
        listing = draw.choice(self._listings)
        kind = draw.choice(("look", "look", "jump", "jump", "order", "order", "hour", "slide"))
        if kind == "look":
            return [(0, CheckMargin(0))]
        if kind == "jump":
            return [(0, self._jump(listing))]
        if kind == "hour":
            return self._hour_passes() if draw.random() < 0.5 else [(0, CheckMargin(0))]
        if kind == "slide":
            return self._slide(self._listings[0], next_id)
        is_senseless = draw.random() < 0.03
        side, lots = draw.choice(tuple(Side)), self._size * draw.choice((1, 3, 5, 10, 20, 30))
        account = draw.choice(self._accounts)
        return [(0, self._order(listing, account, side, lots, next_id(), is_senseless))]

    def _jump(self, listing: Grid) -> commands.QuoteStreet:
        percent = self._random.choice((30, 60, 80, 90, 95, 98, 105, 120, 150))
        return self._quote(listing, self._middle * percent // 100)

    def _hour_passes(self) -> list[Later]:
        """Who was called still is: the prices are as before, and fresh."""
        quotes: list[Later] = [
            (0, self._quote(listing, self._bids.get(listing.symbol, self._middle)))
            for listing in self._listings
        ]
        return [(HOUR_NS, CheckMargin(0)), *quotes, (0, CheckMargin(0))]

    def _slide(self, listing: Grid, next_id: Callable[[], UUID]) -> list[Later]:
        """An account buys as much as it may, the price falls a little, and for an hour nobody
        pays in.
        """
        account = self._random.choice(self._accounts)
        sizes = [self._size * share // 4 or 1 for share in (640, 320, 160, 80, 40, 20, 10, 5, 2, 1)]
        buys: list[Later] = [
            (0, self._order(listing, account, Side.BUY, lots, next_id())) for lots in sizes
        ]
        fallen = self._middle * self._random.choice((85, 90, 95, 98)) // 100
        return [
            (0, self._quote(listing, self._middle)),
            *buys,
            (0, self._quote(listing, fallen)),
            (0, CheckMargin(0)),
            *self._hour_passes(),
        ]

    def _silence(self, listing: Grid, next_id: Callable[[], UUID]) -> list[Later]:
        """An account buys as much as it may and the price falls; then the feed says no more, and
        only users bid.
        """
        draw = self._silences
        account, other = (draw.choice(self._accounts) for _ in range(2))
        fallen = self._middle * draw.choice((60, 70, 80)) // 100
        buys: list[Later] = [
            (0, self._order(listing, account, Side.BUY, self._size * share // 4 or 1, next_id()))
            for share in (640, 160, 40, 10, 2)
        ]
        bid = self._order(listing, other, Side.BUY, 1, next_id())
        limit = max(1, fallen) * listing.tick
        return [
            (0, self._quote(listing, self._middle)),
            *buys,
            (0, self._quote(listing, fallen)),
            (0, commands.PrintStreetTrade(listing.symbol, limit, listing.lot, Side.SELL)),
            (0, msgspec.structs.replace(bid, type=OrderType.LIMIT, limit_price=limit)),
            (SILENT_NS, CheckMargin(0)),
        ]

    def _quote(self, listing: Grid, bid: int) -> commands.QuoteStreet:
        bid = self._bids[listing.symbol] = max(1, bid)
        lots = 500 * self._size * listing.lot
        bids = [(bid * listing.tick, lots)]
        return commands.QuoteStreet(listing.symbol, bids, [((bid + 1) * listing.tick, lots)])

    def _order(
        self,
        listing: Grid,
        account: int,
        side: Side,
        lots: int,
        order_id: UUID,
        is_senseless: bool = False,
    ) -> commands.SubmitOrder:
        return commands.SubmitOrder(
            order_id=order_id,
            account_id=account,
            symbol=listing.symbol,
            client_order_id="",
            side=side,
            type=OrderType.STOP if is_senseless else OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            quantity=lots * listing.lot,
            limit_price=None,
            stop_price=Decimal(0) if is_senseless else None,
            submitted_by_id=1,
            request_id="r",
        )
