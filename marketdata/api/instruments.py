"""`/api/v1/instruments`: the search, and all that is known of one instrument.

The dialect's `/v2/assets` answers everything at once and knows no hours, feeds or holes; these say
what the pages say, from the same selectors.
"""

from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import not_found
from core.domain.decimals import to_wire
from marketdata.api.base import DataView
from marketdata.api.params import Query, invalid
from marketdata.domain.dialect import Fields
from marketdata.domain.sessions import MarketHours
from marketdata.forms import LONGEST_QUERY
from marketdata.models import Instrument
from marketdata.selectors import instrument_by_symbol
from marketdata.selectors.hours import hours_of, state_in
from marketdata.selectors.instrument_facts import InstrumentFacts, instrument_facts
from marketdata.selectors.search import MOST_A_PAGE, PAGE_SIZE, Search, search_instruments

CLASSES = tuple(str(value) for value in Instrument.AssetClass.values)


class InstrumentTerms(serializers.Serializer[Any]):  # Any: it describes and holds no instance
    id = serializers.UUIDField()
    symbol = serializers.CharField()
    name = serializers.CharField()
    asset_class = serializers.CharField()
    venue = serializers.CharField()
    currency = serializers.CharField()
    state = serializers.CharField(
        help_text="CLOSED outside the sessions of its venue, else what is set"
    )
    tick_size = serializers.CharField()
    lot_size = serializers.CharField()
    min_notional = serializers.CharField()
    is_marginable = serializers.BooleanField()
    market_band_bps = serializers.IntegerField()
    volatility_bps = serializers.IntegerField()


class InstrumentPage(serializers.Serializer[Any]):
    instruments = InstrumentTerms(many=True)
    next_page_token = serializers.CharField(allow_null=True)


class SessionHours(serializers.Serializer[Any]):
    day = serializers.DateField()
    opens_at = serializers.DateTimeField()
    closes_at = serializers.DateTimeField()


class InstrumentHours(serializers.Serializer[Any]):
    calendar = serializers.CharField(help_text="ALWAYS never closes.")
    time_zone = serializers.CharField()
    is_open = serializers.BooleanField()
    next_sessions = SessionHours(many=True)
    known_until = serializers.DateField(allow_null=True)


class FeedRank(serializers.Serializer[Any]):
    feed = serializers.CharField()
    rank = serializers.IntegerField()
    symbol_there = serializers.CharField()
    is_enabled = serializers.BooleanField()
    is_followed = serializers.BooleanField()


class NewestQuote(serializers.Serializer[Any]):
    t = serializers.DateTimeField()
    bid = serializers.CharField()
    ask = serializers.CharField()
    feed = serializers.CharField(allow_blank=True)
    age_seconds = serializers.IntegerField()


Factor = type(  # made so for its member `source`, which serializers have themselves
    "Factor",
    (serializers.Serializer,),
    {
        "day": serializers.DateField(),
        **{name: serializers.CharField() for name in ("price_factor", "split_factor", "source")},
    },
)


class StoredBars(serializers.Serializer[Any]):
    timeframe = serializers.CharField()
    sources = serializers.CharField()
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()
    count = serializers.IntegerField(allow_null=True)


class MissingBars(serializers.Serializer[Any]):
    timeframe = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class InstrumentDetail(InstrumentTerms):
    hours = InstrumentHours()
    quote = NewestQuote(allow_null=True)
    feeds = FeedRank(many=True)
    factors = Factor(many=True)
    stored_bars = StoredBars(many=True)
    holes = MissingBars(many=True)
    open_holes = serializers.IntegerField()


