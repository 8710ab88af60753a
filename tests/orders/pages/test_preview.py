"""What the ticket is told before it is sent."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.domain.clock import SystemClock, to_ns, wire_time
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.models import Feed, FeedRoute, Instrument, Session, Venue
from orders.models import Order
from portfolio.models import TradingAccount
from risk.models import TradingState
from tests.marketdata.data_api import LiveCache, live
from tests.orders.pages.asked import JSON, ticket

__all__ = ["live"]


def test_a_market_preview_walks_the_book(
    alice: User, account: TradingAccount, book: None, signed_in: Callable[[User], Client]
) -> None:
    query = ticket(type="MARKET", limit_price="", quantity="10")

    answer = signed_in(alice).get("/orders/preview", query, headers=JSON)

    assert answer.json() == {
        "estimated_price": "100.25",
        "estimated_notional": "1002.5",
        "estimated_fee": "0",
        "buying_power_after": "8027.5",
        "takeable_quantity": "10",
        "waits_in": None,
        "accepted": True,
        "reason": None,
        "message": "",
        "field": None,
        "quantity": None,
        "stop_price": None,
        "hwm": None,
        "margin_call": "",
        "headroom": "",
        "headroom_note": "",
        "scale": None,
    }


def test_a_limit_preview_takes_what_it_may_and_rests_the_remainder(
    alice: User, account: TradingAccount, book: None, signed_in: Callable[[User], Client]
) -> None:
    answer = signed_in(alice).get("/orders/preview", ticket(limit_price="100"), headers=JSON).json()

    assert answer["estimated_price"] == "100"
    assert answer["estimated_notional"] == "1000"
    assert answer["takeable_quantity"] == "5"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": "100"}, "FUNDS_INSUFFICIENT"),
        ({"side": "SELL"}, "POSITION_INSUFFICIENT"),
        ({"limit_price": "97.005"}, "PRICE_OFF_TICK"),
        ({"type": "STOP", "stop_price": "97.005"}, "STOP_PRICE_OFF_TICK"),
        ({"type": "STOP_LIMIT", "stop_price": "97", "quantity": "100"}, "FUNDS_INSUFFICIENT"),
        ({"quantity": "1.5"}, "QUANTITY_OFF_LOT"),
        ({"type": "STOP", "stop_price": "97", "time_in_force": "IOC"}, "TIF_NOT_ALLOWED"),
        ({"post_only": "on", "time_in_force": "FOK"}, "POST_ONLY_NOT_ALLOWED"),
        ({"post_only": "on", "limit_price": "100"}, "POST_ONLY_WOULD_TAKE"),
        (
            {"post_only": "on", "time_in_force": "GTD", "expires_at": "2126-01-01T00:00"},
            "POST_ONLY_NOT_ALLOWED",
        ),
        ({"type": "STOP", "stop_price": "97", "time_in_force": "OPG"}, "TIF_NOT_ALLOWED"),
        ({"side": "SELL", "reduce_only": "on", "limit_price": "110"}, "REDUCE_ONLY_EXCEEDS"),
    ],
)
def test_a_preview_names_why_the_order_would_not_pass(
    alice: User,
    account: TradingAccount,
    book: None,
    signed_in: Callable[[User], Client],
    changes: dict[str, str],
    reason: str,
) -> None:
    answer = signed_in(alice).get("/orders/preview", ticket(**changes), headers=JSON).json()

    assert answer["accepted"] is False
    assert answer["reason"] == reason
    assert answer["message"]


def test_a_print_that_moves_no_price_passes_no_stop(
    alice: User,
    account: TradingAccount,
    live: LiveCache,
    signed_in: Callable[[User], Client],
) -> None:
    client = signed_in(alice)
    query = ticket(type="STOP", stop_price="105", limit_price="")

    def tell(number: int, price: str, flags: TradeFlag = TradeFlag.NONE) -> None:
        t = wire_time(SystemClock().now_ns())
        data = {"id": number, "price": price, "size": "1", "side": None, "t": t, "flags": flags}
        live.keep("trade:ACME", data, moves_price=not flags)

    tell(1, "100")
    tell(2, "250", TradeFlag.NO_PRICE)
    before = client.get("/orders/preview", query, headers=JSON).json()
    tell(3, "106")
    after = client.get("/orders/preview", query, headers=JSON).json()

    assert before["reason"] != "STOP_PRICE_PASSED"
    assert (after["accepted"], after["reason"]) == (False, "STOP_PRICE_PASSED")


@pytest.mark.parametrize(
    ("price", "stp_mode", "reason"),
    [
        ("97", "", "SELF_TRADE"),
        ("97", "EXPIRE_TAKER", "POSITION_INSUFFICIENT"),
        ("97.01", "", "POSITION_INSUFFICIENT"),
    ],
)
def test_a_preview_sees_the_owners_own_orders(
    alice: User,
    order: Order,
    signed_in: Callable[[User], Client],
    price: str,
    stp_mode: str,
    reason: str,
) -> None:
    query = ticket(side="SELL", limit_price=price, stp_mode=stp_mode)

    assert signed_in(alice).get("/orders/preview", query).json()["reason"] == reason


@pytest.mark.parametrize(("scope", "words"), [("account", "This account"), ("firm", "The firm")])
def test_a_preview_tells_who_is_halted(
    alice: User,
    account: TradingAccount,
    book: None,
    now: datetime,
    signed_in: Callable[[User], Client],
    scope: str,
    words: str,
) -> None:
    TradingState.objects.create(
        scope=f"account:{account.pk}" if scope == "account" else scope,
        state="HALTED",
        version=1,
        is_clearing=False,
        request_id="r",
        changed_at=now,
    )

    answer = signed_in(alice).get("/orders/preview", ticket()).json()

    assert answer["reason"] == "TRADING_HALTED"
    assert words in answer["message"]


@pytest.mark.parametrize(
    ("time_in_force", "notional", "left"),
    [
        ("DAY", "1000", "8030"),
        ("GTD", "1000", "8030"),
        ("IOC", "500", "8530"),
        ("FOK", None, None),
    ],
)
def test_what_does_not_rest_sets_nothing_aside(
    alice: User,
    account: TradingAccount,
    book: None,
    signed_in: Callable[[User], Client],
    time_in_force: str,
    notional: str | None,
    left: str | None,
) -> None:
    query = ticket(limit_price="100", time_in_force=time_in_force, expires_at="2126-01-01T00:00")

    answer = signed_in(alice).get("/orders/preview", query).json()

    assert answer["accepted"] is True
    assert (answer["estimated_notional"], answer["buying_power_after"]) == (notional, left)


def test_a_market_preview_without_a_book_has_no_price(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    query = ticket(type="MARKET", limit_price="")

    answer = signed_in(alice).get("/orders/preview", query, headers=JSON).json()

    assert answer["estimated_price"] is None
    assert answer["reason"] == "LIQUIDITY_NONE"


def test_a_market_preview_of_a_silent_feed_says_what_to_do(
    alice: User,
    account: TradingAccount,
    instrument: Instrument,
    book: None,
    signed_in: Callable[[User], Client],
    settings: Settings,
) -> None:
    feed = Feed.objects.create(name="simulated", adapter="simulated")
    FeedRoute.objects.create(instrument=instrument, feed=feed)
    client, query = signed_in(alice), ticket(type="MARKET", limit_price="")

    answer = client.get("/orders/preview", query, headers=JSON).json()

    assert (answer["accepted"], answer["reason"]) == (False, "REFERENCE_MISSING")
    assert answer["message"] == (
        f"No price for {instrument.symbol} has come in yet: a market order would trade blind. Use a"
        " limit order, or wait."
    )
    assert client.get("/orders/preview", ticket(limit_price="100")).json()["accepted"] is True
    settings.MARKET = "none"
    assert client.get("/orders/preview", query, headers=JSON).json()["accepted"] is True


def test_what_waits_for_an_auction_takes_nothing_now(
    alice: User, account: TradingAccount, book: None, signed_in: Callable[[User], Client]
) -> None:
    query = ticket(limit_price="100", time_in_force="OPG")

    answer = signed_in(alice).get("/orders/preview", query).json()

    assert (answer["accepted"], answer["takeable_quantity"]) == (True, "0")
    assert (answer["estimated_notional"], answer["buying_power_after"]) == ("1000", "8030")


def test_outside_the_sessions_an_order_waits_for_the_opening(
    alice: User,
    account: TradingAccount,
    book: None,
    instrument: Instrument,
    signed_in: Callable[[User], Client],
) -> None:
    now, hour = SystemClock().now(), timedelta(hours=1)
    Venue.objects.filter(pk=instrument.venue_id).update(calendar="XTST")
    session = Session.objects.create(
        calendar="XTST", day=now.date(), opens_at=now + hour, closes_at=now + 2 * hour
    )
    client, query = signed_in(alice), ticket(limit_price="100")

    closed = client.get("/orders/preview", query, headers=JSON).json()
    refused = client.get("/orders/preview", query | {"time_in_force": "IOC"}, headers=JSON).json()
    page = client.post("/orders/place", query | {"what_if": "1"}).content.decode()
    session.opens_at = now - hour
    session.save()
    opened = client.get("/orders/preview", query, headers=JSON).json()

    assert (closed["accepted"], closed["waits_in"], closed["takeable_quantity"]) == (
        True,
        "CLOSED",
        "0",
    )
    assert (refused["accepted"], refused["reason"]) == (False, "MARKET_CLOSED")
    assert wire_time(to_ns(now + hour)) in refused["message"]
    assert "The market is closed: it waits for the opening auction." in page
    assert (opened["waits_in"], opened["takeable_quantity"]) == (None, "5")


def test_without_an_engine_nobody_says_what_only_it_knows(
    alice: User, account: TradingAccount, book: None, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(alice)
    orders = [
        ticket(type="MARKET", size_by="VALUE", notional="250"),
        ticket(side="SELL", type="TRAILING_STOP", trail="2"),
    ]

    answers = [client.get("/orders/preview", query).json() for query in orders]

    for answer in answers:
        assert (answer["accepted"], answer["reason"]) == (False, "UNAVAILABLE")
        assert answer["estimated_price"] is None
        assert answer["message"].startswith("The order engine cannot be reached.")
