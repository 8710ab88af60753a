"""The slow, obvious engine: books and ledger by the rules, in fractions, with lists scanned anew.

Written from docs/matching.md and the rules of orders, not from orders/engine. Money is a Fraction
of the currency, prices and quantities are whole ticks and lots. What is held is never kept: it is
added up from the open orders each time it is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import floor
from uuid import UUID

from orders.domain import commands
from tests.reference.book import ReferenceBook, StreetFill
from tests.reference.placing import Incoming, Outcome, place

HOUSE, STREET = "house", "street"
DAY_NS = 86_400 * 10**9
UNIT = Fraction(1, 10**8)

Told = tuple[object, ...]
"""An event: kind, account, order, status, filled lots, fill (price, lots, side), total, locked."""


@dataclass(frozen=True)
class Terms:
    """An instrument's grid and bounds, as a person would write them."""

    symbol: str
    tick: Fraction
    lot: Fraction
    smallest_value: Fraction


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
    quantity: int
    expires_ns: int | None
    status: str = "ACCEPTED"
    reason: str | None = None
    filled: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in ("ACCEPTED", "PARTIALLY_FILLED")

    @property
    def leaves(self) -> int:
        return self.quantity - self.filled if self.is_open else 0


@dataclass
class Refused(Exception):
    reason: str


