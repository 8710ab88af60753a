"""Random histories for the whole engine, a pure function of their seed: commands and the time.

Each seed draws its own kind of market: grids, how many accounts, how poor they are, how few prices
they share, how the street behaves, how often something senseless is asked for.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from orders.domain import commands
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from tests.simulation.day_swarm import DaySwarm
from tests.simulation.display_swarm import DisplaySwarm
from tests.simulation.group_swarm import GroupSwarm
from tests.simulation.limit_swarm import LimitSwarm
from tests.simulation.nonsense import spoiled
from tests.simulation.plan_swarm import LIMITED, STORMY, PlanSwarm
from tests.simulation.session_swarm import SessionSwarm
from tests.simulation.storm_swarm import Later, StormSwarm
from tests.simulation.switch_swarm import SwitchSwarm
from tests.simulation.trail_swarm import TrailSwarm

SECOND_NS = 10**9
TTL_NS = 5 * SECOND_NS
GRIDS = (("0.01", "1", "0"), ("0.05", "0.001", "1"), ("0.0001", "0.0001", "0"), ("1", "3", "10"))
"""Tick size, lot size, smallest value."""

FIRST_ACCOUNT = 3
KEYS = ("PK1", "PK2", "PK3")
CALENDAR = "XTST"
HALT = 4
"""Where the weights have changes of a market's state."""


