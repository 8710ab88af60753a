"""docs/market-data-api.md says what there is: routes, names, channels, codes and limits."""

import re
from pathlib import Path

import pytest

from marketdata.api import params
from marketdata.consumers import base, control, programs
from marketdata.consumers.news import NEWS_CHANNELS
from marketdata.consumers.programs import CryptoSocket, StockSocket
from marketdata.domain.dialect import _CONDITIONS as CONDITIONS
from marketdata.domain.market_news import _STATUSES as STATUSES
from marketdata.domain.timeframes import Unit, parse_timeframe
from marketdata.hub import TOPIC_LIMIT, listener
from marketdata.routing import api_websocket_urlpatterns
from marketdata.urls import urlpatterns

PAGE = (Path(__file__).resolve().parents[2] / "docs/market-data-api.md").read_text()
TOLD = set(re.findall(r"`([^`\n]+)`", PAGE))
KINDS = "(?P<kind>bars|quotes|trades)"


def spelled(pattern: str) -> list[str]:
    """A route as the page writes it; one of three kinds may stand as its three."""
    text = "/" + pattern.strip("^$").replace("<path:name>", "{name}")
    text = text.replace("(?P<symbol>[^/]+)", "{symbol}").replace("<str:symbol>", "{symbol}")
    if text.endswith(KINDS):
        return [text.replace(KINDS, kind) for kind in ("bars", "quotes", "trades")]
    return [re.sub(r"\(\?P<kind>[a-z|]+\)", "{kind}", text)]


def test_every_route_stands_on_the_page() -> None:
    routes = {route for one in urlpatterns for route in spelled(str(one.pattern))}

    told = {route for route in routes if route.startswith(("/v2/", "/v1beta3/"))}
    assert len(told) > 15
    assert told - TOLD == set()


def test_every_socket_stands_on_the_page() -> None:
    assert {f"/{one.pattern}" for one in api_websocket_urlpatterns} <= TOLD


def test_every_channel_stands_on_the_page() -> None:
    every = {*StockSocket.channels, *StockSocket.silent_channels, *CryptoSocket.channels}

    assert every <= TOLD
    assert set(NEWS_CHANNELS) <= every


def test_every_code_stands_on_the_page() -> None:
    rows = {int(code) for code in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)}

    assert rows == set(control.ERRORS)


def test_every_word_of_a_parameter_stands_on_the_page() -> None:
    assert {*params.FEED_NAMES, *params.ADJUSTMENTS, *Unit} - {"Day", "Week"} <= TOLD
    assert {"1Day", "1Week"} <= TOLD
    assert {*CONDITIONS.values(), *(code for code, *_ in STATUSES.values())} <= TOLD


def test_the_limits_are_those_of_the_code() -> None:
    for number in (
        params.SYMBOL_LIMIT,
        params.PAGE_LIMIT,
        params.DEFAULT_PAGE_LIMIT,
        control.CONNECTION_LIMIT,
        TOPIC_LIMIT,
        base.MESSAGES_PER_SECOND,
    ):
        assert re.search(rf"\b{number:,}\b", PAGE), number
    assert f"within {programs.AUTH_TIMEOUT_SECONDS} s" in PAGE
    assert f"nothing for {listener.STUCK_SECONDS} s" in PAGE
    assert str(base.CLOSE_TOO_SLOW) in PAGE


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        (("1Min", "1min", "1T", "1t", "1Minute"), "1Min"),
        (("59Min", "59T"), "59Min"),
        (("1Hour", "1H", "1h", "1hour"), "1Hour"),
        (("1Day", "1D", "1d"), "1Day"),
        (("1Week", "1W", "1w"), "1Week"),
        (("1Month", "1M", "1month"), "1Month"),
        (("12Month", "12M"), "12Month"),
        (("1Sec", "1S", "1s", "1second"), "1Sec"),
    ],
)
def test_a_timeframe_is_one_in_all_its_spellings(spellings: tuple[str, ...], name: str) -> None:
    assert {str(parse_timeframe(spelling)) for spelling in spellings} == {name}


@pytest.mark.parametrize(
    "text", ["1m", "60Min", "24Hour", "2Day", "3D", "2Week", "5Month", "0Min", "-1Min", "1", "Min",
             "01Min", "1 Min", "１Min", "60Sec", "1Minute ", "1Year", ""],
)  # fmt: skip
def test_what_is_no_timeframe_is_none(text: str) -> None:
    assert parse_timeframe(text) is None
