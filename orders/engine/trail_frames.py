"""Where trailing stops stand, for those who watch: each account's, as a state that is sent twice a
second at most, while trades lift its marks (docs/matching.md G6; the topic `trails:<account>`).
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from orders.engine.changes import PeakKey
from orders.engine.frame_queue import Frame
from orders.engine.render import order_view
from orders.engine.state import Account, EngineState

MAX_TRAILS_TOLD: Final = 1_000
"""Orders that are told at once; the accounts beyond it come with the next interval."""


class TrailFrames:
    """Remembers in which instruments marks moved, and makes the frames of the accounts there."""

    def __init__(self, prefix: str, epoch: str) -> None:
        self._prefix = prefix
        self._epoch = epoch
        self._instruments: set[int] = set()
        self._accounts: dict[int, Account] = {}
        self._number = 0

    def note(self, peaks: Iterable[PeakKey]) -> None:
        """Peaks of these instruments changed."""
        self._instruments.update(instrument_id for instrument_id, _, _ in peaks)

    def take(self, state: EngineState) -> list[Frame]:
        """The frames of this interval: whole accounts, until so many orders are in them."""
        for instrument_id in sorted(self._instruments):
            trails = state.instruments_by_id[instrument_id].trails
            for order_id in trails.order_ids() if trails else ():
                order = state.orders[order_id]
                self._accounts[order.account.id] = order.account
        self._instruments.clear()
        frames: list[Frame] = []
        told = 0
        while self._accounts and told < MAX_TRAILS_TOLD:
            account = self._accounts.pop(next(iter(self._accounts)))
            marks = marks_of(account)
            told += len(marks)
            frames.append(self._frame(account, marks))
        return frames

    def _frame(self, account: Account, marks: list[dict[str, str | None]]) -> Frame:
        self._number += 1
        topic = f"trails:{account.public_id}"
        frame = {
            "op": "event",
            "topic": topic,
            "epoch": self._epoch,
            "seq": self._number,
            "data": {"trails": marks},
        }
        text = msgspec.json.encode(frame).decode()
        return Frame(self._prefix + topic, text, is_state=True)


def marks_of(account: Account) -> list[dict[str, str | None]]:
    """The account's trailing stops that wait, in their order in time."""
    views = [
        order_view(order)
        for order in account.open_orders.values()
        if order.hwm is not None and order.is_waiting
    ]
    return [{"id": view.id, "hwm": view.hwm, "stop_price": view.stop_price} for view in views]
