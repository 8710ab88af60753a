"""The trading terminal as the server draws it: complete and usable before any script runs.

What scripts need to go on live travels in the page as JSON (`page_data`), in the shapes of the live
protocol, so that the first paint and the first snapshot agree.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.forms import UUIDField as UuidField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.selectors import may_trade
from core.domain.clock import SystemClock, to_ns, wire_time
from core.domain.decimals import to_wire
from core.domain.ids import new_id
from marketdata.domain.dialect import QuoteWire
from marketdata.domain.values import Level
from marketdata.models import Watchlist
from marketdata.selectors import CHART_TIMEFRAMES
from marketdata.selectors.live import LiveDataUnavailableError, latest_books, recent_trades
from marketdata.selectors.watch import WatchRow, watch_rows
from marketdata.selectors.watchlists import instruments_of, watchlist_visible_to, watchlists_of
from marketdata.views.rows import shown_row
from orders.domain.views import PositionView
from orders.forms import REFUSAL_FIELDS, TIMES_IN_FORCE
from orders.selectors import AccountSnapshot, account_snapshot
from orders.ticket_form import TicketForm
from orders.views.answers import for_account, viewer_of
from orders.views.switching import restrictions
from portfolio.models import TradingAccount

LADDER_LEVELS = 10
SHOWN_TRADES = 30
_UNIT_LETTERS = {"Sec": "s", "Min": "m", "Hour": "h", "Day": "d", "Week": "w", "Month": "M"}
TIMEFRAMES = [
    {"value": name, "label": re.sub("[A-Za-z]+", lambda unit: _UNIT_LETTERS[unit[0]], name)}
    for name in CHART_TIMEFRAMES
]
FIRST_TIMEFRAME = "1Min"
SOCKET_PATH = "/ws/v1/"
ANY_ORDER = UUID(int=0)
"""Stands in an address of one order, where scripts put an order's id."""

Shown = dict[str, object]


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return redirect("orders:terminal")


@require_GET
@for_account
def terminal(request: HttpRequest, account: TradingAccount) -> HttpResponse:
    ticket = TicketForm(
        initial={
            "side": "BUY",
            "type": "LIMIT",
            "time_in_force": "DAY",
            "size_by": "QUANTITY",
            "trail_by": "PERCENT",
            "order_class": "SIMPLE",
            "client_order_id": str(new_id(SystemClock().now_ns())),
        }
    )
    return terminal_page(request, account, ticket)


