"""Instruments: the search, and the page of one of them with all that is known of it."""

from collections.abc import Mapping
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core.api import wants_json
from core.domain.clock import SystemClock
from core.domain.errors import CODE_MALFORMED, ErrorReason, Refusal
from marketdata.domain.mini_chart import HEIGHT, WIDTH, mini_chart
from marketdata.domain.sessions import MarketHours
from marketdata.forms import SearchForm
from marketdata.models import Instrument
from marketdata.selectors import instrument_by_symbol
from marketdata.selectors.hours import state_in
from marketdata.selectors.instrument_facts import instrument_facts, recent_days
from marketdata.selectors.search import Search, search_instruments, venues
from marketdata.selectors.watch import watch_rows
from marketdata.selectors.watchlists import watchlists_of
from marketdata.views.answers import for_viewer, viewer_of
from marketdata.views.rows import shown_row

QUICK_RESULTS = 8
"""What the quick search offers while somebody types: a list that is taken in at a glance."""


@require_GET
@for_viewer
def search(request: HttpRequest) -> HttpResponse:
    """A page of what was found; scripts get the first few as JSON."""
    form = SearchForm(request.GET)
    values = form.cleaned_data if form.is_valid() else {}
    wanted = Search(
        text=_typed(values, "q"),
        asset_class=_typed(values, "asset_class"),
        venue=_typed(values, "venue"),
        after=_typed(values, "after"),
    )
    if wants_json(request):
        quick = Search(text=wanted.text, limit=QUICK_RESULTS)
        offered = search_instruments(quick).instruments
        return JsonResponse({"items": [_item(instrument) for instrument in offered]})
    try:
        found = search_instruments(wanted)
    except ValueError as error:
        raise Refusal(
            status=400,
            code=CODE_MALFORMED,
            reason=ErrorReason.FIELD_INVALID,
            message=_("There is no such page of results. Search again."),
        ) from error
    query = {name: _typed(values, name) for name in ("q", "asset_class", "venue")}
    context = {
        "query": query,
        "rows": [shown_row(row) for row in watch_rows(SystemClock().now(), found.instruments)],
        "classes": list(class_words().items()),
        "venues": venues(),
        "next_page": found.next and urlencode({**query, "after": found.next}),
        "is_further": bool(wanted.after),
    }
    return render(request, "marketdata/instruments.html", context)


def class_words() -> dict[str, str]:
    """The classes of instruments as a trader says them."""
    return {
        Instrument.AssetClass.US_EQUITY: _("US stock"),
        Instrument.AssetClass.CRYPTO: _("Crypto pair"),
    }


def _typed(values: Mapping[str, object], name: str) -> str:
    return str(values.get(name) or "")


def _item(instrument: Instrument) -> dict[str, str]:
    return {
        "symbol": instrument.symbol,
        "name": instrument.name,
        "url": reverse("marketdata:instrument", args=[instrument.symbol]),
    }


@require_GET
@for_viewer
def detail(request: HttpRequest, symbol: str) -> HttpResponse:
    """The instrument that the address names; a pair with or without its slash."""
    instrument = instrument_by_symbol(symbol)
    if instrument is None:
        raise Http404
    now = SystemClock().now()
    facts = instrument_facts(instrument, now)
    days = recent_days(instrument)
    (row,) = watch_rows(now, [instrument])
    shown = shown_row(row)
    context = {
        "instrument": shown,
        "facts": facts,
        "age": facts.age_seconds(now),
        "specs": _specs(instrument),
        "state": state_in(instrument, MarketHours(facts.is_open)),
        "zone": instrument.venue.time_zone,
        "days": [{"day": day, "close": close} for day, close in reversed(days)],
        "chart": mini_chart([close for _, close in days]),
        "box": {"width": WIDTH, "height": HEIGHT},
        "now": now,
        "lists": watchlists_of(viewer_of(request)),
        "trade": f"{reverse('orders:terminal')}?{urlencode({'symbol': instrument.symbol})}",
        "page_data": {"symbol": instrument.symbol, "digits": shown["digits"]},
    }
    return render(request, "marketdata/instrument.html", context)


def _specs(instrument: Instrument) -> list[tuple[str, object]]:
    """The terms of trade, as words and numbers."""
    yes, no = _("yes"), _("no")
    venue = instrument.venue
    return [
        (_("Class"), class_words()[instrument.asset_class]),
        (_("Venue"), f"{venue.name} ({venue.code})"),
        (_("Traded in"), instrument.quote_currency_id),
        (_("Price step"), instrument.tick_size),
        (_("Quantity step"), instrument.lot_size),
        (_("Least order value"), instrument.min_notional or _("none")),
        (_("Fractions"), yes if instrument.lot_size < 1 else no),
        (_("On margin and short"), yes if instrument.is_marginable else no),
        (_("Market orders trade within"), _bps(instrument.market_band_bps)),
        (_("Volatility band"), _bps(instrument.volatility_bps) or _("none")),
    ]


def _bps(bps: int) -> str:
    """Basis points as a percentage; empty for none."""
    return f"±{(Decimal(bps) / 100).normalize():f}%" if bps else ""
