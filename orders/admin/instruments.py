"""Instruments, with what operators tell the engine of them: the state of each market."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.domain import roles
from core.confirmed_action import ConfirmedAction
from core.domain.origin import Origin
from marketdata.admin import InstrumentAdmin as InstrumentPages
from marketdata.domain.market_states import MarketState
from marketdata.models import Instrument
from orders.admin.actor import actor_of
from orders.admin.bands import SET_BANDS
from orders.services.instruments import set_instrument_status


def _set_status(status: MarketState, done: str) -> Any:
    # Any: an Act; the actions differ in one word
    def act(
        request: HttpRequest, instrument: Instrument, values: dict[str, Any], origin: Origin
    ) -> str:
        set_instrument_status(
            instrument=instrument,
            status=status.value,
            reason=values["reason"],
            actor=actor_of(request),
            origin=origin,
        )
        return done

    return act


HALT = ConfirmedAction(
    "halt",
    "Stop trading in these instruments? New orders are refused until it is resumed.",
    "Halt",
    _set_status(MarketState.HALTED, "halted."),
)
RESUME = ConfirmedAction(
    "resume",
    "Let these instruments trade again?",
    "Resume",
    _set_status(MarketState.OPEN, "resumed."),
)
CANCEL_ONLY = ConfirmedAction(
    "cancel_only",
    "Take no new orders in these instruments? What rests may still trade with the market.",
    "Set cancel-only",
    _set_status(MarketState.CANCEL_ONLY, "takes no new orders now."),
)
AUCTION = ConfirmedAction(
    "call_auction",
    "Collect orders in these instruments? Nothing trades until they are resumed, at one price.",
    "Call an auction",
    _set_status(MarketState.AUCTION, "collects orders for an auction."),
)
POST_ONLY = ConfirmedAction(
    "post_only",
    "Take only orders that rest in these instruments? Orders that would trade at once are refused.",
    "Set post-only",
    _set_status(MarketState.POST_ONLY, "takes only orders that rest now."),
)


admin.site.unregister(Instrument)


@admin.register(Instrument)
class InstrumentAdmin(InstrumentPages):
    """The instrument's pages with the commands that change the state of its market."""

    actions = ["halt", "resume", "cancel_only", "post_only", "call_auction", "set_bands"]

    @admin.action(description="Halt", permissions=["halt"])
    def halt(self, request: HttpRequest, chosen: QuerySet[Instrument]) -> HttpResponse | None:
        return HALT.run(self, request, chosen)

    @admin.action(description="Resume", permissions=["halt"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Instrument]) -> HttpResponse | None:
        return RESUME.run(self, request, chosen)

    @admin.action(description="Set cancel-only", permissions=["halt"])
    def cancel_only(
        self, request: HttpRequest, chosen: QuerySet[Instrument]
    ) -> HttpResponse | None:
        return CANCEL_ONLY.run(self, request, chosen)

    @admin.action(description="Set post-only", permissions=["halt"])
    def post_only(self, request: HttpRequest, chosen: QuerySet[Instrument]) -> HttpResponse | None:
        return POST_ONLY.run(self, request, chosen)

    @admin.action(description="Call an auction", permissions=["halt"])
    def call_auction(
        self, request: HttpRequest, chosen: QuerySet[Instrument]
    ) -> HttpResponse | None:
        return AUCTION.run(self, request, chosen)

    @admin.action(description="Set bands", permissions=["halt"])
    def set_bands(self, request: HttpRequest, chosen: QuerySet[Instrument]) -> HttpResponse | None:
        return SET_BANDS.run(self, request, chosen)

    def has_halt_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.HALT_INSTRUMENTS)
