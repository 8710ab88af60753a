"""What the slow engine knows: instruments, orders, books, and the ledger in fractions.

Money is a Fraction of the currency, prices and quantities are whole ticks and lots. What an account
holds is never kept: it is added up from its open orders each time it is asked for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from uuid import UUID

from orders.domain import commands
from tests.reference.book import ReferenceBook
from tests.reference.fees import Fees, fee_on
from tests.reference.hours import Hours
from tests.reference.margin import Margin, up
from tests.reference.stops import Elections
from tests.reference.trading import LimitRules, TradingRules

HOUSE, STREET = "house", "street"
UNIT = Fraction(1, 10**8)
ZERO = Fraction(0)

Told = tuple[object, ...]
"""An event: kind, account, order, status, filled lots, fill (price, lots, side, fee), total,
locked, lots asked for."""


@dataclass(eq=False)
class Terms:
    """An instrument's grid and bounds, as a person would write them."""

    symbol: str
    tick: Fraction
    lot: Fraction
    smallest_value: Fraction
    band_bps: int = 500
    calendar: str | None = None
    follows_feed: bool = False

    def __post_init__(self) -> None:
        self.each = self.tick * self.lot
        """What a lot costs at a price of one tick."""


@dataclass(eq=False)
class Holding:
    """One account's position in one instrument: lots, cost, realized profit."""

    lots: int = 0
    cost: Fraction = Fraction(0)
    realized: Fraction = Fraction(0)


@dataclass(eq=False)
class Order:
    id: UUID
    account: int
    terms: Terms
    side: str
    limit: int | None
    stop: int | None
    quantity: int
    time_in_force: str
    expires_ns: int | None
    asked: commands.SubmitOrder
    elected: bool = False
    strategy: str | None = None
    key: str = ""
    is_market: bool = False
    time: int = 0
    status: str = "ACCEPTED"
    reason: str | None = None
    filled: int = 0
    fee_cap: Fraction = Fraction(0)
    prevented: int = 0
    stp_mode: str = "REJECT"
    opens: bool = True
    share: Fraction = Fraction(1)
    basis: int | None = None
    display: int = 0
    shown: int = 0
    """Of an order that hides a part, while it rests (I2)."""

    mark: int | None = None
    trail: Fraction | None = None
    """Ticks; of the mark, when it is below one."""
    group: UUID | None = None
    part: str = ""
    set_aside: int = 0
    held: tuple[object, Fraction] | None = None
    """What `held_cash` found last, and for what."""

    @property
    def distance(self) -> int:
        """G2."""
        assert self.trail is not None and self.mark is not None
        return int(self.trail) if self.trail >= 1 else ceil(self.mark * self.trail)

    @property
    def symbol(self) -> str:
        return self.terms.symbol

    @property
    def is_open(self) -> bool:
        return self.status in ("HELD", "QUEUED", "ACCEPTED", "TRIGGERED", "PARTIALLY_FILLED")

    @property
    def waits(self) -> bool:
        return self.stop is not None and not self.elected

    @property
    def leaves(self) -> int:
        return self.quantity - self.filled - self.prevented if self.is_open else 0


@dataclass
class Refused(Exception):
    reason: str