@dataclass(frozen=True)
class Listing:
    symbol: str
    tick: Decimal
    lot: Decimal
    smallest_value: Decimal
    band_bps: int
    calendar: str | None
    follows_feed: bool = False


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
        feeds = random.Random(f"feeds {seed}")
        self._feeds = random.Random(f"told {seed}")  # of its own: histories stay as they are
        self.listings = [
            Listing(
                symbol,
                *map(Decimal, draw.choice(GRIDS)),
                band_bps=draw.choice((10, 500, 5_000)),
                calendar=draw.choice((None, CALENDAR)),
                follows_feed=feeds.random() < 0.5,
            )
            for symbol in ("AAPL", "BTC/USD")[: draw.choice((1, 1, 2))]
        ]
        self.accounts = list(range(FIRST_ACCOUNT, FIRST_ACCOUNT + draw.choice((2, 3, 5))))
        self._now_ns = start_ns
        self._middle = draw.choice((20, 1_000))
        self._ticks = draw.choice((2, 4, 8))
        self._quantity_max = draw.choice((3, 20, 500))
        self._riches = draw.choice((0.2, 2, 50))
        self._market_share = draw.choice((0.0, 0.1, 0.3))
        self._stop_share = draw.choice((0.0, 0.1, 0.4))
        self._tif_weights = draw.choice(
            (
                (9, 1, 1, 1, 1, 0, 0),
                (3, 3, 2, 2, 2, 1, 1),
                (2, 9, 1, 1, 4, 2, 2),
            )
        )
        self._street_share = draw.choice((0.1, 0.3))
        self._nonsense_share = draw.choice((0.0, 0.05))
        self._wait_max_ns = draw.choice((1, SECOND_NS, 6 * SECOND_NS, 3_600 * SECOND_NS))
        self._batch_share = draw.choice((0.05, 0.3, 1.0))
        self._weights = [
            draw.choice(weights)
            for weights in (
                (40, 60),
                (3, 15),
                (0, 1),
                (1, 4),
                (0, 1),
                (0, 5, 25),
                (0, 2, 10),
                (0, 4),
                (0, 4),
                (0, 3),
                (0, 1),
                (0, 1),
            )
        ]
        if seed > LIMITED:
            self._market_share = 0.3  # orders of a value are MARKET
            self._weights[HALT] = 3  # auctions cross the street
        self._has_fees = draw.random() < 0.5
        self._flag_share = draw.choice((0.0, 0.0, 0.3))
        self._stp_share = draw.choice((0.0, 0.1, 0.6))
        self.owners = {account: draw.choice(self.accounts) for account in self.accounts}
        if draw.random() < 0.5:
            self.owners = {account: account for account in self.accounts}
        self._has_margin = draw.random() < 0.4 or STORMY < seed <= LIMITED
        self._next: list[Later] = []
        self._placed: list[UUID] = []
        self._asked: dict[UUID, commands.SubmitOrder] = {}
        self.switches = SwitchSwarm(seed, self.accounts, len(self.listings))
        self.sessions = SessionSwarm(seed)
        self.displays = DisplaySwarm(seed, self._middle)
        self.trails = TrailSwarm(seed, self._middle, self._ticks)
        self.groups = GroupSwarm(seed)
        self._replaced_legs = 0
        self.storms = StormSwarm(
            seed, self.accounts[1:], self.listings, self._middle, self._quantity_max
        )
        symbols = [listing.symbol for listing in self.listings]
        self.plans = PlanSwarm(seed, symbols, self._wait_max_ns)
        first = self.listings[0]
        self.limits = LimitSwarm(
            seed,
            self.accounts,
            len(self.listings),
            size=self._quantity_max * first.lot,
            price=self._middle * first.tick,
        )
        self.days = DaySwarm(
            CALENDAR, start_ns, self._wait_max_ns * draw.choice((3, 30)) + 1_000, draw
        )

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
        yield self.days.first()
        listing = self.listings[0]
        wealth = self._middle * self._quantity_max * listing.tick * listing.lot * 10
        for account in self.accounts:
            cash = (wealth * Decimal(self._riches)).quantize(Decimal("0.00000001")) + 1
            yield commands.MoveCash(account, cash, "DEPOSIT", "", "seed")
        if self._has_margin:
            for account in self.accounts[1:]:
                yield self._margin(account, draw_refused=False)
        if self._has_fees:
            yield self._fee_tier("A")
            for account in self.accounts[:2]:
                yield commands.SetAccountTier(account, "A", "seed")
        for listing in self.listings:
            for account in self.accounts[::2]:
                quantity = self._quantity_max * listing.lot * 3
                asks = [(self._middle * listing.tick, quantity)]
                yield commands.QuoteStreet(listing.symbol, [], asks)
                yield self._order(listing, account, Side.BUY, quantity, None, TimeInForce.IOC)

    def _command(self) -> commands.AnyCommand:
        if not self._next and self._has_margin:
            self._next = self.storms.draw(self._next_id)
        if self._next:
            wait_ns, command = self._next.pop(0)
            self._now_ns += wait_ns
            return command
        drawn = self.switches.draw(self.accounts) or self.sessions.draw(self.accounts)
        if drawn is not None:
            return drawn
        asked = self.groups.ask(self._near(self.listings[0]), self._leg_id)
        if asked is not None:
            return asked
        planned = self.plans.draw(self._now_ns)
        if planned is not None:
            return planned
        limit = self.limits.draw(self.accounts, self.switches.people)
        if limit is not None:
            return limit
        draw = self._random
        listing = draw.choice(self.listings)
        if draw.random() < self._street_share:
            return self._street(listing)
        kinds = (
            self._submit,
            self._cancel,
            self._cancel_all,
            self._cash,
            self._halt,
            self._replace,
            self._amend,
            self._batch,
            self._fees,
            self._watch,
            self._stp_mode,
            lambda listing: self.days.draw(self._now_ns),
        )
        return draw.choices(kinds, self._weights)[0](listing)

    def _submit(self, listing: Listing) -> commands.SubmitOrder:
        draw = self._random
        side = draw.choice(tuple(Side))
        limit = None if draw.random() < self._market_share else self._price(listing)
        tif = draw.choices(tuple(TimeInForce), self._tif_weights)[0]
        quantity = draw.randint(1, self._quantity_max) * listing.lot
        account = draw.choice(self.accounts)
        order = self._order(listing, account, side, quantity, limit, tif)
        if draw.random() < self._stop_share:
            order = self._as_stop(order, listing)
        if draw.random() < self._flag_share:
            order = msgspec.structs.replace(
                order,
                post_only=draw.random() < 0.6,
                reduce_only=draw.random() < 0.4,
                deadline_ns=self._now_ns + draw.choice((-1, 0, 1)),
            )
        if draw.random() < self._stp_share:
            order = msgspec.structs.replace(order, stp_mode=draw.choice(tuple(StpMode)))
        order = self.displays.draw(self.trails.draw(order, listing), listing)
        order = self.sessions.over(order)
        order = self.groups.grouped(order, self._near(listing))
        self._asked[order.order_id] = order
        if draw.random() < self._nonsense_share:
            return spoiled(order, self._now_ns, draw)
        return order

    def _order(
        self,
        listing: Listing,
        account: int,
        side: Side,
        quantity: Decimal,
        limit: Decimal | None,
        time_in_force: TimeInForce,
    ) -> commands.SubmitOrder:
        order_id = self._next_id()
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
            strategy=self.switches.tag(),
            key_id=self._random.choice(KEYS),
            expires_ns=self._end() if time_in_force is TimeInForce.GTD else None,
        )

    def _next_id(self) -> UUID:
        order_id = UUID(int=len(self._placed) + 1)
        self._placed.append(order_id)
        return order_id

    def _as_stop(self, order: commands.SubmitOrder, listing: Listing) -> commands.SubmitOrder:
        """The same as a stop order: mostly one that can wait, at a price nearby."""
        draw = self._random
        tif = draw.choice((TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC, order.time_in_force))
        limit = order.limit_price if draw.random() < 0.5 else None
        return msgspec.structs.replace(
            order,
            type=OrderType.STOP if limit is None else OrderType.STOP_LIMIT,
            time_in_force=tif,
            limit_price=limit,
            stop_price=self._price(listing),
            expires_ns=order.expires_ns if tif is order.time_in_force else None,
        )

    def _price(self, listing: Listing) -> Decimal:
        ticks = self._middle + self._random.randint(-self._ticks, self._ticks)
        return ticks * listing.tick

    def _near(self, listing: Listing) -> Callable[[random.Random], Decimal]:
        """Prices as those of orders, drawn from elsewhere."""
        return lambda draw: (self._middle + draw.randint(-self._ticks, self._ticks)) * listing.tick

    def _leg_id(self) -> UUID:
        """Ids of their own, so that the others are what they would be without groups."""
        self._replaced_legs += 1
        return UUID(int=10**9 + self._replaced_legs)

    def _cancel(self, listing: Listing) -> commands.CancelOrder:
        order_id = self._random.choice(self._placed[-40:])
        account = self._random.choice(self.accounts)
        asked = self._asked.get(order_id)
        if asked is not None and self._random.random() < 0.5:
            account = asked.account_id
        return commands.CancelOrder(order_id, account, "r")

    def _cancel_all(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        symbols = draw.choice(((), (), (listing.symbol,), ("NONE", listing.symbol)))
        side = draw.choice((None, None, *Side))
        return commands.CancelAllOrders(draw.choice(self.accounts), "r", symbols, side)

    def _recent(self) -> commands.SubmitOrder | None:
        """An order that was asked for lately, whatever became of it."""
        recent = [self._asked[key] for key in self._placed[-25:] if key in self._asked]
        return self._random.choice(recent) if recent else None

    def _replace(self, listing: Listing) -> commands.AnyCommand:
        draw, old = self._random, self._recent()
        if old is None:
            return self._submit(listing)
        listing = next(item for item in self.listings if item.symbol[:3] == old.symbol[:3])
        order_id = self._next_id()
        named = self._changes_of(old, listing)
        if draw.random() < self._nonsense_share:
            named["quantity"] = Decimal("0.00000001")
        self._asked[order_id] = msgspec.structs.replace(old, order_id=order_id, **named)
        command = commands.ReplaceOrder(
            order_id=order_id,
            replaces=old.order_id,
            account_id=draw.choice((*(old.account_id,) * 9, self.accounts[0])),
            client_order_id="" if draw.random() < 0.95 else str(order_id),
            submitted_by_id=1,
            request_id="r",
            **named,
        )
        return self.trails.change(command, listing)

    def _changes_of(self, old: commands.SubmitOrder, listing: Listing) -> dict[str, Any]:
        # Any: a price, a quantity or a time in force
        draw = self._random
        less = draw.randint(1, max(1, int(old.quantity / listing.lot))) * listing.lot
        changes: tuple[dict[str, Any], ...] = (
            {},
            {"quantity": less},
            {"quantity": less, "limit_price": old.limit_price},
            {"quantity": old.quantity * 2},
            {"limit_price": self._price(listing)},
            {"limit_price": self._price(listing), "quantity": less},
            {"stop_price": self._price(listing)},
            {"time_in_force": draw.choice(tuple(TimeInForce))},
        )
        return {name: value for name, value in draw.choice(changes).items() if value is not None}

    def _stp_mode(self, listing: Listing) -> commands.AnyCommand:
        account = self._random.choice((*self.accounts, 99))
        return commands.SetStpMode(account, self._random.choice(tuple(StpMode)), "why", "r")

    def _amend(self, listing: Listing) -> commands.AnyCommand:
        draw, old = self._random, self._recent()
        if old is None:
            return self._submit(listing)
        share = Decimal(draw.choice((25, 50, 75, 100, 150))) / 100
        lots = max(0, int(old.quantity * share / listing.lot))
        return commands.AmendOrder(old.order_id, old.account_id, lots * listing.lot, "r")

    def _batch(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        kinds = [draw.choice((self._submit, self._submit, self._cancel)) for _ in range(5)]
        return commands.OrderBatch([kind(listing) for kind in kinds[: draw.randint(1, 5)]])

    def _watch(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        account = draw.choice((*self.accounts, *self.accounts, 99))
        seconds = draw.choice((0, 1, 2, 30))
        return commands.SetDeadMan(draw.choice(KEYS), account, seconds, "r")

    def _cash(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        if draw.random() < 0.3:
            return commands.ExpireOrders()
        amount = Decimal(draw.randint(-(10**12), 10**12)).scaleb(-8)
        account = draw.choice((*self.accounts, 99, 1))
        return commands.MoveCash(account, amount, "ADJUSTMENT", "", "r")

    def _halt(self, listing: Listing) -> commands.AnyCommand:
        status = self._random.choice(
            (*["OPEN"] * 3, "HALTED", "CANCEL_ONLY", "POST_ONLY", *["AUCTION"] * 2)
        )
        return commands.SetInstrumentStatus(listing.symbol, status, "r")

    def _fees(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        if self._has_margin and draw.random() < 0.5:
            account = draw.choice((*self.accounts, 99))
            if draw.random() < 0.7:  # it is only heard without open orders
                self._next.append((0, self._margin(account)))
                return commands.CancelAllOrders(account, "r")
            return self._margin(account)
        if draw.random() < 0.3:
            return self._fee_tier(draw.choice("AB"))
        if draw.random() < 0.4:
            switch, long_only = (draw.choice((True, False, False, None)) for _ in range(2))
            return commands.ConfigureAccount(draw.choice(self.accounts), switch, long_only, "r")
        account = draw.choice((*self.accounts, *self.accounts, 99))
        return commands.SetAccountTier(account, draw.choice(("A", "A", "B", "")), "r")

    def _margin(self, account: int, *, draw_refused: bool = True) -> commands.SetMargin:
        draw = self._random
        multiplier = draw.choice((1, 2, 3, 4) if draw_refused else (2, 4))
        is_shorting = draw.random() < 0.7
        return commands.SetMargin(account, multiplier, is_shorting, "r")

    def _fee_tier(self, code: str) -> commands.SetFeeTier:
        """Rates of all sizes; now and then ones that may not be."""
        draw = self._random
        taker = Decimal(draw.choice((0, 1, 25, 10_000_000, draw.randint(0, 10**7)))).scaleb(-4)
        maker = taker * draw.choice((0, 1, Decimal("0.5")))
        if draw.random() < 0.1:
            maker, taker = draw.choice(((taker + 1, taker), (maker, Decimal("1000.0001"))))
        return commands.SetFeeTier(code, f"Tier {code}", maker, taker, "r")

    def _end(self) -> int:
        """When a GTD order ends: soon, or so late that nothing here meets it."""
        return self._now_ns + self._random.randint(1, self._wait_max_ns * 50) + 1_000

    def _street(self, listing: Listing) -> commands.AnyCommand:
        draw = self._random
        if draw.random() < 0.3:
            quantity = draw.randint(-1, self._quantity_max) * listing.lot
            price, side = self._price(listing), draw.choice(tuple(Side))
            return commands.PrintStreetTrade(listing.symbol, price, quantity, side, self.told_ns())
        bid = self._middle + draw.randint(-self._ticks, self._ticks)
        ask = bid + draw.choice((1, 1, 1, 2, 3, 0))
        sides = self._levels(listing, bid, -1), self._levels(listing, ask, 1)
        return commands.QuoteStreet(listing.symbol, *sides, self.told_ns())

    def told_ns(self) -> int | None:
        """Mostly none; or around the age at which nothing is taken any more, or ahead of us."""
        draw = self._feeds
        if draw.random() < 0.9:
            return None
        return self._now_ns - draw.choice((-1, 1, TTL_NS - 1, TTL_NS, TTL_NS + 1))

    def _levels(self, listing: Listing, ticks: int, step: int) -> list[tuple[Decimal, Decimal]]:
        draw = self._random
        levels = draw.choice((0, 1, 2, 4))
        off = listing.tick / 2 if self._feeds.random() < 0.02 else 0
        return [
            (
                (ticks + step * number) * listing.tick + (0 if number else off),
                draw.randint(1, self._quantity_max) * listing.lot,
            )
            for number in range(levels)
            if ticks + step * number > 0
        ]
