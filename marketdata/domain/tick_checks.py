"""What is wrong with a tick, by stated rules (docs/feeds.md): one checker a source.

Every tick of a source passes here before anything sees it. Nothing is corrected: a tick goes on as
it came, or it does not go on, and each rule counts what it met.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from core.domain.clock import NANOSECONDS_PER_SECOND
from core.domain.words import Word
from marketdata.domain.bars import DAY_NS, Bar
from marketdata.domain.e8 import LARGEST_E8, from_e8
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import Quote, Tick, Trade


class Effect(Word):
    """What becomes of a tick that a rule met."""

    REFUSED = "REFUSED"
    HELD = "HELD"
    COUNTED = "COUNTED"


class Rule(Word):
    """The rules, in the order in which they are asked."""

    FUTURE = "FUTURE"
    ANCIENT = "ANCIENT"
    NOT_STORABLE = "NOT_STORABLE"
    NOT_POSITIVE = "NOT_POSITIVE"
    CROSSED = "CROSSED"
    DUPLICATE = "DUPLICATE"
    OLD_QUOTE = "OLD_QUOTE"
    OLD_TRADE = "OLD_TRADE"
    GAP = "GAP"
    SPIKE = "SPIKE"
    SPIKE_CONFIRMED = "SPIKE_CONFIRMED"


class Wording(NamedTuple):
    effect: Effect
    sentence: str


RULES: Final[dict[Rule, Wording]] = {
    Rule.FUTURE: Wording(
        Effect.REFUSED, "Its time is more than 5 s ahead of our clock: one of the clocks is wrong."
    ),
    Rule.ANCIENT: Wording(
        Effect.REFUSED,
        "Its time is more than 366 days ago: a source's last state may be old, but not so old.",
    ),
    Rule.NOT_STORABLE: Wording(
        Effect.REFUSED,
        "A price or a size is no number, or above 92 233 720 368, the most that the store holds.",
    ),
    Rule.NOT_POSITIVE: Wording(Effect.REFUSED, "A price or a size is zero or below."),
    Rule.CROSSED: Wording(
        Effect.REFUSED,
        "The best bid is above the best ask: no price to show. Bid and ask may be equal.",
    ),
    Rule.DUPLICATE: Wording(
        Effect.REFUSED,
        "The trade's number was seen, or the quote repeats the newest in every level and its time.",
    ),
    Rule.OLD_QUOTE: Wording(
        Effect.REFUSED, "The quote is older than the newest one: a newer state is known."
    ),
    Rule.OLD_TRADE: Wording(
        Effect.COUNTED,
        "The trade is older than the newest one: a fact all the same; the rule for late trades"
        " says which bars still take it (docs/bars.md).",
    ),
    Rule.GAP: Wording(
        Effect.COUNTED, "The source skipped numbers, each of them a message that never came."
    ),
    Rule.SPIKE: Wording(
        Effect.HELD,
        "The price is more than twice or less than half the last good one of the past minute: held"
        " back until a second tick of another time stands within a tenth of it.",
    ),
    Rule.SPIKE_CONFIRMED: Wording(
        Effect.COUNTED,
        "A second tick confirmed the price that was held back: both go on, and it is the new good"
        " one.",
    ),
}
"""Of every rule what it does, and the sentence that operators read."""

EFFECTS: Final[dict[Rule, Effect]] = {rule: wording.effect for rule, wording in RULES.items()}
FUTURE_NS: Final = 5 * NANOSECONDS_PER_SECOND
ANCIENT_NS: Final = 366 * DAY_NS
"""An instrument that trades once in months is told with its last trade; older times are mistakes,
and far older ones no calendar holds.
"""
LARGEST: Final = from_e8(LARGEST_E8)
SPIKE_WINDOW_NS: Final = 60 * NANOSECONDS_PER_SECOND
SPIKE_FACTOR: Final = 2
NO_PRICE: Final = int(TradeFlag.NO_PRICE)
NEAR_TENTHS: Final = (9, 11)
"""Two prices confirm each other when one is 9 to 11 tenths of the other."""
KNOWN_TRADES: Final = 4_096
"""Numbers of the newest trades remembered for each instrument: a source that signs in again tells
at most a few hundred anew.
"""


@dataclass(slots=True)
class _Seen:
    """What was seen of one instrument."""

    quote: Quote | None = None
    trade_ns: int = 0
    trade_id: int | None = None
    good: Decimal | None = None
    good_ns: int = 0
    held: Tick | None = None
    held_price: Decimal | None = None


class TickChecks:
    """The state that the rules need of one source, and their counters."""

    def __init__(self, *, has_consecutive_ids: bool = False) -> None:
        """`has_consecutive_ids`: the source says that each trade's number is the last one's plus
        one within its instrument, so that a jump is a gap.
        """
        self._consecutive = has_consecutive_ids
        self._seen: dict[str, _Seen] = {}
        self._ids: dict[str, tuple[deque[int], set[int]]] = {}
        self.counts: Counter[Rule] = Counter()

    def check(self, tick: Tick, now_ns: int) -> tuple[Tick, ...]:
        """The ticks that may go on now: `tick` as it came, after the one that it confirms; or none.

        Prices of trades that move no price (TradeFlag.NO_PRICE) are no spikes.
        """
        symbol = tick.symbol
        seen = self._seen.get(symbol)
        if seen is None:
            seen = self._seen[symbol] = _Seen()
        rule, price = self._check_time(tick.t_ns, now_ns), None
        if rule is None:
            try:
                if isinstance(tick, Quote):
                    rule, price = self._check_quote(tick, seen)
                else:
                    rule, price = self._check_trade(tick, seen)
            except InvalidOperation:  # NaN compares with nothing
                rule = Rule.NOT_STORABLE
        if rule is not None:
            self.counts[rule] += 1
            return ()
        if price is None:
            return (tick,)
        return self._check_price(tick, price, seen)

    def accepts(self, bar: Bar, now_ns: int) -> bool:
        """Whether a closed minute that the source told whole may go on."""
        prices = (bar.open, bar.high, bar.low, bar.close)
        rule = self._check_time(bar.start_ns, now_ns)
        if rule is None and not all(value.is_finite() for value in (*prices, bar.volume)):
            rule = Rule.NOT_STORABLE
        if rule is None and max(*prices, bar.volume) > LARGEST:
            rule = Rule.NOT_STORABLE
        if rule is None and (min(prices) <= 0 or bar.volume < 0):
            rule = Rule.NOT_POSITIVE
        if rule is not None:
            self.counts[rule] += 1
        return rule is None

    def note_gap(self, missed: int) -> None:
        """The source's own numbering has a hole of `missed` messages."""
        self.counts[Rule.GAP] += missed

    def start_anew(self) -> None:
        """The source was away: what it held back is not confirmed by what it says now, and its
        numbers may jump.
        """
        for seen in self._seen.values():
            seen.held = seen.held_price = seen.trade_id = None

    @property
    def refused(self) -> dict[str, int]:
        """How many ticks each rule has kept from going on."""
        return {
            rule.value: count
            for rule, count in self.counts.items()
            if EFFECTS[rule] is not Effect.COUNTED
        }

    def _check_time(self, t_ns: int, now_ns: int) -> Rule | None:
        if t_ns > now_ns + FUTURE_NS:
            return Rule.FUTURE
        return Rule.ANCIENT if t_ns < now_ns - ANCIENT_NS or t_ns < 0 else None

    def _check_quote(self, quote: Quote, seen: _Seen) -> tuple[Rule | None, Decimal | None]:
        bids, asks = quote.bids, quote.asks
        rule = _fault(bids) or _fault(asks)
        if rule is not None:
            return rule, None
        if bids and asks and bids[0][0] > asks[0][0]:
            return Rule.CROSSED, None
        newest = seen.quote
        if newest is not None and quote.t_ns <= newest.t_ns:
            if quote.t_ns < newest.t_ns:
                return Rule.OLD_QUOTE, None
            if quote.bids == newest.bids and quote.asks == newest.asks:
                return Rule.DUPLICATE, None
        seen.quote = quote
        if bids and asks:
            return None, (bids[0][0] + asks[0][0]) / 2
        return None, (bids or asks)[0][0] if bids or asks else None

    def _check_trade(self, trade: Trade, seen: _Seen) -> tuple[Rule | None, Decimal | None]:
        rule = _fault(((trade.price, trade.size),))
        if rule is not None:
            return rule, None
        if not self._is_new(trade):
            return Rule.DUPLICATE, None
        if self._consecutive:
            if seen.trade_id is not None and trade.trade_id > seen.trade_id + 1:
                self.counts[Rule.GAP] += trade.trade_id - seen.trade_id - 1
            seen.trade_id = max(trade.trade_id, seen.trade_id or 0)
        if trade.t_ns < seen.trade_ns:
            self.counts[Rule.OLD_TRADE] += 1
        else:
            seen.trade_ns = trade.t_ns
        return None, None if trade.flags & NO_PRICE else trade.price

    def _is_new(self, trade: Trade) -> bool:
        known = self._ids.get(trade.symbol)
        if known is None:
            known = self._ids[trade.symbol] = (deque(), set())
        line, ids = known
        if trade.trade_id in ids:
            return False
        ids.add(trade.trade_id)
        line.append(trade.trade_id)
        if len(line) > KNOWN_TRADES:
            ids.discard(line.popleft())
        return True

    def _check_price(self, tick: Tick, price: Decimal, seen: _Seen) -> tuple[Tick, ...]:
        good = seen.good
        if (
            good is None
            or tick.t_ns - seen.good_ns > SPIKE_WINDOW_NS
            or (price <= good * SPIKE_FACTOR and good <= price * SPIKE_FACTOR)
        ):
            seen.good = price
            if tick.t_ns > seen.good_ns:
                seen.good_ns = tick.t_ns
            seen.held = seen.held_price = None
            return (tick,)
        held, held_price = seen.held, seen.held_price
        if held is not None and held_price is not None and held.t_ns != tick.t_ns:
            low, high = NEAR_TENTHS
            if low * held_price <= 10 * price <= high * held_price:
                self.counts[Rule.SPIKE_CONFIRMED] += 1
                seen.good, seen.good_ns = price, tick.t_ns
                seen.held = seen.held_price = None
                return (held, tick)
        self.counts[Rule.SPIKE] += 1
        seen.held, seen.held_price = tick, price
        return ()


def _fault(levels: Iterable[tuple[Decimal, Decimal]]) -> Rule | None:
    """What is wrong with the numbers. Asked of every quote: one comparison each when nothing is."""
    for price, size in levels:
        if not (0 < price <= LARGEST and 0 < size <= LARGEST):
            return Rule.NOT_STORABLE if max(price, size) > LARGEST else Rule.NOT_POSITIVE
    return None
