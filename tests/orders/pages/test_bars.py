"""The chart's bars."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from core.domain.clock import SystemClock
from marketdata.models import Bar, Instrument
from tests.orders.pages.asked import JSON


def test_bars_come_oldest_first_as_decimal_strings(
    alice: User, instrument: Instrument, signed_in: Callable[[User], Client]
) -> None:
    minute = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    for offset in (0, 1):
        Bar.objects.create(
            instrument=instrument, timeframe="1Min", start=minute + timedelta(minutes=offset),
            open="100", high="101.50", low="99", close="100.25", volume="7", source="test",
        )  # fmt: skip

    answer = signed_in(alice).get(
        "/charts/bars", {"symbol": "ACME", "timeframe": "1Min", "limit": "10"}, headers=JSON
    )

    bars = answer.json()["bars"]
    assert [bar["t"] < bars[-1]["t"] for bar in bars] == [True, False]
    assert {key: bars[0][key] for key in "ohlcv"} == {
        "o": "100", "h": "101.5", "l": "99", "c": "100.25", "v": "7",
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        {"symbol": "NOPE", "timeframe": "1Min"},
        {"symbol": "ACME", "timeframe": "7Min"},
        {"symbol": "ACME", "timeframe": "1Min", "limit": "100000"},
    ],
)
def test_an_unreadable_request_for_bars_is_refused(
    alice: User,
    instrument: Instrument,
    signed_in: Callable[[User], Client],
    query: dict[str, str],
) -> None:
    answer = signed_in(alice).get("/charts/bars", query, headers=JSON)

    assert answer.status_code == 422
    assert answer.json()["reason"] == "FIELD_INVALID"
