"""Changing open orders from the pages: one of them, or canceling many.

The same addresses serve forms without scripts (post, redirect, get) and the terminal's dialogs
(JSON).
"""

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
from orders.domain.changing import ChangePlan, Wanted, fields_to_change, is_waiting
from orders.domain.preview import Preview
from orders.domain.values import OrderStatus, OrderType
from orders.domain.views import OrderView
from orders.forms import TIMES_IN_FORCE, CancelAllForm, ChangeForm
from orders.models import Order
from orders.selectors import order_view
from orders.selectors.change_previews import preview_change
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
        is_asked = not ChangeForm.base_fields.keys().isdisjoint(request.GET)
        form = ChangeForm(request.GET if is_asked else None)
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
        form.show(refusal, offered=fields_to_change(order_view(order)))
        return _page(request, order, form, status=refusal.status)
    if wants_json(request):
        return JsonResponse({"order": msgspec.to_builtins(changed)})
    messages.success(request, _changed_sentence(order, changed))
    return back(request)


@require_GET
@for_own_order
def what_if(request: HttpRequest, order: Order) -> HttpResponse:
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
        "offered": fields_to_change(now),
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
    return _how(now, plan), preview_change(order, plan, now=SystemClock().now())


def _how(order: OrderView, plan: ChangePlan) -> str:
    if plan.amended is not None:
        return _("Done in place: the order keeps its number and its place in the queue.")
    if plan.keeps_place:
        return _("A new order takes over, in the same place in the queue.")
    if order.status == OrderStatus.HELD:
        return _("A new order takes over and goes on waiting for its entry.")
    if is_waiting(order):
        return _("A new order takes over and waits for its stop price.")
    return _("A new order takes over, last in the queue at its price.")


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
