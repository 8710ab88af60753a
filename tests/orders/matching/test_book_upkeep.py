"""What the fast book keeps for itself: nothing of orders that are gone, and ids that it can trust.

The rules themselves are tested in tests/scenarios/test_matching_*.py, on the oracle as well.
"""

from uuid import UUID

import pytest

from orders.domain.matching.book import Book
from orders.domain.matching.street import StreetQuote
from orders.domain.values import Side

NOW_NS = 1_000_000_000_000
ALICE, CHARLIE = 1, 2


@pytest.fixture
def book() -> Book:
    return Book()


def rest(book: Book, number: int, price: int = 101, quantity: int = 1) -> UUID:
    order_id = UUID(int=number)
    book.rest(order_id, CHARLIE, Side.SELL, price, quantity, NOW_NS)
    return order_id


def queued_entries(book: Book) -> int:
    """How many entries the queues hold, in whatever way they are linked."""
    ladders = book._ladders.values()
    queues = [level.orders() for ladder in ladders for level in ladder.levels.values()]
    owned = [owner.orders() for ladder in ladders for owner in ladder.owners.values()]
    return max(sum(1 for queue in queues for _ in queue), sum(1 for own in owned for _ in own))


def test_cancels_behind_a_patient_order_do_not_pile_up(book: Book) -> None:
    rest(book, 1)

    for number in range(2, 10_002):
        book.cancel(rest(book, number))

    assert [order.order_id for order in book.resting()] == [UUID(int=1)]
    assert queued_entries(book) == 1


def test_cancels_between_orders_that_stay_do_not_pile_up(book: Book) -> None:
    for number in range(1, 10_001):
        order_id = rest(book, number)
        if number % 50:
            book.cancel(order_id)

    stay = [UUID(int=number) for number in range(50, 10_001, 50)]
    assert [order.order_id for order in book.resting()] == stay
    assert queued_entries(book) == len(stay)


def test_street_fills_and_cancels_in_one_queue_keep_time_order(book: Book) -> None:
    for number in range(1, 301):
        rest(book, number, quantity=2)
    for number in range(1, 301):
        if number % 3:
            book.cancel(UUID(int=number))

    book.street_trade(101, 61, Side.BUY, NOW_NS)
    fills = book.take(Side.BUY, 101, 1_000, NOW_NS)

    left = [UUID(int=number) for number in range(93, 301, 3)]
    assert [fill.maker_order_id for fill in fills] == left
    assert [fill.quantity for fill in fills] == [1] + [2] * (len(left) - 1)


def test_nothing_is_kept_of_orders_that_are_gone(book: Book) -> None:
    street = StreetQuote(bids=((99, 5),), asks=((101, 5),), t_ns=NOW_NS)
    book.set_street(street, NOW_NS)
    for number in range(1, 101):
        rest(book, number, price=101 + number % 7)
    for number in range(1, 51):
        book.cancel(UUID(int=number))
    book.take(Side.BUY, None, 1_000, NOW_NS)

    assert list(book.resting()) == []
    assert book._orders == {}
    for ladder in book._ladders.values():
        assert all(owner.newest is None for owner in ladder.owners.values())
        assert (ladder.best, ladder.levels, ladder.queued) == (None, {}, set())


def test_id_that_rests_cannot_come_to_rest_again(book: Book) -> None:
    order_id = rest(book, 1, price=101, quantity=4)

    with pytest.raises(AssertionError):
        book.rest(order_id, ALICE, Side.BUY, 99, 1, NOW_NS)

    assert book.best(Side.BUY, NOW_NS) is None
    assert book.cancel(order_id) == 4


def test_order_without_quantity_cannot_come_to_rest(book: Book) -> None:
    with pytest.raises(AssertionError):
        rest(book, 1, quantity=0)

    assert list(book.resting()) == []
    assert book.best(Side.SELL, NOW_NS) is None