def terminal_page(
    request: HttpRequest,
    account: TradingAccount,
    form: TicketForm,
    *,
    preview: Mapping[str, object] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The whole terminal as of now, with the ticket as it stands in `form`, and what it would come
    to if that was asked.
    """
    rows = watch_rows(SystemClock().now())
    if not rows:
        return render(request, "orders/no_market.html")
    wanted = request.POST.get("symbol") or request.GET.get("symbol")
    chosen = next((row for row in rows if row.instrument.symbol == wanted), rows[0])
    listed, chosen_list, lists = _listed(request, rows)
    snapshot = account_snapshot(account)
    marks = {row.instrument.symbol: row.last for row in rows}
    held = [position for position in snapshot.positions if _is_worth_showing(position)]
    positions = [_valued(position, marks[position.symbol]) for position in held]
    bound = restrictions(viewer_of(request), account, SystemClock().now())
    context = {
        "account": snapshot,
        "watchlist": [shown_row(row) for row in listed],
        "lists": lists,
        "chosen_list": chosen_list,
        "instrument": shown_row(chosen),
        "positions": positions,
        "unrealized": _sum(Decimal(0), [position["unrealized"] for position in positions]),
        "equity": _sum(
            Decimal(snapshot.balance.total), [position["value"] for position in positions]
        ),
        "open_order_count": sum(order.closed_at is None for order in snapshot.orders),
        **_depth(chosen.instrument.symbol),
        "timeframes": TIMEFRAMES,
        "first_timeframe": FIRST_TIMEFRAME,
        "form": form,
        "preview": preview,
        "may_trade": may_trade(request.user),
        "change_times": TIMES_IN_FORCE,
        "restrictions": bound,
        "page_data": _page_data(chosen, rows, snapshot) | {"restrictions": bound},
    }
    return render(request, "orders/terminal.html", context, status=status)


def _listed(
    request: HttpRequest, rows: list[WatchRow]
) -> tuple[list[WatchRow], Watchlist | None, list[Watchlist]]:
    """The rows of the list that the address names, in its order, that list, and those to choose
    from; every row where it names none that the viewer may read.
    """
    viewer = viewer_of(request)
    lists = list(watchlists_of(viewer))
    wanted = UuidField(required=False)
    try:
        list_id = wanted.clean(request.GET.get("list", ""))
    except ValidationError:
        list_id = None
    chosen = watchlist_visible_to(viewer, list_id) if list_id else None
    if chosen is None:
        return rows, None, lists
    by_id = {row.instrument.pk: row for row in rows}
    listed = [by_id[found.pk] for found in instruments_of(chosen) if found.pk in by_id]
    known = {own.pk for own in lists}
    return listed, chosen, lists if chosen.pk in known else [*lists, chosen]


def _depth(symbol: str) -> Shown:
    """Book and trades as they stand: ten levels a side, padded with None, asks from far to near."""
    try:
        book, trades = latest_books([symbol]).get(symbol), recent_trades(symbol)
    except LiveDataUnavailableError:
        book, trades = None, []
    return {
        "ladder": {
            "asks": _levels(book.asks if book else [])[::-1],
            "bids": _levels(book.bids if book else []),
        },
        "trades": trades[:SHOWN_TRADES],
    }


def _levels(side: Sequence[Level]) -> list[dict[str, Decimal] | None]:
    """The best levels of one side with running totals."""
    shown = side[:LADDER_LEVELS]
    totals = accumulate(level.size for level in shown)
    rows: list[dict[str, Decimal] | None] = [
        {"price": level.price, "size": level.size, "total": total}
        for level, total in zip(shown, totals, strict=True)
    ]
    return rows + [None] * (LADDER_LEVELS - len(rows))


def _is_worth_showing(position: PositionView) -> bool:
    return Decimal(position.quantity) != 0 or Decimal(position.realized_pnl) != 0


def _valued(position: PositionView, mark: Decimal | None) -> Mapping[str, object]:
    """A position with its value and open profit at `mark`; None for both without one."""
    value = None if mark is None else Decimal(position.quantity) * mark
    return {
        **msgspec.to_builtins(position),
        "mark": mark,
        "value": value,
        "unrealized": None if value is None else value - Decimal(position.cost_basis),
    }


def _sum(start: Decimal, parts: list[object]) -> Decimal | None:
    """None when a part is not known: half a sum would be a wrong number."""
    known = [part for part in parts if isinstance(part, Decimal)]
    return sum(known, start) if len(known) == len(parts) else None


def _quote(quote: QuoteWire) -> Shown:
    return {
        "bid": to_wire(quote.bid),
        "bid_size": to_wire(quote.bid_size),
        "ask": to_wire(quote.ask),
        "ask_size": to_wire(quote.ask_size),
        "t": wire_time(to_ns(quote.t)),
    }


def _page_data(chosen: WatchRow, rows: list[WatchRow], snapshot: AccountSnapshot) -> Shown:
    return {
        "symbol": chosen.instrument.symbol,
        "instruments": [shown_row(row) for row in rows],
        "quotes": {row.instrument.symbol: _quote(row.quote) for row in rows if row.quote},
        "account": msgspec.to_builtins(snapshot),
        "refusal_fields": REFUSAL_FIELDS,
        "urls": {
            "place": reverse("orders:place"),
            "preview": reverse("orders:preview"),
            "cancel": reverse("orders:cancel", args=[ANY_ORDER]),
            "cancel_all": reverse("orders:cancel-all"),
            "change": reverse("orders:change", args=[ANY_ORDER]),
            "preview_change": reverse("orders:preview-change", args=[ANY_ORDER]),
            "order": reverse("orders:order", args=[ANY_ORDER]),
            "switch": reverse("orders:switch"),
            "kill": reverse("orders:kill"),
            "enable": reverse("orders:ask-to-enable"),
            "bars": reverse("orders:bars"),
            "indicators": reverse("orders:indicators"),
            "save_formula": reverse("orders:save-formula"),
            "delete_formula": reverse("orders:delete-formula", args=[ANY_ORDER]),
            "socket": SOCKET_PATH,
            "watchlist": reverse("marketdata:watchlist", args=[ANY_ORDER]),
        },
    }
