"""Bars of the past: pages across holes, seconds, and adjustment for corporate actions."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.domain.clock import to_ns
from marketdata.api.bars import stretches
from marketdata.api.paging import Span
from marketdata.domain.stored import SecondRow
from marketdata.models import AdjustmentFactor, Bar, Feed, Instrument
from marketdata.services import save_seconds
from tests.marketdata.data_api import DAY, Get, add_minutes, get, market, source

__all__ = ["get", "market", "source"]

pytestmark = pytest.mark.django_db
Market = dict[str, Instrument]
WINDOW = {"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T01:00:00Z"}


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_page_of_bars_looks_through_no_more_than_it_needs(newest_first: bool) -> None:
    span = Span(DAY, DAY + timedelta(days=100), newest_first)

    found = list(stretches(span, timedelta(days=1)))

    days = [(end - start).days for start, end in found]
    assert days == [1, 8, 64, 100]
    first = {end for _, end in found} if newest_first else {start for start, _ in found}
    assert first == ({span.end} if newest_first else {span.start})
    assert list(stretches(span, timedelta(days=100))) == [(span.start, span.end)]
    assert list(stretches(span._replace(after=(span.start, 0)), timedelta(days=200))) == (
        [] if newest_first else [(span.start + timedelta(microseconds=1), span.end)]
    )


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 5, 1_000])
def test_pages_of_bars_cross_any_hole(get: Get, market: Market, sort: str, limit: int) -> None:
    starts = [DAY, DAY + timedelta(minutes=1), DAY + timedelta(days=9), DAY + timedelta(days=90)]
    Bar.objects.bulk_create(
        Bar(
            instrument=market["AAPL"], timeframe="1Min", start=start, source="test",
            open=1, high=1, low=1, close=1, volume=1,
        )
        for start in starts
    )  # fmt: skip
    query = {
        "symbols": "AAPL", "timeframe": "1Min", "limit": limit, "sort": sort,
        "start": "2025-01-01", "end": "2026-12-31",
    }  # fmt: skip

    found: list[str] = []
    token: dict[str, str] = {}
    while token is not None:
        page = get("/v2/stocks/bars", **query, **token).json()
        found += [bar["t"] for bar in page["bars"].get("AAPL", [])]
        token = page["next_page_token"] and {"page_token": page["next_page_token"]}

    times = [datetime.fromisoformat(text) for text in found]
    assert times == (starts if sort == "asc" else starts[::-1])


def test_seconds_are_a_timeframe_of_ours(get: Get, market: Market, source: Feed) -> None:
    save_seconds(
        [
            SecondRow(
                market["AAPL"].pk, to_ns(DAY) + n * 10**9, 10**8, 3 * 10**8, 10**8, 2 * 10**8,
                4 * 10**8, 2, 8 * 10**16, source.pk,
            )
            for n in range(3)
        ]
    )  # fmt: skip

    page = get("/v2/stocks/AAPL/bars", timeframe="1Sec", **WINDOW, limit=2).json()

    assert [bar["t"] for bar in page["bars"]] == ["2026-03-02T00:00:00Z", "2026-03-02T00:00:01Z"]
    assert (page["bars"][0]["h"], page["bars"][0]["v"], page["bars"][0]["n"]) == (3, 4, 2)


@pytest.mark.parametrize(
    ("adjustment", "close", "volume"),
    [("raw", 100, 10), ("split", 50, 20), ("dividend", 90, 10), ("all", 45, 20)],
)
def test_bars_are_adjusted_by_choice(
    get: Get, market: Market, adjustment: str, close: int, volume: int
) -> None:
    add_minutes(market["AAPL"], 1)
    AdjustmentFactor.objects.create(
        instrument=market["AAPL"], day=DAY.date(), source="test",
        price_factor=Decimal("0.9"), split_factor=Decimal("0.5"),
    )  # fmt: skip

    page = get("/v2/stocks/AAPL/bars", timeframe="1Min", adjustment=adjustment, **WINDOW).json()

    assert [(bar["c"], bar["v"]) for bar in page["bars"]] == [(close, volume)]
