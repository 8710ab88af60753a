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
from core.domain.errors import Refusal
from core.request_context import current_request_id
from orders.domain.views import OrderView
from orders.models import Order
from orders.services.ordering import cancel_order, submit_order
from orders.services.previews import Asked, preview_ticket
from orders.templatetags.trading_format import plain, side_word, status_word
from orders.ticket_form import TicketForm
from orders.views.answers import (
    back,
    for_account,
    for_own_order,
    require_trader,
    terminal_address,
    unreadable,
    viewer_of,
)
from orders.views.preview_words import ticket_body
from orders.views.terminal import terminal_page
from portfolio.models import TradingAccount
from risk.domain.reasons import DenialReason


@require_POST
@for_account
def place(request: HttpRequest, account: TradingAccount) -> HttpResponse:
    """Places the ticket's order. JSON: 201 `{"order"}`; a page: back to the terminal, or, when the
    form asks `what_if`, the ticket with what the order would come to.
    """
    require_trader(request)
    form = TicketForm(request.POST)
    if not form.is_valid():
        if wants_json(request):
            raise unreadable(form)
        return terminal_page(request, account, form, status=422)
    if "what_if" in request.POST:
        seen = _previewed(request, account, form)
        return terminal_page(request, account, form, preview=seen)
    try:
        order = submit_order(
            account=account,
            spec=form.spec(),
            submitted_by=viewer_of(request),
            request_id=current_request_id(),
        )
    except Refusal as refusal:
        if wants_json(request):
            refusal.facts.setdefault("field", form.field_of(refusal))
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
    return JsonResponse(_previewed(request, account, form))


def _previewed(
    request: HttpRequest, account: TradingAccount, form: TicketForm
) -> dict[str, object]:
    instrument = form.cleaned_data["symbol"]
    asked = Asked(
        account=account,
        instrument=instrument,
        spec=form.spec(),
        viewer=viewer_of(request),
        request_id=current_request_id(),
    )
    return ticket_body(preview_ticket(asked, now=SystemClock().now()), instrument)


def order_sentence(order: OrderView) -> str:
    """ "Buy 10 AAPL: Filled", the same words as the live ticket's."""
    name = f"{side_word(order.side)} {plain(order.quantity)} {order.symbol}"
    return f"{name}: {status_word(order.status)}"