class InstrumentsView(DataView):
    """/api/v1/instruments"""

    @extend_schema(
        tags=["Instruments"],
        parameters=[
            OpenApiParameter("q", str, description="A symbol's beginning, or words of a name."),
            OpenApiParameter("asset_class", str, enum=CLASSES),
            OpenApiParameter("venue", str, description="A venue's code."),
            OpenApiParameter("limit", int, description=f"1 to {MOST_A_PAGE}; default {PAGE_SIZE}."),
            OpenApiParameter("page_token", str, description="next_page_token of the page before."),
        ],
        responses=InstrumentPage,
        operation_id="search_instruments",
    )
    def get(self, request: Request) -> Response:
        """Instruments by what is typed: the symbol first, then words of names; best first."""
        query = Query(request.query_params, ("q", "asset_class", "venue", "limit", "page_token"))
        text = query.text("q") or ""
        if len(text) > LONGEST_QUERY:
            raise invalid("q", f"at most {LONGEST_QUERY} letters")
        asset_class = query.text("asset_class")
        search = Search(
            text=text,
            asset_class=query.choice("asset_class", CLASSES, "") if asset_class else "",
            venue=query.text("venue") or "",
            after=query.text("page_token") or "",
            limit=query.limit() if query.text("limit") else PAGE_SIZE,
        )
        try:
            found = search_instruments(search)
        except ValueError as error:
            raise invalid("page_token", "use the next_page_token of the page before") from error
        calendars = {row.venue.calendar for row in found.instruments}
        hours = hours_of(calendars, self.now())
        return Response(
            {
                "instruments": [
                    terms_fields(row, hours[row.venue.calendar]) for row in found.instruments
                ],
                "next_page_token": found.next,
            }
        )


class InstrumentView(DataView):
    """/api/v1/instruments/{symbol}"""

    @extend_schema(tags=["Instruments"], responses=InstrumentDetail, operation_id="get_instrument")
    def get(self, request: Request, name: str) -> Response:
        """All that is known of one instrument: terms, hours, feeds, stored bars and holes."""
        Query(request.query_params, ())
        instrument = instrument_by_symbol(name)
        if instrument is None:
            raise not_found(f"instrument not found for {name[:64]}")
        now = self.now()
        facts = instrument_facts(instrument, now)
        return Response(
            terms_fields(instrument, MarketHours(facts.is_open))
            | {
                "hours": _hours(facts),
                "quote": _quote(facts, facts.age_seconds(now)),
                "feeds": [
                    {
                        "feed": route.feed,
                        "rank": route.rank,
                        "symbol_there": route.symbol_there,
                        "is_enabled": route.is_enabled,
                        "is_followed": route.is_followed,
                    }
                    for route in facts.routes
                ],
            }
            | _past(facts)
        )


def terms_fields(instrument: Instrument, hours: MarketHours) -> Fields:
    """An instrument's terms, decimals as text."""
    return {
        "id": str(instrument.public_id),
        "symbol": instrument.symbol,
        "name": instrument.name,
        "asset_class": instrument.asset_class,
        "venue": instrument.venue_id,
        "currency": instrument.quote_currency_id,
        "state": state_in(instrument, hours),
        "tick_size": to_wire(instrument.tick_size),
        "lot_size": to_wire(instrument.lot_size),
        "min_notional": to_wire(instrument.min_notional),
        "is_marginable": instrument.is_marginable,
        "market_band_bps": instrument.market_band_bps,
        "volatility_bps": instrument.volatility_bps,
    }


def _hours(facts: InstrumentFacts) -> Fields:
    venue = facts.instrument.venue
    return {
        "calendar": venue.calendar,
        "time_zone": ZoneInfo(venue.time_zone).key,
        "is_open": facts.is_open,
        "next_sessions": [
            {
                "day": hours.day.isoformat(),
                "opens_at": hours.opens_at,
                "closes_at": hours.closes_at,
            }
            for hours in facts.coming
        ],
        "known_until": facts.known_until and facts.known_until.isoformat(),
    }


def _quote(facts: InstrumentFacts, age_seconds: int | None) -> Fields | None:
    quote = facts.quote
    if quote is None:
        return None
    return {
        "t": quote.t,
        "bid": to_wire(quote.bid),
        "ask": to_wire(quote.ask),
        "feed": quote.feed,
        "age_seconds": age_seconds,
    }


def _past(facts: InstrumentFacts) -> Fields:
    return {
        "factors": [
            {
                "day": row.day.isoformat(),
                "price_factor": to_wire(row.price_factor),
                "split_factor": to_wire(row.split_factor),
                "source": row.source,
            }
            for row in facts.factors
        ],
        "stored_bars": [
            {
                "timeframe": row.timeframe,
                "sources": row.sources,
                "first": row.first,
                "last": row.last,
                "count": row.count,
            }
            for row in facts.stored
        ],
        "holes": [
            {"timeframe": row.timeframe, "start": row.start, "end": row.end} for row in facts.holes
        ],
        "open_holes": facts.open_holes,
    }
