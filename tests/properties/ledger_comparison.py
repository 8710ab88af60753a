"""All that can be read of the fast and of the slow engine, compared after every step of a history.

What neither has changed since it last agreed agrees still: the values that go into a comparison are
kept, from both sides, and while they are the same it is not worked out again. Every so many steps
all is compared anew, and what is held is added up by the slow engine.
"""

from collections import defaultdict
from collections.abc import Hashable

from orders.domain.values import Side
from orders.engine.margin import margin_of
from orders.engine.state import Account, EngineState, Instrument, OrderState
from orders.engine.trailing import mark_of
from tests.properties.ledger_words import money
from tests.properties.upkeep import check_upkeep
from tests.reference.engine import ReferenceEngine
from tests.reference.margin import excess, mark
from tests.reference.state import HOUSE as THE_HOUSE
from tests.reference.state import STREET as THE_STREET
from tests.reference.state import Order, Terms, held_cash
from tests.simulation.floor import HOUSE, STREET

WHOLE_EVERY = 50
"""Steps from one comparison of everything to the next."""


class Comparison:
    """`check` after every step; the same engines all the time."""

    def __init__(self, reference: ReferenceEngine, state: EngineState) -> None:
        self._reference = reference
        self._state = state
        self._accounts: list[tuple[object, Account]] = [
            (THE_HOUSE, state.accounts[HOUSE]),
            (THE_STREET, state.accounts[STREET]),
            *((number, state.accounts[number]) for number in reference.cash_accounts),
        ]
        assert [name for name, _ in self._accounts] == [*reference.cash]
        self._agreed: dict[Hashable, object] = {}
        self._steps = self._changes = 0
        self._held_units: dict[int, int] = {}
        self._held_lots: dict[tuple[int, int], int] = {}
        self._waiting: dict[str, tuple[list[Order], list[Order]]] = {}
        self.excess: dict[int, int] = {}
        """What each margin account has left, in units, as of the last check."""

    def check(self) -> None:
        is_whole = self._steps % WHOLE_EVERY == 0
        self._steps += 1
        if is_whole:
            self._agreed.clear()
        self._check_orders()
        self._check_cash()
        for item in self._reference.terms:
            instrument = self._state.instruments[item.symbol]
            self._check_instrument(item, instrument)
            self._check_positions(instrument)
            self._check_book(instrument)
            self._check_waiting(item, instrument)
        self._check_margin()
        if is_whole:
            self._check_sums()

    def _is_news(self, item: Hashable, values: object) -> bool:
        """Whether these are not the values with which the item last agreed. They are kept: a
        comparison that fails ends the run.
        """
        if self._agreed.get(item) == values:
            return False
        self._agreed[item] = values
        self._changes += 1
        return True

    # --- orders, and what they hold

    def _check_orders(self) -> None:
        expected = [order for order in self._reference.orders if order.is_open]
        found = list(self._state.orders.values())
        values = [
            self._order_values(mine, theirs) for mine, theirs in zip(expected, found, strict=True)
        ]
        queue = [order.id for order in self._reference.elections.queue if order.is_open]
        assert [key for key in self._state.elections if key in self._state.orders] == queue
        if not self._is_news("orders", (values, queue)):
            return
        self._waiting.clear()
        self._held_units, self._held_lots = defaultdict(int), defaultdict(int)
        for mine, theirs, these in zip(expected, found, values, strict=True):
            if self._is_news(mine.id, these) or mine.group is not None:  # a claim looks at mates
                self._check_order(mine, theirs)
            account = theirs.account.id
            if theirs.is_opening:
                self._held_units[account] += theirs.hold
            else:
                self._held_lots[account, theirs.instrument.id] += theirs.hold

    def _order_values(self, mine: Order, theirs: OrderState) -> tuple[object, ...]:
        return (
            mine.id,
            mine.status,
            mine.filled,
            mine.prevented,
            mine.quantity,
            mine.opens,
            mine.limit,
            mine.stop,
            mine.basis,
            mine.set_aside,
            mine.mark,
            theirs.id,
            theirs.status,
            theirs.filled,
            theirs.prevented,
            theirs.quantity,
            theirs.is_opening,
            theirs.hold,
            None if mine.mark is None else mark_of(theirs),
        )

    def _check_order(self, mine: Order, theirs: OrderState) -> None:
        assert mine.id == theirs.id
        assert (mine.status, mine.filled) == (theirs.status, theirs.filled)
        assert mine.prevented == theirs.prevented
        assert theirs.quantity == mine.quantity
        assert theirs.is_opening == mine.opens
        if mine.opens:
            assert money(theirs.hold) == held_cash(mine)
        else:
            assert theirs.hold == self._reference.claim(mine)
        assert mine.mark is None or mark_of(theirs) == mine.mark

    # --- cash and positions

    def _check_cash(self) -> None:
        reference = self._reference
        cash, fees = reference.cash, reference.fees.paid
        balances = [
            (account.balance.total, account.balance.locked, account.balance.fees)
            for _, account in self._accounts
        ]
        values = ([*cash.values()], [*fees.values()], balances, [*self._held_units.items()])
        if not self._is_news("cash", (values, [*reference.margin.multipliers.items()])):
            return
        assert sum(item.balance.total for item in self._state.accounts.values()) == 0
        for name, account in self._accounts:
            balance = account.balance
            assert money(balance.total) == cash[name]
            if isinstance(name, int):
                assert balance.locked == self._held_units.get(name, 0)
                assert balance.free >= 0 or reference.margin.is_on(name)
                assert money(balance.fees) == fees.get(name, 0)

    def _check_positions(self, instrument: Instrument) -> None:
        symbol, holdings = instrument.symbol, self._reference.holdings
        pairs = [
            (name, account.positions.get(instrument.id), holdings.get((name, symbol)))
            for name, account in self._accounts
        ]
        values = [
            (
                found and (found.quantity, found.locked, found.cost, found.realized),
                mine and (mine.lots, mine.cost, mine.realized),
            )
            for _, found, mine in pairs
        ]
        if not self._is_news(("positions", symbol), (values, [*self._held_lots.items()])):
            return
        assert sum(found.quantity for _, found, _ in pairs if found) == 0
        for name, found, mine in pairs:
            if found is None or mine is None:
                assert not found or (found.quantity, found.locked, found.cost) == (0, 0, 0)
                assert not mine or mine.lots == 0
                continue
            assert found.quantity == mine.lots
            assert (money(found.cost), money(found.realized)) == (mine.cost, mine.realized)
            held = self._held_lots.get((name, instrument.id), 0) if isinstance(name, int) else 0
            assert found.locked == held

    # --- instruments

    def _check_instrument(self, item: Terms, instrument: Instrument) -> None:
        assert instrument.state == self._reference.states[item.symbol]
        assert instrument.window == self._reference.bands.of(item.symbol).window
        assert instrument.pause == self._reference.plans.pauses.get(item.symbol)

    def _check_book(self, instrument: Instrument) -> None:
        """Who rests where; I1 to I3: what is hidden, what the engine knows of it, and that ranks
        tell the places.
        """
        book, orders = self._reference.books[instrument.symbol], self._state.orders
        check_upkeep(instrument.book)
        rows = list(instrument.book.resting())
        assert [
            (row.order_id, row.owner_id, row.side.value, row.price, row.leaves, row.ahead)
            for row in rows
        ] == book.resting()
        ranks: dict[tuple[Side, int], int] = {}
        lefts = book.all_left()
        for row in rows:
            order = orders[row.order_id]
            left = row.leaves + row.hidden
            assert left == order.leaves == lefts[row.order_id]
            assert order.displayed == (row.leaves if order.display else 0)
            assert order.rank > ranks.get((row.side, row.price), 0)
            ranks[row.side, row.price] = order.rank

    def _check_waiting(self, item: Terms, instrument: Instrument) -> None:
        """Which stops wait, in the order in which they would be elected."""
        if item.symbol not in self._waiting:
            orders = [order for order in self._reference.orders if order.terms is item]
            waiting = self._reference.elections.waiting(orders)
            fixed = [order for order in waiting if order.mark is None]
            self._waiting[item.symbol] = (
                fixed,
                [order for order in waiting if order.mark is not None],
            )
        fixed, trailing = self._waiting[item.symbol]
        assert instrument.stops.waiting() == [order.id for order in fixed]
        found = instrument.trails.waiting() if instrument.trails else []
        assert found == [order.id for order in trailing]

    # --- margin

    def _check_margin(self) -> None:
        reference = self._reference
        accounts = [one for one in reference.cash_accounts if reference.margin.is_on(one)]
        marks = [mark(reference, item) for item in reference.terms] if accounts else []
        self.excess, news = {}, self._changes
        for account in accounts:
            theirs = self._state.accounts[account]
            mine, call = reference.calls.open.get(account), theirs.call
            assert (mine and (mine.deadline_ns, mine.forced)) == (
                call and (call.deadline_ns, call.forced)
            )
            left = margin_of(self._state, theirs, reference.now_ns).excess
            self.excess[account] = left
            values = (left, marks, reference.margin.multiplier(account), news)
            if self._agreed.get(("margin", account)) != values:
                assert money(left) == excess(reference, account)
                self._agreed["margin", account] = values

    # --- by the slow engine's own sums

    def _check_sums(self) -> None:
        reference = self._reference
        for account in reference.cash_accounts:
            theirs = self._state.accounts[account]
            assert money(theirs.balance.locked) == reference.locked_cash(account)
            for item in reference.terms:
                position = theirs.positions.get(self._state.instruments[item.symbol].id)
                locked = 0 if position is None else position.locked
                assert locked == reference.locked_lots(account, item.symbol)