@dataclass
class ReferenceEngine:
    """`cash_accounts` are the users' accounts; the house and the street are two more."""

    terms: Sequence[Terms]
    cash_accounts: Sequence[int]
    cash: dict[object, Fraction] = field(default_factory=dict)
    holdings: dict[tuple[object, str], Holding] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    transfers: list[tuple[object, object, Fraction]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    books: dict[str, ReferenceBook] = field(default_factory=dict)
    halted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for account in (HOUSE, STREET, *self.cash_accounts):
            self.cash[account] = Fraction(0)
        for terms in self.terms:
            self.books[terms.symbol] = ReferenceBook()

    def apply(self, command: commands.AnyCommand, now_ns: int) -> object:
        """What the engine must answer: a reason that refuses, or what became of the orders."""
        self.told = []
        self.orders = [order for order in self.orders if order.is_open]  # the ended are history
        try:
            match command:
                case commands.SubmitOrder():
                    return self._submit(command, now_ns)
                case commands.CancelOrder():
                    return self._cancel(command)
                case commands.CancelAllOrders():
                    return [self._end(order, "USER_REQUESTED") for order in self._open(command)]
                case commands.ExpireOrders():
                    return [self._end(order, "DAY_END") for order in self._due(now_ns)]
                case commands.MoveCash():
                    return self._move_cash(command)
                case commands.SetInstrumentStatus():
                    return self._set_status(command)
                case commands.QuoteStreet():
                    return self._quote(command, now_ns)
                case commands.PrintStreetTrade():
                    return self._print(command, now_ns)
        except Refused as refused:
            return refused.reason
        raise AssertionError(command)

    # --- what an account has

    def holding(self, account: object, symbol: str) -> Holding:
        return self.holdings.setdefault((account, symbol), Holding())

    def open_orders(self, account: int) -> list[Order]:
        return [order for order in self.orders if order.account == account and order.is_open]

    def locked_cash(self, account: object) -> Fraction:
        """Every open buy order holds its limit for what it may still buy."""
        return sum(
            (
                order.limit * order.terms.tick * order.leaves * order.terms.lot
                for order in self.orders
                if order.account == account and order.side == "BUY" and order.limit is not None
            ),
            Fraction(0),
        )

    def locked_lots(self, account: object, symbol: str) -> int:
        """Every open sell order holds what it may still sell."""
        return sum(
            order.leaves
            for order in self.orders
            if order.account == account
            and order.side == "SELL"
            and order.terms.symbol == symbol
            and order.limit is not None
        )

    # --- orders

    def _submit(self, command: commands.SubmitOrder, now_ns: int) -> object:
        terms = self._terms(command)
        quantity = whole(command.quantity, terms.lot)
        limit = None if command.limit_price is None else whole(command.limit_price, terms.tick)
        assert quantity is not None
        book = self.books[terms.symbol]
        side, kind = command.side.value, command.time_in_force.value
        self._check(command, terms, quantity, limit, now_ns)
        order = Order(
            id=command.order_id,
            account=command.account_id,
            terms=terms,
            side=side,
            limit=limit,
            quantity=quantity,
            expires_ns=(now_ns // DAY_NS + 1) * DAY_NS if kind == "DAY" else None,
        )
        self.orders.append(order)
        self._tell("OrderAccepted", order)
        incoming = Incoming(order.id, order.account, side, quantity, limit, kind)
        self._settle(order, place(book, incoming, now_ns))
        return self._seen(order)

    def _terms(self, command: commands.SubmitOrder) -> Terms:
        """The instrument, once account, symbol, quantity and price are such as it takes."""
        if command.account_id not in self.cash_accounts:
            raise Refused("ACCOUNT_UNKNOWN")
        terms = self._find(command.symbol)
        if terms is None:
            raise Refused("INSTRUMENT_UNKNOWN")
        if not 0 < command.quantity <= 100_000_000:
            raise Refused("QUANTITY_OUT_OF_RANGE")
        if whole(command.quantity, terms.lot) is None:
            raise Refused("QUANTITY_OFF_LOT")
        price = command.limit_price
        if command.type.value == "MARKET":
            if price is not None:
                raise Refused("PRICE_NOT_ALLOWED")
            return terms
        if price is None:
            raise Refused("PRICE_REQUIRED")
        if not 0 < price <= 10_000_000:
            raise Refused("PRICE_OUT_OF_RANGE")
        if whole(price, terms.tick) is None:
            raise Refused("PRICE_OFF_TICK")
        return terms

    def _check(
        self,
        command: commands.SubmitOrder,
        terms: Terms,
        quantity: int,
        limit: int | None,
        now_ns: int,
    ) -> None:
        """Market, value, own orders, means: in this order."""
        account, side, book = command.account_id, command.side.value, self.books[terms.symbol]
        if terms.symbol in self.halted:
            raise Refused("INSTRUMENT_HALTED")
        paid = quantity * (limit or 0)
        if limit is None:
            takeable, paid = book.takeable(side, None, quantity, now_ns)
            if takeable == 0:
                raise Refused("LIQUIDITY_NONE")
        value = paid * terms.tick * terms.lot
        if value > 1_000_000_000:
            raise Refused("NOTIONAL_ABOVE_MAXIMUM")
        if value < terms.smallest_value:
            raise Refused("NOTIONAL_BELOW_MINIMUM")
        self._check_proceeds(terms, side, quantity, limit, now_ns)
        if book.would_self_trade(account, side, limit):
            raise Refused("SELF_TRADE")
        if side == "BUY" and value > self.cash[account] - self.locked_cash(account):
            raise Refused("FUNDS_INSUFFICIENT")
        free = self.holding(account, terms.symbol).lots - self.locked_lots(account, terms.symbol)
        if side == "SELL" and quantity > free:
            raise Refused("POSITION_INSUFFICIENT")

    def _check_proceeds(
        self, terms: Terms, side: str, quantity: int, limit: int | None, now_ns: int
    ) -> None:
        """What a sell would bring: the bids it reaches, and its limit for what is left."""
        if side == "BUY" or limit is None:
            return
        takeable, paid = self.books[terms.symbol].takeable(side, limit, quantity, now_ns)
        if (paid + (quantity - takeable) * limit) * terms.tick * terms.lot > 1_000_000_000:
            raise Refused("NOTIONAL_ABOVE_MAXIMUM")

    def _settle(self, taker: Order, outcome: Outcome) -> None:
        for maker_id, _, price, lots, _ in outcome.fills:
            makers = [order for order in self.orders if order.id == maker_id and order.is_open]
            other: object = STREET
            if maker_id is None:
                self._trade_position(STREET, taker.terms, taker.side != "BUY", price, lots)
            else:
                (maker,) = makers
                other = maker.account
            self._pay(taker, other, price, lots)
            for order in (*makers, taker):
                self._fill(order, price, lots)
        if outcome.reason is not None:
            self._end(taker, outcome.reason)

    def _pay(self, order: Order, other: object, price: int, lots: int) -> None:
        """The buyer pays the seller. The cash of each is moved when its own side is settled."""
        buyer, seller = (order.account, other) if order.side == "BUY" else (other, order.account)
        amount = price * order.terms.tick * lots * order.terms.lot
        self.transfers.append((buyer, seller, amount))
        if other == STREET:
            self.cash[STREET] += amount if seller == STREET else -amount

    def _fill(self, order: Order, price: int, lots: int) -> None:
        amount = price * order.terms.tick * lots * order.terms.lot
        self.cash[order.account] += amount if order.side == "SELL" else -amount
        self._trade_position(order.account, order.terms, order.side == "BUY", price, lots)
        order.filled += lots
        is_last = order.filled == order.quantity
        order.status = "FILLED" if is_last else "PARTIALLY_FILLED"
        kind = "OrderFilled" if is_last else "OrderPartiallyFilled"
        self._tell(kind, order, (price, lots, order.side))

    def _trade_position(
        self, account: object, terms: Terms, is_buy: bool, price: int, lots: int
    ) -> None:
        """Average cost: what closes takes its share of the cost, cut to the unit toward zero."""
        holding = self.holding(account, terms.symbol)
        each = price * terms.tick * terms.lot
        sign = 1 if is_buy else -1
        closing = min(lots, max(0, -sign * holding.lots))
        if closing:
            share = toward_zero(holding.cost * closing / abs(holding.lots))
            holding.realized += -sign * each * closing - share
            holding.cost -= share
        holding.cost += sign * each * (lots - closing)
        holding.lots += sign * lots

    def _cancel(self, command: commands.CancelOrder) -> object:
        for order in self.open_orders(command.account_id):
            if order.id == command.order_id:
                return [self._end(order, "USER_REQUESTED")]
        raise Refused("ORDER_NOT_OPEN")

    def _open(self, command: commands.CancelAllOrders) -> list[Order]:
        return self.open_orders(command.account_id)

    def _due(self, now_ns: int) -> list[Order]:
        return [
            order
            for order in self.orders
            if order.is_open and order.expires_ns is not None and order.expires_ns <= now_ns
        ]

    def _end(self, order: Order, reason: str) -> object:
        self.books[order.terms.symbol].cancel(order.id)
        order.status = "EXPIRED" if reason == "DAY_END" else "CANCELED"
        order.reason = reason
        self._tell("OrderExpired" if reason == "DAY_END" else "OrderCanceled", order)
        return self._seen(order)

    # --- cash, halts, the street

    def _move_cash(self, command: commands.MoveCash) -> object:
        amount, account = Fraction(command.amount), command.account_id
        if account not in self.cash_accounts:
            raise Refused("ACCOUNT_UNKNOWN")
        if not amount or abs(amount) > 10_000_000_000 or amount % UNIT:
            raise Refused("AMOUNT_INVALID")
        if -amount > self.cash[account] - self.locked_cash(account):
            raise Refused("FUNDS_INSUFFICIENT")
        self.cash[account] += amount
        self.cash[HOUSE] -= amount
        payer, payee = (HOUSE, account) if amount > 0 else (account, HOUSE)
        self.transfers.append((payer, payee, abs(amount)))
        kind = "CashDeposited" if command.kind == "DEPOSIT" else "CashAdjusted"
        self.told.append((kind, account, self.cash[account], self.locked_cash(account)))
        return "BALANCE"

    def _set_status(self, command: commands.SetInstrumentStatus) -> object:
        terms = self._find(command.symbol)
        if terms is None:
            raise Refused("INSTRUMENT_UNKNOWN")
        if command.status == "OPEN":
            self.halted.discard(terms.symbol)
        else:
            self.halted.add(terms.symbol)
        return "DONE"

    def _quote(self, command: commands.QuoteStreet, now_ns: int) -> object:
        terms = self._find(command.symbol)
        if terms is None or terms.symbol in self.halted:
            return "DONE"
        sides = []
        for levels in (command.bids, command.asks):
            whole_levels = [(whole(p, terms.tick), whole(q, terms.lot)) for p, q in levels]
            if any(None in level for level in whole_levels):
                return "DONE"  # off the grid: never guessed at
            sides.append([(p, q) for p, q in whole_levels if p is not None and q is not None])
        bids, asks = sides
        self._street_fills(self.books[terms.symbol].set_street(bids, asks, now_ns, now_ns))
        return "DONE"

    def _print(self, command: commands.PrintStreetTrade, now_ns: int) -> object:
        terms = self._find(command.symbol)
        if terms is None or terms.symbol in self.halted:
            return "DONE"
        price, lots = whole(command.price, terms.tick), whole(command.quantity, terms.lot)
        if price is None or lots is None or price <= 0 or lots <= 0:
            return "DONE"
        book = self.books[terms.symbol]
        self._street_fills(book.street_trade(price, lots, command.aggressor.value, now_ns))
        return "DONE"

    def _street_fills(self, fills: Iterable[StreetFill]) -> None:
        """M1, M2: resting orders trade with the street at their own price."""
        for order_id, price, lots, _ in fills:
            (order,) = [order for order in self.orders if order.id == order_id and order.is_open]
            self._trade_position(STREET, order.terms, order.side != "BUY", price, lots)
            self._pay(order, STREET, price, lots)
            self._fill(order, price, lots)

    # --- telling

    def _find(self, symbol: str) -> Terms | None:
        for terms in self.terms:
            if symbol in (terms.symbol, terms.symbol.replace("/", "")):
                return terms
        return None

    def _tell(self, kind: str, order: Order, fill: Told | None = None) -> None:
        total, locked = self.cash[order.account], self.locked_cash(order.account)
        self.told.append(
            (kind, order.account, order.id, order.status, order.filled, fill, total, locked)
        )

    def _seen(self, order: Order) -> object:
        return (order.id, order.status, order.filled, order.reason)


def whole(value: Decimal, step: Fraction) -> int | None:
    """How many steps `value` is, or None when it is not a whole number of them."""
    steps = Fraction(value) / step
    return int(steps) if steps.denominator == 1 else None


def toward_zero(amount: Fraction) -> Fraction:
    """`amount` cut to whole units of 10^-8."""
    units = floor(abs(amount) / UNIT) * UNIT
    return units if amount >= 0 else -units
