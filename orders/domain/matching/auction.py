"""The uncross of an auction: one price, and who trades with whom at it.

Pure and integer (ticks, lots). The rules X4 to X7 stand in docs/market-states.md;
tests/reference/auction.py is the slow twin.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from orders.domain.values import Side


class Interest(NamedTuple):
    """What wants to trade: a user's order, or a street level (`order_id` None). `limit` is a market
    order's collar; `rank` its place in time.
    """

    order_id: UUID | None
    owner_id: int
    side: Side
    limit: int
    quantity: int
    is_market: bool
    rank: int


class Pairing(NamedTuple):
    """A trade of the auction; None is the street."""

    buy_id: UUID | None
    sell_id: UUID | None
    quantity: int


def self_crossing(orders: Iterable[Interest]) -> list[UUID]:
    """The orders that could trade with an earlier one of their owner (X6), in time order."""
    best: dict[tuple[int, Side], int] = {}
    crossing: list[UUID] = []
    for order in sorted(orders, key=lambda order: order.rank):
        assert order.order_id is not None
        other = best.get((order.owner_id, order.side.opposite))
        if other is not None and _reaches(order, other):
            crossing.append(order.order_id)
            continue
        key, limit = (order.owner_id, order.side), order.limit
        choose = max if order.side is Side.BUY else min
        best[key] = choose(limit, best.get(key, limit))
    return crossing


def _reaches(order: Interest, price: int) -> bool:
    return price <= order.limit if order.side is Side.BUY else price >= order.limit


class _Curve:
    """How much of one side is for sale or wanted at a price."""

    def __init__(self, side: Side, interests: Sequence[Interest]) -> None:
        mine = sorted((item.limit, item.quantity) for item in interests if item.side is side)
        self._is_buy = side is Side.BUY
        self._limits = [limit for limit, _ in mine]
        self._sums = [0, *accumulate(quantity for _, quantity in mine)]

    def at(self, price: int) -> int:
        if self._is_buy:
            return self._sums[-1] - self._sums[bisect_left(self._limits, price)]
        return self._sums[bisect_right(self._limits, price)]


def clearing(interests: Sequence[Interest], reference: int | None) -> tuple[int, int] | None:
    """(price, quantity) of the uncross (X5), or None when nothing would trade.

    Between two neighboring limits nothing changes, so that the price next to each limit, each limit
    and the reference are all that can be best.
    """
    buys, sells = _Curve(Side.BUY, interests), _Curve(Side.SELL, interests)
    near = {item.limit + step for item in interests for step in (-1, 0, 1)}
    if reference is not None:
        near.add(reference)
    best: tuple[tuple[int, int, int, int], int] | None = None
    for price in near:
        wanted, offered = buys.at(price), sells.at(price)
        quantity = min(wanted, offered)
        if price < 1 or not quantity:
            continue
        away = 0 if reference is None else abs(price - reference)
        key = (-quantity, abs(wanted - offered), away, price)
        if best is None or key < best[0]:
            best = (key, quantity)
    return None if best is None else (best[0][3], best[1])


def pairings(interests: Sequence[Interest], price: int, quantity: int) -> list[Pairing]:
    """Who trades with whom (X7): both sides in their order, each as far as it goes."""
    buys = sorted(_eligible(Side.BUY, interests, price), key=_precedence)
    sells = sorted(_eligible(Side.SELL, interests, price), key=_precedence)
    trades: list[Pairing] = []
    buy = sell = bought = sold = 0
    while quantity:
        left = buys[buy].quantity - bought, sells[sell].quantity - sold
        traded = min(*left, quantity)
        pair = buys[buy].order_id, sells[sell].order_id
        if trades and trades[-1][:2] == pair:  # two levels of the street
            trades[-1] = Pairing(*pair, trades[-1].quantity + traded)
        else:
            trades.append(Pairing(*pair, traded))
        quantity -= traded
        bought, sold = bought + traded, sold + traded
        if traded == left[0]:
            buy, bought = buy + 1, 0
        if traded == left[1]:
            sell, sold = sell + 1, 0
    return trades


def _eligible(side: Side, interests: Sequence[Interest], price: int) -> list[Interest]:
    return [item for item in interests if item.side is side and _reaches(item, price)]


def _precedence(item: Interest) -> tuple[bool, int, bool, int]:
    """Market orders, then the better price; at one price users by time, then the street."""
    limit = 0 if item.is_market else item.limit
    price = -limit if item.side is Side.BUY else limit
    return (not item.is_market, price, item.order_id is None, item.rank)
