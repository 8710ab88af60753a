"""Random market histories for the matching book, a pure function of their seed.

Each seed draws its own kind of market (swarm testing): which messages are common, how many accounts
trade, how few ticks they share (few ticks make collisions common), how the street behaves, how long
the silences are. A message does not look at the book, so any part of a history is a history too.
"""

import random
from dataclasses import dataclass
from uuid import UUID

from tests.reference.book import STREET_TTL_NS, Level
from tests.reference.placing import Incoming

MESSAGE_WEIGHTS = {
    "place": (10, 20, 40),
    "cancel": (2, 8, 16),
    "lower": (0, 1, 8),
    "succeed": (0, 1, 8),
    "quote": (1, 4, 16),
    "print": (1, 2, 8),
    "wait": (1, 4),
    "restart": (0, 0, 0.5),
}
TIMES_IN_FORCE = ("GTC", "DAY", "IOC", "FOK")
SPREADS = (1,) * 12 + (2,) * 5 + (3, 0, -1)  # 0 is a locked quote, -1 a crossed one


@dataclass(frozen=True, slots=True)
class Place:
    """An order comes in. In a full book a GTC or DAY order comes in as IOC."""

    order: Incoming


@dataclass(frozen=True, slots=True)
class Cancel:
    """A cancel of an order that was placed before, whatever became of it."""

    order_id: UUID


@dataclass(frozen=True, slots=True)
class Lower:
    """A resting order is amended to this share (in hundredths) of what it has left."""

    order_id: UUID
    percent: int


@dataclass(frozen=True, slots=True)
class Succeed:
    """A resting order is replaced in its place, with this share of what it has left."""

    order_id: UUID
    successor_id: UUID
    percent: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A street quote that was received `age_ns` before it arrives at the book."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    age_ns: int


