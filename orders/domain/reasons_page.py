"""Writes docs/reason-codes.md from the closed lists of reasons and the words beside them.

Run `python -m orders.domain.reasons_page` after a change; a test compares the two.
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

from accounts.domain.reasons import AccountReason
from core.domain.errors import ErrorReason
from marketdata.domain.chart_reasons import MEANINGS as CHARTS
from marketdata.domain.chart_reasons import ChartReason
from marketdata.domain.watching import WatchReason
from orders.domain.reasons import CLOSE_SENTENCES
from risk.domain.reasons import WORDINGS

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "reason-codes.md"

HEAD: Final = """\
# Reason codes

This page is made from the code: `python -m orders.domain.reasons_page`.

Every refusal has a `reason` from these lists, the facts that caused it (`facts`, those that stock
clients know also at the top level) and a sentence (`message`). `code` is the dialect's number. What
stands in braces is filled in from the facts. A reason never changes its meaning; new ones may come.
"""
MEANINGS: Final[dict[StrEnum, tuple[str, str]]] = {
    ErrorReason.REQUEST_MALFORMED: (
        "400, 415",
        "The body is no JSON object, a parameter stands twice, or the media type is another.",
    ),
    ErrorReason.REQUEST_TOO_LARGE: ("413", "The body is larger than 64 kB."),
    ErrorReason.FIELD_INVALID: ("400, 422", "A field's value cannot be read; `field` names it."),
    ErrorReason.FIELD_UNKNOWN: ("400, 422", "A field or parameter that nothing here has."),
    ErrorReason.FIELD_MISSING: ("400, 422", "A field that must be there is not."),
    ErrorReason.NOT_AUTHENTICATED: ("401", "No live API key with its secret came along."),
    ErrorReason.NOT_PERMITTED: ("403", "The key's scope or the person's role does not allow it."),
    ErrorReason.NOT_FOUND: ("404", "It is not there, or is somebody else's."),
    ErrorReason.METHOD_NOT_ALLOWED: ("405", "The address does not take this method."),
    ErrorReason.RATE_LIMITED: (
        "429",
        "The key's budget of requests is spent; `Retry-After` says for how long.",
    ),
    ErrorReason.CONFLICT: (
        "409, 422",
        "It has changed meanwhile, or the `Idempotency-Key` belongs to another request.",
    ),
    ErrorReason.UNKNOWN_OUTCOME: (
        "503",
        "No answer came in time: it may have been done. Ask by the client order id, or send it"
        " again with its `Idempotency-Key`.",
    ),
    ErrorReason.UNAVAILABLE: ("503", "Nothing was done; try again a little later."),
    ErrorReason.INTERNAL: ("500", "A fault of the portal; the log has it under `request_id`."),
    AccountReason.MFA_REQUIRED: ("403", "The second factor has not been given yet."),
    WatchReason.WATCHLIST_NAME_TAKEN: ("422", "The owner has another watchlist of that name."),
    WatchReason.WATCHLIST_LIMIT: ("422", "The owner has as many watchlists as there may be."),
    WatchReason.WATCHLIST_FULL: ("422", "A watchlist would hold more instruments than it may."),
    WatchReason.WATCHLIST_ITEM_MISSING: ("404", "The instrument is not in the watchlist."),
    WatchReason.WATCHLIST_ITEM_UNKNOWN: ("422", "No instrument has that symbol (`symbols`)."),
}


def page() -> str:
    """The whole page."""
    return "\n".join(
        [
            HEAD,
            "## Any request",
            "",
            *_table(
                ("reason", "status", "what it means"),
                (
                    (str(reason), *MEANINGS[reason])
                    for reason in (*ErrorReason, *AccountReason, *WatchReason)
                ),
            ),
            "",
            "## Charts",
            "",
            "Indicators and formulas ([formulas](formulas.md)); all with 422.",
            "",
            *_table(
                ("reason", "what it means"),
                ((str(reason), CHARTS[reason]) for reason in ChartReason),
            ),
            "",
            "## Orders, money, limits and states",
            "",
            "Refused by a rule: nothing has changed, and no order was made.",
            "",
            *_table(
                ("reason", "status", "code", "sentence"),
                (
                    (str(reason), str(wording.status), str(wording.code), sentence)
                    for reason, wording in sorted(WORDINGS.items())
                    for sentence in (
                        wording.sentence,
                        wording.sentence_of_pair,
                        wording.sentence_without_scope,
                    )
                    if sentence
                ),
            ),
            "",
            "## Why an order ended",
            "",
            "`reason` of an order that ended with something unfilled.",
            "",
            *_table(
                ("reason", "sentence"),
                ((str(reason), sentence) for reason, sentence in CLOSE_SENTENCES.items()),
            ),
            "",
        ]
    )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for first, *others in rows:
        yield f"| {' | '.join((f'`{first}`', *others))} |"


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
