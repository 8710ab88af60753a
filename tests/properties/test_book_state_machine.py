"""The same comparison as test_book_against_reference.py, searched and shrunk by hypothesis.

Slower per step than the seeded runs, but it steers towards new situations and its failures come out
as the shortest sequence of calls.
"""

from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.properties.lockstep import Lockstep
from tests.properties.swarm import (
    Cancel,
    Lower,
    Message,
    Place,
    Print,
    Probe,
    Quote,
    Restart,
    Step,
    Succeed,
    Wait,
)
from tests.reference.book import STREET_TTL_NS, ReferenceBook
from tests.reference.books import FastBook
from tests.reference.placing import Incoming

MIDDLE = 100
prices = st.integers(MIDDLE - 3, MIDDLE + 3)
quantities = st.one_of(st.integers(1, 4), st.integers(1, 30))
sides = st.sampled_from(("BUY", "SELL"))
accounts = st.integers(1, 3)
order_ids = st.integers(1, 12).map(lambda number: UUID(int=number))
level_quantities = st.lists(st.integers(1, 9), max_size=4)
ages_ns = st.sampled_from((0, 0, 0, STREET_TTL_NS, STREET_TTL_NS + 1))
waits_ns = st.sampled_from((1, STREET_TTL_NS - 1, STREET_TTL_NS, STREET_TTL_NS + 1))


class BooksInLockstep(RuleBasedStateMachine):
    """Each rule is a message to both books; Lockstep compares them after it."""

    @initialize()
    def open_market(self) -> None:
        self.lockstep = Lockstep(ReferenceBook(), FastBook())
        self.successors = 0

    def send(self, message: Message) -> None:
        for side, limit in (("BUY", None), ("SELL", None), ("BUY", MIDDLE), ("SELL", MIDDLE)):
            probe = Probe(1, side, limit, 7, depth_levels=3)
            self.lockstep.step(Step(message, probe))
            message = Wait(0)

    @rule(
        order_id=order_ids,
        owner_id=accounts,
        side=sides,
        quantity=quantities,
        limit_price=st.none() | prices,
        time_in_force=st.sampled_from(("GTC", "GTC", "DAY", "IOC", "FOK")),
        stp_mode=st.sampled_from(
            ("REJECT", "REJECT", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")
        ),
    )
    def place(
        self,
        order_id: UUID,
        owner_id: int,
        side: str,
        quantity: int,
        limit_price: int | None,
        time_in_force: str,
        stp_mode: str,
    ) -> None:
        order = Incoming(
            order_id, owner_id, side, quantity, limit_price, time_in_force, stp_mode=stp_mode
        )
        self.send(Place(order))

    @rule(order_id=order_ids)
    def cancel(self, order_id: UUID) -> None:
        self.send(Cancel(order_id))

    @rule(order_id=order_ids, percent=st.integers(1, 99))
    def lower(self, order_id: UUID, percent: int) -> None:
        self.send(Lower(order_id, percent))

    @rule(order_id=order_ids, percent=st.integers(1, 100))
    def succeed(self, order_id: UUID, percent: int) -> None:
        self.successors += 1
        self.send(Succeed(order_id, UUID(int=1_000 + self.successors), percent))

    @rule(
        bid=prices,
        spread=st.sampled_from((1, 1, 1, 2, 3, 0)),
        bids=level_quantities,
        asks=level_quantities,
        age_ns=ages_ns,
    )
    def quote(self, bid: int, spread: int, bids: list[int], asks: list[int], age_ns: int) -> None:
        bid_levels = tuple((bid - step, quantity) for step, quantity in enumerate(bids))
        ask_levels = tuple((bid + spread + step, quantity) for step, quantity in enumerate(asks))
        self.send(Quote(bid_levels, ask_levels, age_ns))

    @rule(price=prices, quantity=quantities, aggressor=sides)
    def street_trade(self, price: int, quantity: int, aggressor: str) -> None:
        self.send(Print(price, quantity, aggressor))

    @rule()
    def restart(self) -> None:
        self.send(Restart())

    @rule(duration_ns=waits_ns)
    def wait(self, duration_ns: int) -> None:
        self.send(Wait(duration_ns))


BooksInLockstep.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBooksInLockstep = BooksInLockstep.TestCase
