"""What the fast book keeps beside what it could count anew, so that nobody has to count: each must
agree with the orders that rest.
"""

from orders.domain.matching.book import Book
from orders.domain.matching.ladder import Ladder, Level, RestingOrder


def check_upkeep(book: Book) -> None:
    """Count everything anew: best prices, totals, and who is linked to whom."""
    for side, ladder in book._ladders.items():
        assert ladder.side is side
        _check_ladder(ladder)
        for level in ladder.levels.values():
            _check_level(level)
        _check_owners(ladder)
    assert book._orders == {order.order_id.int: order for order in book.resting()}


def _check_ladder(ladder: Ladder) -> None:
    prices = list(ladder.prices())
    assert prices == sorted(ladder.levels, reverse=ladder.sign > 0)
    assert ladder.best == (prices[0] if prices else None)
    assert all(level.price == price for price, level in ladder.levels.items())
    assert ladder._spare not in ladder.levels.values()
    assert ladder._spare is None or ladder._spare.first is None
    queued = {order.price for order in _orders(ladder) if order.ahead}
    assert queued <= ladder.queued <= ladder.levels.keys()


def _check_level(level: Level) -> None:
    orders = list(level.orders())
    assert orders
    assert all(order.level is level and order.leaves > 0 <= order.hidden for order in orders)
    assert level.total == sum(order.leaves for order in orders)
    assert level.hidden == sum(order.hidden for order in orders)
    assert level.max_ahead >= max(order.ahead for order in orders)
    assert level.last is orders[-1]
    assert [order.earlier for order in orders] == [None, *orders[:-1]]


def _check_owners(ladder: Ladder) -> None:
    resting = _orders(ladder)
    owned: list[RestingOrder] = []
    for owner_id, owner in ladder.owners.items():
        orders = list(owner.orders())
        assert all(order.owner is owner and order.owner_id == owner_id for order in orders)
        assert [order.newer for order in orders] == [None, *orders[:-1]][: len(orders)]
        owned += orders
    assert len(owned) == len(resting)
    assert set(owned) == set(resting)


def _orders(ladder: Ladder) -> list[RestingOrder]:
    return [order for level in ladder.levels.values() for order in level.orders()]
