"""What the ticket and the blotter do: place, cancel, preview.

The same addresses serve forms without scripts (post, redirect, get) and the pages' scripts (JSON).
"""

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.api import wants_json
from core.domain.clock import SystemClock
from core.domain.decimals import to_wire
from core.domain.errors import Refusal
from core.request_context import current_request_id
from orders.domain.preview import Preview
from orders.domain.preview_checks import DraftOrder
from orders.domain.values import StpMode
from orders.domain.views import OrderView
from orders.forms import REFUSAL_FIELDS, TicketForm
from orders.models import Order
from orders.selectors.previews import preview_order
from orders.services.ordering import cancel_order, submit_order
from orders.templatetags.trading_format import plain, side_word, status_word
from orders.views.answers import (
    back,
    for_account,
    for_own_order,
    require_trader,
    terminal_address,
    unreadable,
    viewer_of,
)
from orders.views.terminal import terminal_page
from portfolio.models import TradingAccount
from risk.domain.reasons import DenialReason


@require_POST
@for_account
def place(request: HttpRequest, account: TradingAccount) -> HttpResponse:
    """Places the ticket's order. JSON: 201 `{"order"}`; a page: back to the terminal."""
    require_trader(request)
    form = TicketForm(request.POST)
    if not form.is_valid():
        if wants_json(request):
            raise unreadable(form)
        return terminal_page(request, account, form, status=422)
    try:
        order = submit_order(
            account=account,
            spec=form.spec(),
            submitted_by=viewer_of(request),
            request_id=current_request_id(),
        )
    except Refusal as refusal:
        if wants_json(request):
            raise
        return _not_placed(request, account, form, refusal)
    if wants_json(request):
        return JsonResponse({"order": msgspec.to_builtins(order)}, status=201)
    messages.success(request, order_sentence(order))
    return redirect(terminal_address(order.symbol))


def _not_placed(
    request: HttpRequest, account: TradingAccount, form: TicketForm, refusal: Refusal
) -> HttpResponse:
    """The ticket as it was typed, with the reason; a ticket sent twice is no mistake worth one."""
    if refusal.reason == DenialReason.CLIENT_ORDER_ID_DUPLICATE:
        messages.info(request, _("This ticket was already sent. It was not sent twice."))
        return redirect(terminal_address(form.spec().symbol))
    form.show(refusal)
    return terminal_page(request, account, form, status=refusal.status)


@require_POST
@for_own_order
def cancel(request: HttpRequest, order: Order) -> HttpResponse:
    """Cancels one open order. JSON: `{"order"}`; a page: back to where the button was."""
    require_trader(request)
    canceled = cancel_order(
        account=order.account, order_id=order.pk, request_id=current_request_id()
    )
    if wants_json(request):
        return JsonResponse({"order": msgspec.to_builtins(canceled)})
    messages.success(request, order_sentence(canceled))
    return back(request)


@require_GET
@for_account
def preview(request: HttpRequest, account: TradingAccount) -> HttpResponse:
    """What the ticket's order would cost now, and whether it would pass."""
    form = TicketForm(request.GET)
    if not form.is_valid():
        raise unreadable(form)
    spec = form.spec()
    draft = DraftOrder(
        spec.side,
        spec.type,
        spec.quantity,
        spec.limit_price,
        spec.stop_price,
        time_in_force=spec.time_in_force,
        post_only=spec.post_only,
        reduce_only=spec.reduce_only,
        stp_mode=spec.stp_mode or StpMode(account.stp_mode),
    )
    instrument = form.cleaned_data["symbol"]
    return JsonResponse(
        preview_body(preview_order(account, instrument, draft, now=SystemClock().now()))
    )


def preview_body(seen: Preview) -> dict[str, object]:
    """A preview as scripts read it."""
    return {
        "estimated_price": None if seen.price is None else to_wire(seen.price),
        "estimated_notional": None if seen.notional is None else to_wire(seen.notional),
        "estimated_fee": None if seen.fee is None else to_wire(seen.fee),
        "buying_power_after": None if seen.free_after is None else to_wire(seen.free_after),
        "takeable_quantity": to_wire(seen.takeable),
        "accepted": seen.denial is None,
        "reason": None if seen.denial is None else str(seen.denial.reason),
        "message": "" if seen.denial is None else seen.denial.sentence,
        "field": None if seen.denial is None else REFUSAL_FIELDS.get(str(seen.denial.reason)),
    }


def order_sentence(order: OrderView) -> str:
    """ "Buy 10 AAPL: Filled", the same words as the live ticket's."""
    name = f"{side_word(order.side)} {plain(order.quantity)} {order.symbol}"
    return f"{name}: {status_word(order.status)}"