@dataclass(frozen=True, slots=True)
class Print:
    """A street trade."""

    price: int
    quantity: int
    aggressor: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes."""

    duration_ns: int


@dataclass(frozen=True, slots=True)
class Restart:
    """The book starts again with the orders that rest."""


Message = Place | Cancel | Lower | Succeed | Quote | Print | Wait | Restart


@dataclass(frozen=True, slots=True)
class Probe:
    """A question to both books that changes nothing: what would this order do now?"""

    owner_id: int
    side: str
    limit_price: int | None
    quantity: int
    depth_levels: int


@dataclass(frozen=True, slots=True)
class Step:
    message: Message
    probe: Probe


class Swarm:
    """One seed's market: the drawn habits, then the messages they lead to."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        draw = self._random
        self.weights = [draw.choice(choices) for choices in MESSAGE_WEIGHTS.values()]
        self.accounts = draw.choice((2, 4, 8, 16))
        self.ticks = draw.choice((2, 3, 5, 8, 16))
        self.quantity_max = draw.choice((1, 3, 10, 100))
        self.large_share = draw.choice((0.02, 0.2))
        self.street_quantity_max = self.quantity_max * draw.choice((1, 2, 4))
        self.street_levels = draw.choice((1, 2, 4, 10))
        self.street_churn = draw.choice((0.1, 0.3, 1.0))
        self.jitter_share = draw.choice((0.02, 0.1, 0.5))
        self.drift_share = draw.choice((0.0, 0.05, 0.4))
        self.passive_share = draw.choice((0.4, 0.7, 0.95))
        self.queue_share = draw.choice((0.0, 0.01, 0.03))
        self.resting_max = draw.choice((8, 15, 30))
        self.market_share = draw.choice((0.0, 0.05, 0.2))
        self.time_in_force_weights = draw.choice(((20, 2, 1, 1), (12, 2, 3, 3)))
        self.wait_max_ns = draw.choice((1_000, 1_000, STREET_TTL_NS // 2, 2 * STREET_TTL_NS))
        self.late_share = draw.choice((0.0, 0.02, 0.2))
        self.stp_share = draw.choice((0.0, 0.1, 0.5))
        self.middle = 1_000
        self._placed = 0
        self._known_ids: list[UUID] = []
        self._shown: dict[int, int] = {}
        self._pending: list[Message] = []

    def steps(self, count: int) -> list[Step]:
        return [Step(self._message(), self._probe()) for _ in range(count)]

    def _message(self) -> Message:
        if self._random.random() < self.queue_share:
            self._pending = self._growing_queue()
        if self._pending:
            return self._pending.pop(0)
        kind = self._random.choices(list(MESSAGE_WEIGHTS), self.weights)[0]
        match kind:
            case "place":
                return self._place()
            case "cancel":
                return self._cancel()
            case "lower":
                return Lower(self._recent_id(), self._random.randint(0, 99))
            case "succeed":
                return self._succeed()
            case "quote":
                return self._quote()
            case "print":
                return self._print()
            case "wait":
                return self._wait()
            case _:
                return Restart()

    def _growing_queue(self) -> list[Message]:
        """Orders join one price while the street there grows, then something runs into them."""
        draw = self._random
        side, aggressor = draw.choice((("BUY", "SELL"), ("SELL", "BUY")))
        price = self.middle + (0 if side == "BUY" else 1)
        shown, story = 0, list[Message]()
        for _ in range(draw.randint(1, 3)):
            shown += draw.randint(1, self.quantity_max)
            level = ((price, shown),)
            bids, asks = (level, ()) if side == "BUY" else ((), level)
            story.append(Quote(bids, asks, 0))
            story.append(self._order(side, price, self._quantity(), "GTC"))
        run = draw.randint(1, 2 * shown + self.quantity_max)
        if draw.random() < 0.5:
            return [*story, Print(price, run, aggressor)]
        return [*story, self._order(aggressor, price, run, "IOC")]

    def _place(self) -> Place:
        draw = self._random
        side = self._side()
        limit = None if draw.random() < self.market_share else self._limit(side)
        time_in_force = draw.choices(TIMES_IN_FORCE, self.time_in_force_weights)[0]
        return self._order(side, limit, self._quantity(), time_in_force)

    def _order(self, side: str, limit: int | None, quantity: int, time_in_force: str) -> Place:
        self._placed += 1
        order_id = UUID(int=self._placed)
        if self._known_ids and self._random.random() < 0.03:
            order_id = self._known_id()
        if time_in_force in ("GTC", "DAY") or self._random.random() < 0.1:
            self._known_ids.append(order_id)
        owner_id = self._random.randint(1, self.accounts)
        mode = "REJECT"
        if self._random.random() < self.stp_share:
            mode = self._random.choice(("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"))
        return Place(
            Incoming(order_id, owner_id, side, quantity, limit, time_in_force, stp_mode=mode)
        )

    def _cancel(self) -> Cancel:
        return Cancel(self._recent_id())

    def _succeed(self) -> Succeed:
        old_id = self._recent_id()
        self._placed += 1
        self._known_ids.append(UUID(int=self._placed))
        return Succeed(old_id, self._known_ids[-1], self._random.choice((0, 50, 100)))

    def _recent_id(self) -> UUID:
        return self._known_id() if self._known_ids else UUID(int=0)

    def _quote(self) -> Quote:
        draw = self._random
        if draw.random() < self.drift_share:
            self.middle += draw.choice((-1, 1))
        ask = self.middle + 1
        if draw.random() < self.jitter_share:
            ask += draw.randint(-self.ticks // 2, self.ticks // 2)
        bid = ask - draw.choice(SPREADS)
        age_ns = 0
        if draw.random() < self.late_share:
            age_ns = draw.choice((STREET_TTL_NS - 1, STREET_TTL_NS, STREET_TTL_NS + 1))
        bids, asks = self._street_side(bid, -1), self._street_side(ask, 1)
        if draw.random() < 0.02:
            bids, asks = draw.choice(((self._damaged(bids), asks), (bids, self._damaged(asks))))
        return Quote(bids, asks, age_ns)

    def _damaged(self, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        """What a broken feed sends: a level without quantity or price, out of order, too many."""
        first = levels[0] if levels else (self.middle, 1)
        return self._random.choice(
            (
                (*levels, (first[0], 1)),
                ((first[0], 0), *levels[1:]),
                (*levels[:-1], (first[0], -1)),
                (*levels, (0, 1)),
                tuple(reversed((*levels, *levels[:1]))),
                tuple((first[0] + step, 1) for step in range(11)),
                tuple((first[0] - step, 1) for step in range(11)),
            )
        )

    def _print(self) -> Print:
        aggressor = self._side()
        distance = self._random.choice((-2, -1, 0, 0, 0, 0, 1, 1, 2))
        price = self.middle + (1 + distance if aggressor == "BUY" else -distance)
        quantity_max = self._random.choice((self.quantity_max, self.street_quantity_max))
        return Print(price, self._random.randint(1, 2 * quantity_max), aggressor)

    def _street_side(self, price: int, step: int) -> tuple[Level, ...]:
        """Contiguous levels but for a few holes; most of them as they were last shown."""
        count = 0 if self._random.random() < 0.05 else self.street_levels
        levels = []
        for _ in range(count):
            if price not in self._shown or self._random.random() < self.street_churn:
                grown = self._shown.get(price, 0) if self._random.random() < 0.7 else 0
                grown = grown if grown < 5 * self.street_quantity_max else 0
                self._shown[price] = grown + self._random.randint(1, self.street_quantity_max)
            levels.append((price, self._shown[price]))
            price += 2 * step if self._random.random() < 0.05 else step
        return tuple(levels)

    def _wait(self) -> Wait:
        exact = (STREET_TTL_NS - 1, STREET_TTL_NS, STREET_TTL_NS + 1)
        if self._random.random() < 0.05:
            return Wait(self._random.choice(exact))
        return Wait(self._random.randint(0, self.wait_max_ns))

    def _probe(self) -> Probe:
        draw = self._random
        side = self._side()
        limit = None if draw.random() < 0.2 else self._price()
        quantity = draw.choice((1, self._quantity(), 10_000))
        return Probe(draw.randint(1, self.accounts), side, limit, quantity, draw.randint(1, 12))

    def _side(self) -> str:
        return self._random.choice(("BUY", "SELL"))

    def _quantity(self) -> int:
        if self._random.random() < self.large_share:
            return self._random.randint(1, 20 * self.quantity_max)
        return self._random.randint(1, self.quantity_max)

    def _price(self) -> int:
        return self.middle + self._random.randint(-self.ticks, self.ticks)

    def _limit(self, side: str) -> int:
        """Mostly on the order's own side of the middle, where it rests, and mostly near it."""
        distance = min(self._random.randint(0, self.ticks), self._random.randint(0, self.ticks))
        passive = self._random.random() < self.passive_share
        below = (side == "BUY") == passive
        return self.middle - distance if below else self.middle + 1 + distance

    def _known_id(self) -> UUID:
        """Mostly a recent order, sometimes a very old one."""
        if self._random.random() < 0.1:
            return self._random.choice(self._known_ids)
        return self._random.choice(self._known_ids[-2 * self.resting_max :])
