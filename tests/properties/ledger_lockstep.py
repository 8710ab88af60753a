"""The fast engine and the slow one, fed the same history, command by command.

After each: the same answer, the same events in the same order with the same balances, the same of
all that can be read (tests/properties/ledger_comparison.py). What the fast one would have written
is kept in tables (tests/simulation/shadow.py), which must say at each commit what its memory says.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from core.domain.units import UNITS_PER_ONE
from marketdata.domain.sessions import Calendar
from orders.domain import commands
from orders.engine.core import Core
from orders.engine.state import EngineState
from tests.properties.ledger_comparison import Comparison
from tests.properties.ledger_marks import Marks
from tests.properties.ledger_words import Words, money
from tests.reference.engine import ReferenceEngine
from tests.reference.state import HOUSE as THE_HOUSE
from tests.reference.state import Terms
from tests.simulation.floor import APPLE, BITCOIN, START_NS, fresh, new_state
from tests.simulation.market_swarm import CALENDAR, Listing, MarketSwarm, Timed
from tests.simulation.shadow import ShadowTables

BREAKS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class Divergence(Exception):
    """The engines do not agree, or one of them broke: at which step, and how."""


class Lockstep:
    """Both engines of one seed's market."""

    def __init__(self, seed: int) -> None:
        swarm = MarketSwarm(seed, START_NS)
        most = (1, 1_000)[seed % 2]  # with one at a time, many wait for the next command
        self._accounts = swarm.accounts
        self._reference = ReferenceEngine(
            [terms_for(item) for item in swarm.listings],
            swarm.accounts,
            max_elections=most,
            owners=swarm.owners,
        )
        self._state = state_for(swarm)
        self._core = Core(self._state, most, max_cleared=(2, 1_000)[seed // 2 % 2])
        self._tables = ShadowTables()
        self._words = Words(self._reference, self._state)
        self._comparison = Comparison(self._reference, self._state)
        self._marks = Marks(self._reference, self._core, self._comparison)

    @property
    def marks(self) -> Counter[str]:
        return self._marks.met

    def run(self, history: Iterable[Timed]) -> None:
        """Raises Divergence where they part."""
        for number, timed in enumerate(history):
            try:
                self._step(timed)
            except (*BREAKS, StopIteration) as error:
                raise Divergence(f"step {number}: {timed.command}\n{error!r}") from error
        try:
            self._commit()
            self._check_that_nobody_gained_by_rounding()
        except BREAKS as error:
            raise Divergence(f"at the end: {error!r}") from error

    def _step(self, timed: Timed) -> None:
        if timed.is_new_batch:
            self._commit()
        before = len(self._core.changes.events)
        expected = self._reference.apply(timed.command, timed.now_ns)

        reply = self._core.apply(timed.command, timed.now_ns)
        self.marks["a switch went on"] += self._core.is_clearing
        while self._core.is_clearing:
            self._core.apply(commands.ExpireOrders(), timed.now_ns)

        assert self._words.answer(reply) == expected
        events = [event for _, event in self._core.changes.events[before:]]
        assert [self._words.told(event) for event in events] == self._reference.told
        self._comparison.check()
        self._marks.note(expected, timed.command)

    def _commit(self) -> None:
        self._tables.commit(self._core.changes)
        self._tables.check(self._state)
        self._core.begin_batch()

    def _check_that_nobody_gained_by_rounding(self) -> None:
        """What an account was given is its cash and what it paid, to the last unit."""
        given = dict.fromkeys(self._accounts, Fraction(0))
        for payer, payee, amount in self._reference.transfers:
            if payer == THE_HOUSE and isinstance(payee, int):
                given[payee] += amount
            if payee == THE_HOUSE and isinstance(payer, int):
                given[payer] -= amount
        for account in self._accounts:
            item = self._state.accounts[account]
            paid = sum(held.cost - held.realized for held in item.positions.values())
            assert money(item.balance.total + paid) == given[account]


def terms_for(listing: Listing) -> Terms:
    return Terms(
        symbol=listing.symbol,
        tick=Fraction(listing.tick),
        lot=Fraction(listing.lot),
        smallest_value=Fraction(listing.smallest_value),
        band_bps=listing.band_bps,
        calendar=listing.calendar,
        follows_feed=listing.follows_feed,
    )


def state_for(swarm: MarketSwarm) -> EngineState:
    instruments = []
    calendar = Calendar(CALENDAR)
    for base, listing in zip((APPLE, BITCOIN), swarm.listings, strict=False):
        instrument = replace(
            fresh(base),
            tick_units=int(listing.tick * UNITS_PER_ONE),
            lot_units=int(listing.lot * UNITS_PER_ONE),
            min_notional_units=int(listing.smallest_value * UNITS_PER_ONE),
            market_band_bps=listing.band_bps,
            calendar=None if listing.calendar is None else calendar,
            follows_feed=listing.follows_feed,
        )
        instruments.append(instrument)
    state = new_state(swarm.accounts, instruments, swarm.owners)
    state.calendars[CALENDAR] = calendar
    return state