@dataclass
class ReferenceState:
    """`cash_accounts` are the users' accounts; the house and the street are two more. At most
    `max_elections` stops enter after one command (E3).
    """

    terms: Sequence[Terms]
    cash_accounts: Sequence[int]
    cash: dict[object, Fraction] = field(default_factory=dict)
    holdings: dict[tuple[object, str], Holding] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    transfers: list[tuple[object, object, Fraction]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    books: dict[str, ReferenceBook] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    sessions: dict[UUID, int] = field(default_factory=dict)
    """Whose each open session is."""

    watched: list[tuple[str, int, int]] = field(default_factory=list)
    hours: Hours = field(default_factory=Hours)
    elections: Elections[Order] = field(default_factory=Elections)
    owners: dict[int, int] = field(default_factory=dict)
    """Whose an account is; its own where nothing is said."""
    stp_modes: dict[int, str] = field(default_factory=dict)
    margin: Margin = field(default_factory=Margin)
    limits: LimitRules = field(default_factory=LimitRules)
    suspended: set[int] = field(default_factory=set)
    judged_beside: list[Order] = field(default_factory=list)
    """They hold nothing while their mate's replace is judged, and count all the same (N10)."""

    told_before: Counter[object] = field(default_factory=Counter)
    """How many events each account had before the command."""

    marks: set[str] = field(default_factory=set)
    """What the last command met, for those who count situations."""
    fees: Fees = field(default_factory=Fees)
    max_elections: int = 1_000
    now_ns: int = 0
    times: int = 0
    auction_sides: list[int] = field(default_factory=list)
    """Of each trade of an auction since the command began: how many users had part in it."""

    def __post_init__(self) -> None:
        self.trading = TradingRules([terms.symbol for terms in self.terms], self.cash_accounts)
        for account in (HOUSE, STREET, *self.cash_accounts):
            self.cash[account] = Fraction(0)
        for terms in self.terms:
            self.books[terms.symbol] = ReferenceBook()
            self.states[terms.symbol] = "OPEN"

    def owner(self, account: int) -> int:
        return self.owners.get(account, account)

    def find(self, symbol: str) -> Terms | None:
        for terms in self.terms:
            if symbol in (terms.symbol, terms.symbol.replace("/", "")):
                return terms
        return None

    def market(self, terms: Terms) -> str:
        """K3: what the calendar says goes before what was set."""
        if terms.calendar is not None and not self.hours.is_open(terms.calendar, self.now_ns):
            return "CLOSED"
        return self.states[terms.symbol]

    def holding(self, account: object, symbol: str) -> Holding:
        return self.holdings.setdefault((account, symbol), Holding())

    def open_orders(self, account: int) -> list[Order]:
        return [order for order in self.orders if order.account == account and order.is_open]

    def locked_cash(self, account: object) -> Fraction:
        """Every open order that opens holds what it may still need (H3, L6)."""
        return sum((held_cash(order) for order in self.orders if order.account == account), ZERO)

    def locked_lots(self, account: object, symbol: str) -> int:
        """Every open order that closes holds what it may still close."""
        return sum(
            self.claim(order)
            for order in self.orders
            if order.account == account
            and not order.opens
            and order.terms.symbol == symbol
            and (order.limit is not None or order.stop is not None)
        )

    def mates(self, order: Order) -> list[Order]:
        """The other open orders of its group (N1)."""
        return [
            other
            for other in self.orders
            if order.group is not None
            and other.group == order.group
            and other is not order
            and other.is_open
        ]

    def claim(self, order: Order) -> int:
        """N4: what it may take of a position; a pair's stop nothing, a held leg what was filled."""
        is_second = order.part == "STOP_LOSS" and any(
            mate.part == "TAKE_PROFIT" for mate in self.mates(order)
        )
        if is_second:
            return 0
        return order.set_aside if order.status == "HELD" else order.leaves

    def pay(self, order: Order, other: object, price: int, lots: int) -> None:
        """The buyer pays the seller. The cash of each is moved when its own side is settled."""
        buyer, seller = (order.account, other) if order.side == "BUY" else (other, order.account)
        amount = price * lots * order.terms.each
        self.transfers.append((buyer, seller, amount))
        if other == STREET:
            self.cash[STREET] += amount if seller == STREET else -amount

    def trade_position(
        self, account: object, terms: Terms, is_buy: bool, price: int, lots: int
    ) -> None:
        """Average cost: what closes takes its share of the cost, cut to the unit toward zero."""
        holding = self.holding(account, terms.symbol)
        each = price * terms.each
        sign = 1 if is_buy else -1
        closing = min(lots, max(0, -sign * holding.lots))
        if closing:
            share = toward_zero(holding.cost * closing / abs(holding.lots))
            holding.realized += -sign * each * closing - share
            holding.cost -= share
        holding.cost += sign * each * (lots - closing)
        holding.lots += sign * lots


def held_cash(order: Order) -> Fraction:
    """What the order holds of the account's cash, worked out anew when its terms have changed."""
    price = order.basis or order.limit
    if not order.opens or price is None or not order.leaves:
        return ZERO
    terms = (price, order.leaves, order.share, order.fee_cap)
    if order.held is None or order.held[0] != terms:
        amount = price * order.leaves * order.terms.each
        order.held = terms, up(amount * order.share) + fee_on(amount, order.fee_cap)
    return order.held[1]


def with_fee(order: Order, amount: Fraction) -> Fraction:
    """H3: what must be there to pay this amount."""
    return amount + fee_on(amount, order.fee_cap)


def whole(value: Decimal, step: Fraction) -> int | None:
    """How many steps `value` is, or None when it is not a whole number of them."""
    above, below = value.as_integer_ratio()
    steps, rest = divmod(above * step.denominator, below * step.numerator)
    return None if rest else steps


def toward_zero(amount: Fraction) -> Fraction:
    """`amount` cut to whole units of 10^-8."""
    units = floor(abs(amount) / UNIT) * UNIT
    return units if amount >= 0 else -units
