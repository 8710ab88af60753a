"""The order book alone: messages a CPU second on one seeded stream.

51 % new orders (15 points of them immediate-or-cancel), 41 % cancels, 8 % modifies, each a cancel
and a new order, as the published mixes of exchange feeds have them.
"""

import gc
import os
import random
import sys
import time
from typing import NamedTuple
from uuid import UUID

import msgspec

from benchmarks.options import Options
from benchmarks.processes import run_child
from benchmarks.report import Row, Section
from orders.domain.matching.book import Book
from orders.domain.values import Side

NEW_SHARE, IOC_SHARE, CANCEL_SHARE = 51, 15, 41
MID_TICKS, FAR_TICKS, CROSSING_TICKS, IOC_TICKS = 10_000, 40, 4, 10
MAX_LOTS = 100
RESTING_ORDERS = 2_000
"""The book's size: with fewer orders in it, a cancel names one that is gone already, as late ones
do.
"""
GONE = UUID(int=0)
ACCOUNTS = 1_000
SEED = 7


class Message(NamedTuple):
    """A new order and, for cancel and modify, the resting order that goes first."""

    cancel_id: UUID | None
    order_id: UUID | None
    account_id: int
    side: Side
    price: int
    quantity: int
    rests: bool


def replay(book: Book, stream: list[Message]) -> int:
    """Apply the stream as the engine would; the number of fills."""
    fills = 0
    for cancel_id, order_id, account_id, side, price, quantity, rests in stream:
        if cancel_id is not None:
            book.cancel(cancel_id)
        if order_id is None:
            continue
        left = quantity
        for fill in book.take(side, price, quantity, 0):
            left -= fill.quantity
            fills += 1
        if left and rests:
            book.rest(order_id, account_id, side, price, left, 0)
    return fills


def make_stream(count: int) -> list[Message]:
    """Messages that hit: cancels name orders that still rest, because a book is kept alongside."""
    chance = random.Random(SEED)  # noqa: S311  # a repeatable stream, not a secret
    book = Book()
    resting = _Resting()
    stream: list[Message] = []
    while len(stream) < count:
        draw = chance.randrange(100)
        cancel_id = None if draw < NEW_SHARE else resting.pick(chance, draw)
        message = _message(chance, draw, cancel_id)
        resting.apply(book, message)
        stream.append(message)
    return stream


def _message(chance: random.Random, draw: int, cancel_id: UUID | None) -> Message:
    is_cancel = cancel_id is not None and draw < NEW_SHARE + CANCEL_SHARE
    side = Side.BUY if chance.random() < 0.5 else Side.SELL
    # Most orders stand a little away from the touch, some reach across it.
    away = -IOC_TICKS if draw < IOC_SHARE else chance.randrange(-CROSSING_TICKS, FAR_TICKS)
    price = MID_TICKS - away if side is Side.BUY else MID_TICKS + away
    return Message(
        cancel_id=cancel_id,
        order_id=None if is_cancel else UUID(int=chance.getrandbits(128)),
        account_id=chance.randrange(ACCOUNTS),
        side=side,
        price=price,
        quantity=chance.randrange(1, MAX_LOTS),
        rests=draw >= IOC_SHARE,
    )


class _Resting:
    """Which orders rest, so that one can be picked at random in constant time."""

    def __init__(self) -> None:
        self._ids: list[UUID] = []
        self._places: dict[UUID, int] = {}

    def pick(self, chance: random.Random, draw: int) -> UUID:
        is_cancel = draw < NEW_SHARE + CANCEL_SHARE
        if not self._ids or (is_cancel and len(self._ids) < RESTING_ORDERS):
            return GONE
        return chance.choice(self._ids)

    def apply(self, book: Book, message: Message) -> None:
        if message.cancel_id is not None and book.cancel(message.cancel_id):
            self._remove(message.cancel_id)
        if message.order_id is None:
            return
        left = message.quantity
        for fill in book.take(message.side, message.price, message.quantity, 0):
            left -= fill.quantity
            if fill.maker_order_id is not None and not fill.maker_leaves:
                self._remove(fill.maker_order_id)
        if left and message.rests:
            book.rest(message.order_id, message.account_id, message.side, message.price, left, 0)
            self._places[message.order_id] = len(self._ids)
            self._ids.append(message.order_id)

    def _remove(self, order_id: UUID) -> None:
        place = self._places.pop(order_id)
        last = self._ids.pop()
        if last != order_id:
            self._ids[place] = last
            self._places[last] = place


class Replayed(msgspec.Struct, frozen=True):
    """One replay of the stream: messages a second of the process's own CPU time, and fills."""

    per_second: float
    fills: int


def replay_once(count: int) -> Replayed:
    """Replay a stream of `count` messages in this process."""
    stream = make_stream(count)
    gc.collect()
    gc.freeze()  # the stream is not the book's garbage
    book = Book()
    begin = time.process_time()
    fills = replay(book, stream)
    return Replayed(len(stream) / (time.process_time() - begin), fills)


def measure(options: Options) -> Section:
    """Each round in a process of its own: where its memory happens to lie makes a tenth."""
    rounds = [
        msgspec.json.decode(
            run_child("benchmarks.matching", str(options.messages), environment=os.environ),
            type=Replayed,
        )
        for _ in range(options.rounds)
    ]
    return Section(
        name="matching",
        title=f"The order book alone, {options.messages:,} messages, process CPU time",
        rows=[
            Row("messages a CPU second", "", [each.per_second for each in rounds], "≥ 1,000,000"),
            Row("fills a message", "", [each.fills / options.messages for each in rounds]),
        ],
        notes=["51 % new (15 points IOC), 41 % cancel, 8 % modify; a modify counts once"],
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(replay_once(int(sys.argv[1]))) + b"\n")
