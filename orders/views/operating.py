"""The operators' pages: every account's open orders, and the state of each market."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.selectors import may_cancel_any_order, may_halt_instruments, may_read_all_accounts
from core.api import read_query, wants_json
from core.domain.ages import age_text
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.request_context import origin_of
from marketdata.models import Instrument
from orders.domain.queue_request import QUEUE_STATES, QueueQuery, read_queue_query
from orders.forms import MarketStateForm, ReasonForm
from orders.selectors.market_plans import coming_plans
from orders.selectors.queues import (
    QueuedOrder,
    open_counts,
    queue_groups,
    queue_page,
    queue_size,
)
from orders.services.instruments import set_instrument_status
from orders.services.operating import cancel_for_owner
from orders.templatetags.trading_format import (
    market_word,
    plain,
    side_word,
    status_word,
    type_word,
)
from orders.views.answers import back, refused, unreadable, viewer_of

BPS_OF_PERCENT: Final = 100
STATE_WORDS = {
    "working": gettext_lazy("In the book"),
    "waiting_stop": gettext_lazy("Waits for its stop price"),
    "waiting_auction": gettext_lazy("Waits for the auction"),
    "waiting_entry": gettext_lazy("Waits for its entry"),
}


def reader_of(request: HttpRequest) -> User:
    """The viewer, who may read every account; 403 for anybody else."""
    viewer = viewer_of(request)
    if not may_read_all_accounts(viewer):
        raise PermissionDenied
    return viewer


@require_GET
@login_required
def queue(request: HttpRequest) -> HttpResponse:
    """What is open, oldest first. JSON `{"rows", "total"}` for the page's script."""
    viewer = reader_of(request)
    try:
        query = read_queue_query(
            {name: value for name, value in read_query(request.GET).items() if value}
        )
    except Refusal as refusal:
        return refused(request, refusal)
    found = queue_page(query, SystemClock().now())
    shown = {"rows": [_row(row) for row in found], "total": queue_size(query)}
    if wants_json(request):
        return JsonResponse(shown)
    context = {
        **shown,
        "groups": queue_groups(query),
        "query": query,
        "states": [(state, STATE_WORDS[state]) for state in QUEUE_STATES],
        "symbols": Instrument.objects.order_by("symbol").values_list("symbol", flat=True),
        "next_page": _next_page(query, found),
        "may_cancel": may_cancel_any_order(viewer),
        "page_data": {"rows": shown["rows"]},
    }
    return render(request, "orders/queue.html", context)


def _row(queued: QueuedOrder) -> dict[str, object]:
    """An order of the queue as texts, the same for the template and the script."""
    order = queued.order
    return {
        "id": order.id,
        "account": queued.account_name,
        "owner": queued.owner,
        "symbol": order.symbol,
        "side": order.side,
        "side_word": side_word(order.side),
        "type": f"{type_word(order.type)} {order.time_in_force}",
        "left": plain(order.leaves_quantity),
        "quantity": plain(order.quantity),
        "limit": plain(order.limit_price),
        "stop": plain(order.stop_price),
        "status": status_word(order.status),
        "age": age_text(queued.age_seconds),
        "ahead": _ahead_text(queued),
        "url": reverse("orders:order", args=[order.id]),
        "cancel_url": reverse("orders:operate-cancel", args=[order.id]),
    }


def _ahead_text(queued: QueuedOrder) -> str:
    if queued.orders_ahead is None:
        return "–"
    if queued.orders_ahead == 0:
        return _("first")
    return f"{queued.orders_ahead} · {plain(queued.quantity_ahead)}"


def _next_page(query: QueueQuery, found: list[QueuedOrder]) -> str:
    if len(found) < query.size:
        return ""
    asked: dict[str, str | int] = {
        "account": str(query.account or ""),
        "symbol": query.symbol,
        "state": query.state,
        "after": found[-1].number,
        "limit": query.size,
    }
    return urlencode({name: value for name, value in asked.items() if value})


@require_POST
@login_required
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Cancels somebody's order with a reason. JSON: `{"id"}`."""
    reader_of(request)
    form = ReasonForm(request.POST)
    try:
        if not form.is_valid():
            raise unreadable(form)
        order = cancel_for_owner(
            order_id=order_id,
            reason=form.cleaned_data["reason"],
            actor=viewer_of(request),
            origin=origin_of(request, SystemClock().now()),
        )
    except Refusal as refusal:
        return refused(request, refusal)
    if wants_json(request):
        return JsonResponse({"id": order.id})
    name = f"{side_word(order.side)} {plain(order.quantity)} {order.symbol}"
    messages.success(request, f"{name}: {status_word(order.status)}")
    return back(request)


@require_GET
@login_required
def markets(request: HttpRequest) -> HttpResponse:
    """The state of each market and how much waits in it."""
    viewer = reader_of(request)
    counts = open_counts()
    rows = [
        {
            "symbol": row.symbol,
            "name": row.name,
            "status": row.status,
            "word": market_word(row.status),
            "paused_until": row.paused_until,
            "band": band_text(row),
            "open_orders": counts.get(row.pk, 0),
        }
        for row in Instrument.objects.order_by("symbol")
    ]
    context = {
        "rows": rows,
        "plans": coming_plans(),
        "choices": MarketStateForm.base_fields["status"].choices,  # type: ignore[attr-defined]
        "may_halt": may_halt_instruments(viewer),
    }
    return render(request, "orders/markets.html", context)


def band_text(row: Instrument) -> str:
    """ "1 % in 300 s, then Auction for 120 s"; a dash without a band."""
    if not row.volatility_bps:
        return "–"
    return _("%(percent)s %% in %(window)s s, then %(state)s for %(pause)s s") % {
        "percent": plain(Decimal(row.volatility_bps) / BPS_OF_PERCENT),
        "window": row.window_seconds,
        "state": market_word(row.pause_state),
        "pause": row.pause_seconds,
    }


@require_POST
@login_required
def set_market(request: HttpRequest) -> HttpResponse:
    """Brings a market into a state, with a reason, on the record."""
    if not may_halt_instruments(viewer_of(request)):
        raise PermissionDenied
    form = MarketStateForm(request.POST)
    try:
        if not form.is_valid():
            raise unreadable(form)
        asked = form.cleaned_data
        set_instrument_status(
            instrument=asked["symbol"],
            status=asked["status"],
            reason=asked["reason"],
            actor=viewer_of(request),
            origin=origin_of(request, SystemClock().now()),
        )
    except Refusal as refusal:
        return refused(request, refusal)
    words = {"symbol": asked["symbol"].symbol, "state": market_word(asked["status"])}
    messages.success(request, _("%(symbol)s: %(state)s.") % words)
    return back(request)
