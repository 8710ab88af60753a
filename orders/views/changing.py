"""Changing open orders from the pages: one of them, or canceling many.

The same addresses serve forms without scripts (post, redirect, get) and the terminal's dialogs
(JSON).
"""

from dataclasses import replace
from decimal import Decimal

import msgspec
from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from core.api import wants_json
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.request_context import current_request_id
from orders.domain.changing import ChangePlan, Wanted, is_waiting
from orders.domain.preview import Preview
from orders.domain.preview_checks import DraftOrder
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from orders.domain.views import OrderView
from orders.forms import TIMES_IN_FORCE, CancelAllForm, ChangeForm
from orders.models import Order
from orders.selectors import order_view
from orders.selectors.previews import preview_amend, preview_order
from orders.services.changing import change_order, plan_or_refuse
from orders.services.ordering import cancel_all_orders
from orders.templatetags.trading_format import plain, side_word, status_word
from orders.views.answers import (
    back,
    for_account,
    for_own_order,
    require_trader,
    unreadable,
    viewer_of,
)
from orders.views.preview_words import preview_body
from portfolio.models import TradingAccount

CHANGED_TIMES = ("DAY", "GTC", "IOC", "FOK")


@require_http_methods(["GET", "POST"])
@for_own_order
def change(request: HttpRequest, order: Order) -> HttpResponse:
    """The form page of a change, with what it would do when the address names it; by POST the
    change itself. JSON: `{"order"}`, the order itself or its successor.
    """
    if request.method == "GET":
        form = ChangeForm(request.GET if "quantity" in request.GET else None)
        return _page(request, order, form)
    require_trader(request)
    form = ChangeForm(request.POST)
    if not form.is_valid():
        if wants_json(request):
            raise unreadable(form)
        return _page(request, order, form, status=422)
    try:
        changed = change_order(
            order=order,
            wanted=form.wanted(),
            seen_filled=form.cleaned_data["filled"],
            submitted_by=viewer_of(request),
            request_id=current_request_id(),
        )
    except Refusal as refusal:
        if wants_json(request):
            raise
        form.show(refusal)
        return _page(request, order, form, status=refusal.status)
    if wants_json(request):
        return JsonResponse({"order": msgspec.to_builtins(changed)})
    messages.success(request, _changed_sentence(order, changed))
    return back(request)


@require_GET
@for_own_order
def preview_change(request: HttpRequest, order: Order) -> HttpResponse:
    """What the change would do: the ticket's preview and `how`, a sentence about its place."""
    form = ChangeForm(request.GET)
    if not form.is_valid():
        raise unreadable(form)
    how, seen = _what_if(order, form.wanted())
    return JsonResponse({"how": how, **preview_body(seen)})


def _page(
    request: HttpRequest, order: Order, form: ChangeForm, *, status: int = 200
) -> HttpResponse:
    now = order_view(order)
    how, seen, refusal = "", None, ""
    if form.is_bound and form.is_valid():
        try:
            how, seen = _what_if(order, form.wanted())
        except Refusal as refused:
            refusal = refused.message
    context = {
        "order": now,
        "form": form,
        "how": how,
        "preview": seen,
        "refusal": refusal,
        "times_in_force": times_in_force(now.type, now.time_in_force),
        "moves_stop": is_waiting(now) and now.hwm is None,
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "orders/change.html", context, status=status)


def times_in_force(order_type: str, now: str) -> list[tuple[str, object]]:
    """What an order's time in force may become: what ends at once only where it may trade."""
    words = dict(TIMES_IN_FORCE)
    waits = OrderType(order_type).is_stop
    names = [name for name in CHANGED_TIMES if not (waits and name in {"IOC", "FOK"})]
    return [(name, words.get(name, name)) for name in dict.fromkeys([now, *names])]


def _what_if(order: Order, wanted: Wanted) -> tuple[str, Preview]:
    now = order_view(order)
    plan = plan_or_refuse(now, wanted)
    if plan.amended is not None:
        how = _("Done in place: the order keeps its number and its place in the queue.")
        return how, preview_amend(order, plan.amended)
    seen = preview_order(
        order.account,
        order.instrument,
        _draft(order, now, plan),
        now=SystemClock().now(),
        instead_of=order,
    )
    return _successor_sentence(now, plan), seen


def _successor_sentence(order: OrderView, plan: ChangePlan) -> str:
    if plan.keeps_place:
        return _("A new order takes over, in the same place in the queue.")
    if is_waiting(order):
        return _("A new order takes over and waits for its stop price.")
    return _("A new order takes over, last in the queue at its price.")


def _draft(order: Order, now: OrderView, plan: ChangePlan) -> DraftOrder:
    """The successor as a ticket would write it; of a stop that was elected what is left of it."""
    wanted = plan.changes
    kind = OrderType(order.type)
    trails = kind is OrderType.TRAILING_STOP  # until it moves, it is a stop where it stands now
    draft = DraftOrder(
        Side(order.side),
        OrderType.STOP if trails else kind,
        wanted.quantity or order.quantity - order.filled_quantity - order.prevented_quantity,
        wanted.limit_price or (order.limit_price if kind.names_limit else None),
        wanted.stop_price or (Decimal(now.stop_price) if now.stop_price else None),
        time_in_force=wanted.time_in_force or TimeInForce(order.time_in_force),
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        stp_mode=StpMode(order.stp_mode),
    )
    if not kind.is_stop or is_waiting(now):
        return draft
    left = OrderType.LIMIT if draft.limit_price else OrderType.MARKET
    return replace(draft, type=left, stop_price=None)


def _changed_sentence(old: Order, changed: OrderView) -> str:
    name = f"{side_word(changed.side)} {plain(changed.leaves_quantity)} {changed.symbol}"
    if changed.id == str(old.pk):
        return _("%(order)s: lowered in its place.") % {"order": name}
    name = f"{side_word(changed.side)} {plain(changed.quantity)} {changed.symbol}"
    return _("Replaced. %(order)s: %(status)s") % {
        "order": name,
        "status": status_word(changed.status),
    }


@require_http_methods(["GET", "POST"])
@for_account
def cancel_all(request: HttpRequest, account: TradingAccount) -> HttpResponse:
    """Asks which open orders to cancel; by POST cancels those of a symbol and a side, or all. JSON:
    `{"orders"}` that were open.
    """
    form = CancelAllForm(request.POST or request.GET)
    if request.method == "GET":
        return _cancel_page(request, account, form)
    require_trader(request)
    if not form.is_valid():
        raise unreadable(form)
    symbol = form.cleaned_data["symbol"]
    orders = cancel_all_orders(
        account=account,
        request_id=current_request_id(),
        symbols=(symbol,) if symbol else (),
        side=form.side_of(),
    )
    if wants_json(request):
        return JsonResponse({"orders": msgspec.to_builtins(orders)})
    messages.success(request, _("Orders canceled: %(count)d.") % {"count": len(orders)})
    return back(request)


def _cancel_page(
    request: HttpRequest, account: TradingAccount, form: CancelAllForm
) -> HttpResponse:
    rows: QuerySet[Order] = Order.objects.filter(account=account, closed_at__isnull=True)
    counts = rows.values("instrument__symbol", "side").annotate(count=Count("pk"))
    context = {
        "counts": counts.order_by("instrument__symbol", "side"),
        "form": form,
        "next": request.GET.get("next", ""),
    }
    return render(request, "orders/cancel_all.html", context)
