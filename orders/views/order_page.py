"""The page of one order: its facts, its life as a picture, its events, fills and the orders that it
replaced or that replaced it. The page's script asks for the same as JSON when something happens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.selectors import may_trade
from core.api import wants_json
from core.domain.clock import SystemClock, to_ns
from orders.domain.picture import Life, Moment, draw
from orders.domain.views import AccountEvent, OrderView
from orders.selectors.histories import OrderHistory, history_of, order_readable_by
from orders.templatetags.trading_format import fixed, leg_word, plain, status_word
from orders.views.answers import viewer_of
from orders.views.order_words import (
    MARKS,
    event_sentence,
    group_sentence,
    is_reason_worth_saying,
    order_facts,
    order_name,
    reason_sentence,
    trail_facts,
)
from orders.views.preview_words import scale_body
from portfolio.selectors import accounts_visible_to

Shown = dict[str, object]


@require_GET
@login_required
def order_page(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """404 for who may not see the order's account."""
    viewer = viewer_of(request)
    order = order_readable_by(viewer, order_id)
    if order is None:
        raise Http404
    history = history_of(order)
    shown = _shown(history, SystemClock().now())
    if wants_json(request):
        return JsonResponse(shown)
    is_mine = _is_mine(viewer, history)
    page_data = {
        "shown": shown,
        "account_topic": f"account:{history.account_id}" if is_mine else None,
        "trails_topic": f"trails:{history.account_id}" if is_mine and history.order.hwm else None,
        "order": {"id": history.order.id, "digits": history.price_digits},
        "urls": {"order": reverse("orders:order", args=[order.pk])},
    }
    context = {
        **shown,
        "history": history,
        "may_act": is_mine and may_trade(viewer),
        "page_data": page_data,
    }
    return render(request, "orders/order.html", context)


def _is_mine(viewer: User, history: OrderHistory) -> bool:
    return accounts_visible_to(viewer).filter(public_id=history.account_id).exists()


def _shown(history: OrderHistory, now: datetime) -> Shown:
    """All that the page says, as texts: the template and the script only place them."""
    order, digits = history.order, history.price_digits
    picture = draw([_life(history, link) for link in history.chain], to_ns(now))
    return {
        "name": order_name(order, digits),
        "status": status_word(order.status),
        "reason": _why(history, order.reason),
        "is_open": order.closed_at is None,
        "facts": order_facts(history),
        "events": [_event(event, history) for event in reversed(history.events)],
        "is_cut": history.is_cut,
        "fills": _fills(history),
        "chain": [_link(link, history) for link in history.chain],
        "group": [_member(member, history) for member in history.group],
        "group_word": group_sentence(order),
        "trail": trail_facts(order, digits),
        "scale": scale_body(history.levels, digits),
        "picture": asdict(picture),
        "from": _moment(history.chain[0].submitted_at),
        "until": _moment(history.chain[-1].closed_at or now.isoformat()),
        "summary": _summary(history),
    }


def _event(event: AccountEvent, history: OrderHistory) -> Mapping[str, object]:
    assert event.order is not None  # asked for by its order
    reason = event.order.reason if event.order.closed_at is not None else None
    return {
        "time": _moment(event.occurred_at),
        "kind": MARKS.get(event.event, "change"),
        "text": event_sentence(event, history.price_digits),
        "reason": _why(history, reason) if is_reason_worth_saying(reason) else "",
        "request_id": event.request_id,
    }


def _why(history: OrderHistory, reason: str | None) -> str:
    """The reason as a sentence, with what an operator wrote."""
    sentence = reason_sentence(reason)
    return f"{sentence} {history.operators_reason}".strip()


def _fills(history: OrderHistory) -> Sequence[Mapping[str, str]]:
    """Newest first, each with what had filled by then."""
    filled, rows = Decimal(0), []
    for fill in history.executions:
        if fill.order_id != history.order.id:
            continue
        filled += Decimal(fill.quantity)
        rows.append(
            {
                "id": fill.id,
                "time": _moment(fill.occurred_at),
                "quantity": plain(fill.quantity),
                "price": fixed(fill.price, history.price_digits),
                "value": fixed(Decimal(fill.quantity) * Decimal(fill.price), 2),
                "fee": fixed(fill.fee, 2),
                "liquidity": fill.liquidity.lower(),
                "filled": plain(filled),
            }
        )
    return rows[::-1]


def _link(link: OrderView, history: OrderHistory) -> Mapping[str, object]:
    return {
        "url": reverse("orders:order", args=[link.id]),
        "text": order_name(link, history.price_digits),
        "status": status_word(link.status),
        "time": _moment(link.submitted_at),
        "is_chosen": link.id == history.order.id,
    }


def _member(member: OrderView, history: OrderHistory) -> Mapping[str, object]:
    """An order of the group, told with its part in it."""
    assert member.group is not None  # it is one
    return {**_link(member, history), "part": leg_word(member.group.leg)}


def _life(history: OrderHistory, order: OrderView) -> Life:
    """An order of the chain; of the chosen one every event, of the others their fills."""
    if order.id == history.order.id and history.events and not history.is_cut:
        moments = [_moment_of(event, history.price_digits) for event in history.events]
    else:
        moments = _coarse(history, order)
    return Life(
        name=f"{order_name(order, history.price_digits)}: {status_word(order.status)}",
        is_chosen=order.id == history.order.id,
        start_ns=_ns(order.submitted_at),
        end_ns=None if order.closed_at is None else _ns(order.closed_at),
        moments=moments,
    )


def _moment_of(event: AccountEvent, digits: int) -> Moment:
    order = event.order
    assert order is not None  # asked for by its order
    return Moment(
        at_ns=_ns(event.occurred_at),
        kind=MARKS.get(event.event, "change"),
        text=event_sentence(event, digits),
        filled=Decimal(order.filled_quantity) / Decimal(order.quantity),
    )


def _coarse(history: OrderHistory, order: OrderView) -> list[Moment]:
    share, whole = Decimal(0), Decimal(order.quantity)
    moments = [
        Moment(_ns(order.submitted_at), "begin", order_name(order, history.price_digits), share)
    ]
    for fill in history.executions:
        if fill.order_id == order.id:
            share += Decimal(fill.quantity) / whole
            text = f"{plain(fill.quantity)} × {plain(fill.price)}"
            moments.append(Moment(_ns(fill.occurred_at), "fill", text, share))
    if order.closed_at is not None and order.status != "FILLED":
        moments.append(Moment(_ns(order.closed_at), "end", status_word(order.status), share))
    return moments


def _summary(history: OrderHistory) -> str:
    """The picture in words."""
    texts = [
        f"{_moment(event.occurred_at)}: {event_sentence(event, history.price_digits)}"
        for event in history.events[:20]
    ]
    return " ".join(texts) or order_name(history.order, history.price_digits)


def _moment(instant: str) -> str:
    """ "2026-03-02 15:30:00.123" in UTC."""
    return f"{instant[:10]} {instant[11:23].rstrip('Z')}"


def _ns(instant: str) -> int:
    return to_ns(datetime.fromisoformat(instant))
