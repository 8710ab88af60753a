"""Writes docs/order-states.md from the table in orders/domain/states.py and the words beside it.

Run `python -m orders.domain.states_page` after a change; a test compares the two.
"""

from pathlib import Path
from typing import Final

from orders.domain.dialect import STATUSES
from orders.domain.reasons import CLOSE_SENTENCES
from orders.domain.states import TRANSITIONS
from orders.domain.values import OPEN_STATUSES, OrderStatus

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "order-states.md"

HEAD: Final = """\
# The life of an order

This page is made from `orders/domain/states.py`: `python -m orders.domain.states_page`.

A status changes by an event and only as the table says. A pair that is not in it is a fault of the
portal, never of a user: it raises, and the engine ends before anything of it is stored.
"""
MEANINGS: Final[dict[OrderStatus, str]] = {
    OrderStatus.INITIALIZED: "being checked; nobody has seen it",
    OrderStatus.DENIED: "refused by a check: the reply says why, and no row is kept",
    OrderStatus.HELD: "a leg that waits for its group's entry; in no book, nothing filled",
    OrderStatus.QUEUED: "waits for an auction; not in the book, nothing filled",
    OrderStatus.ACCEPTED: "in the book, or about to trade, or a stop that waits; nothing filled",
    OrderStatus.TRIGGERED: "a stop order that a trade has elected; in the book, nothing filled",
    OrderStatus.PARTIALLY_FILLED: "a part has traded, the rest is in the book",
    OrderStatus.FILLED: "all of it has traded",
    OrderStatus.CANCELED: "ended by a person or by its time in force; a part may have traded",
    OrderStatus.EXPIRED: "ended with its day; a part may have traded",
    OrderStatus.REPLACED: "ended by a replace; its successor goes on; a part may have traded",
}


def page() -> str:
    """The whole page."""
    lines = [HEAD, "| status | event | status after |", "|---|---|---|"]
    lines += [f"| {before} | {event} | {after} |" for (before, event), after in TRANSITIONS.items()]
    lines += ["", "| status | open | in the API | what it is |", "|---|---|---|---|"]
    for status, meaning in MEANINGS.items():
        is_open = "yes" if status in OPEN_STATUSES else ""
        word = STATUSES.get(status.value)
        lines.append(f"| {status} | {is_open} | {f'`{word}`' if word else ''} | {meaning} |")
    lines += [
        "",
        "Why an order ended with something unfilled (`reason`), and what people read:",
        "",
    ]
    lines += ["| reason | sentence |", "|---|---|"]
    lines += [f"| {reason} | {sentence} |" for reason, sentence in CLOSE_SENTENCES.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
