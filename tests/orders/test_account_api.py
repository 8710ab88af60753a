"""/v2/positions and /v2/account/* over real HTTP: closing, configuring, looking back."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest

from core.domain.clock import SystemClock
from core.models import AuditEntry
from marketdata.models import Instrument
from orders.domain import commands
from orders.models import Order
from portfolio.models import EquitySample, TradingAccount
from portfolio.services.sampling import FINE_SAMPLES_KEPT, sample_equity, thin_out_samples
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, quote, stored_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Make = Callable[..., httpx.Client]
FIVE_MINUTES = timedelta(minutes=5)


def hold(engine: EngineProcess, desk: Desk) -> None:
    """Alice has 10 AAPL bought at 100 and 0.5 BTC bought at 64000 / 100."""
    engine.ask(quote(asks="100x10"))
    desk.place(engine, "alice", "BUY 10 MARKET")
    engine.ask(quote(asks="640x0.5", symbol="BTC/USD"))
    desk.place(engine, "alice", "BUY 0.5 MARKET", symbol="BTC/USD")
    engine.ask(quote(bids="101x50"))
    engine.ask(quote(bids="650x5", symbol="BTC/USD"))


# --- positions


def test_one_position_is_closed_whole(http_for: Make, engine: EngineProcess, desk: Desk) -> None:
    hold(engine, desk)
    http = http_for("alice")

    answer = http.delete("/v2/positions/AAPL")

    order = answer.json()
    assert (answer.status_code, order["status"], order["filled_qty"]) == (200, "filled", "10")
    assert (order["side"], order["type"], order["time_in_force"]) == ("sell", "market", "day")
    assert [row["symbol"] for row in http.get("/v2/positions").json()] == ["BTCUSD"]
    assert http.delete("/v2/positions/AAPL").status_code == 404
    assert_clean()


@pytest.mark.parametrize(
    ("query", "closed"),
    [("qty=3", "3"), ("percentage=25", "2"), ("percentage=100", "10"), ("percentage=0.5", None)],
)
def test_a_part_of_a_position_is_closed_in_whole_lots(
    http_for: Make, engine: EngineProcess, desk: Desk, query: str, closed: str | None
) -> None:
    hold(engine, desk)

    answer = http_for("alice").delete(f"/v2/positions/AAPL?{query}")

    if closed is None:
        assert (answer.status_code, answer.json()["reason"]) == (422, "QUANTITY_OUT_OF_RANGE")
    else:
        assert answer.json()["filled_qty"] == closed


@pytest.mark.parametrize("name", ["BTC/USD", "BTCUSD", "BTC%2FUSD", "id"])
def test_a_pair_is_closed_by_any_of_its_names(
    http_for: Make, engine: EngineProcess, desk: Desk, name: str
) -> None:
    hold(engine, desk)
    asset = str(Instrument.objects.get(symbol="BTC/USD").public_id) if name == "id" else name

    order = http_for("alice").delete(f"/v2/positions/{asset}").json()

    assert (order["filled_qty"], order["time_in_force"]) == ("0.5", "gtc")


@pytest.mark.parametrize(
    "query",
    ["qty=1&percentage=5", "qty=0", "qty=-1", "qty=NaN", "percentage=101", "percentage=0", "qty=x"],
)
def test_a_part_that_cannot_be_is_refused(
    http_for: Make, engine: EngineProcess, desk: Desk, query: str
) -> None:
    hold(engine, desk)
    before = Order.objects.count()

    answer = http_for("alice").delete(f"/v2/positions/AAPL?{query}")

    assert (answer.status_code, answer.json()["reason"]) == (422, "FIELD_INVALID")
    assert Order.objects.count() == before


def test_what_orders_hold_is_refused_in_its_own_entry(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    hold(engine, desk)
    desk.place(engine, "alice", "SELL 4 @ 120")

    answer = http_for("alice").delete("/v2/positions")

    apple, bitcoin = answer.json()
    assert answer.status_code == 207
    assert (apple["symbol"], apple["status"]) == ("AAPL", 403)
    assert (apple["body"]["code"], apple["body"]["reason"]) == (40310000, "POSITION_INSUFFICIENT")
    assert (bitcoin["symbol"], bitcoin["status"]) == ("BTCUSD", 200)
    assert bitcoin["body"]["status"] == "filled"
    assert_clean()


def test_close_all_cancels_what_holds_first_when_it_is_told_to(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    hold(engine, desk)
    desk.place(engine, "alice", "SELL 4 @ 120")
    http = http_for("alice")

    answer = http.delete("/v2/positions?cancel_orders=True")

    assert [entry["status"] for entry in answer.json()] == [200, 200]
    assert http.get("/v2/positions").json() == []
    assert http.get("/v2/orders").json() == []
    assert_clean()


def test_a_close_that_is_sent_twice_with_one_key_is_done_once(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    hold(engine, desk)
    http, headers = http_for("alice"), {"Idempotency-Key": f'"{uuid4()}"'}

    first, second = [
        http.delete("/v2/positions/AAPL?qty=3", headers=headers).json() for _ in range(2)
    ]

    assert first == second
    assert http.get("/v2/positions/AAPL").json()["qty"] == "7"


def test_nobody_closes_anothers_position(http_for: Make, engine: EngineProcess, desk: Desk) -> None:
    hold(engine, desk)

    assert http_for("charlie").delete("/v2/positions/AAPL").status_code == 404
    assert http_for("charlie").delete("/v2/positions").json() == []


# --- configurations


def test_suspended_trading_refuses_orders_until_it_is_lifted(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    http, path = http_for("alice"), "/v2/account/configurations"
    desk.place(engine, "alice", "BUY 1 @ 10")
    usual = http.get(path).json()

    suspended = http.patch(path, json={**usual, "suspend_trade": True})

    assert suspended.json() == {**usual, "suspend_trade": True}
    assert http.get("/v2/account").json()["trade_suspended_by_user"] is True
    assert desk.place(engine, "alice", "BUY 1 @ 10") == "TRADING_SUSPENDED"
    assert desk.place(engine, "charlie", "BUY 1 @ 10") == "ACCEPTED 0/1"
    engine.kill()
    engine.start()
    assert desk.place(engine, "alice", "BUY 1 @ 10") == "TRADING_SUSPENDED"
    assert desk.cancel_all(engine, "alice") == ["CANCELED 0/1 USER_REQUESTED"]
    assert http.patch(path, json={"suspend_trade": False}).json() == usual
    assert desk.place(engine, "alice", "BUY 1 @ 10") == "ACCEPTED 0/1"
    trail = AuditEntry.objects.filter(action="AccountConfigured").order_by("id")
    assert [entry.facts["suspend_trade"] for entry in trail] == ["true", "false"]


@pytest.mark.parametrize(
    "body",
    [
        {"suspend_trade": "yes"},
        {"trade_confirm_email": "none"},
        {"max_margin_multiplier": "4"},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_set_is_refused(
    http_for: Make, engine: EngineProcess, desk: Desk, body: dict[str, Any]
) -> None:
    answer = http_for("alice").patch("/v2/account/configurations", json=body)

    assert (answer.status_code, answer.json()["reason"]) == (422, "FIELD_INVALID")
    assert not AuditEntry.objects.filter(action="AccountConfigured").exists()


# --- activities


def told(rows: list[dict[str, Any]]) -> list[str]:
    return [
        f"{row['activity_type']} {row['qty']} @ {row['price']} {row['type']}"
        if row["activity_type"] == "FILL"
        else f"{row['activity_type']} {row['net_amount']}"
        for row in rows
    ]


def do_something(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(commands.SetFeeTier("T1", "Tier", Decimal(1), Decimal(10), "r"))
    engine.ask(commands.SetAccountTier(desk.accounts["alice"].pk, "T1", "r"))
    engine.ask(quote(asks="100x2 101x3"))
    desk.place(engine, "alice", "BUY 5 MARKET")
    engine.ask(desk.deposit("alice", "-7.5", "ADJUSTMENT"))


ALL = [
    "JNLC -7.5",
    "FEE -0.303",
    "FEE -0.2",
    "FILL 3 @ 101 fill",
    "FILL 2 @ 100 partial_fill",
    "CSD 10000",
]


def test_activities_come_newest_first_with_what_each_did(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    do_something(engine, desk)
    http = http_for("alice")

    rows = http.get("/v2/account/activities").json()

    assert told(rows) == ALL
    assert told(http.get("/v2/account/activities?direction=asc").json()) == ALL[::-1]
    assert (rows[4]["cum_qty"], rows[4]["leaves_qty"]) == ("2", "3")
    assert (rows[3]["cum_qty"], rows[3]["order_status"]) == ("5", "filled")
    assert rows[4]["order_status"] == "partially_filled"
    assert http.get("/v2/account").json()["fees_paid"] == "0.503"
    assert told(http_for("charlie").get("/v2/account/activities").json()) == ["CSD 10000"]


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_have_every_activity_once(
    http_for: Make, engine: EngineProcess, desk: Desk, size: int, direction: str
) -> None:
    do_something(engine, desk)
    http, seen, token = http_for("alice"), [], ""
    path = f"/v2/account/activities?page_size={size}&direction={direction}"
    while rows := http.get(f"{path}&page_token={token}" if token else path).json():
        assert len(rows) <= size
        seen += rows
        token = rows[-1]["id"]

    assert told(seen) == (ALL if direction == "desc" else ALL[::-1])


def test_activities_of_a_type_and_a_time(http_for: Make, engine: EngineProcess, desk: Desk) -> None:
    do_something(engine, desk)
    http, path = http_for("alice"), "/v2/account/activities"
    deposit = http.get(f"{path}/CSD").json()[0]

    assert told(http.get(f"{path}/FILL").json()) == ALL[3:5]
    assert told(http.get(f"{path}?activity_types=FEE,CSD").json()) == [ALL[1], ALL[2], ALL[5]]
    assert told(http.get(f"{path}?date={deposit['date']}").json()) == ALL
    assert http.get(f"{path}?date=2001-01-01").json() == []
    assert told(http.get(path, params={"after": deposit["created_at"]}).json()) == ALL[:5]
    assert http.get(path, params={"until": deposit["created_at"]}).json() == []
    assert http.get(f"{path}/NOPE").status_code == 404
    assert http.get(f"{path}/DIV").json() == []
    assert told(http.get(f"{path}?activity_types=DIV,CSD").json()) == [ALL[5]]


# --- history


def test_profit_is_what_trading_made_and_not_what_was_paid_in(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    start = SystemClock().now().replace(second=0, microsecond=0) - timedelta(hours=1)
    sample_equity(start)
    hold(engine, desk)
    engine.ask(desk.deposit("alice", "500"))
    sample_equity(start + FIVE_MINUTES)
    http_for("alice").delete("/v2/positions/AAPL")
    sample_equity(start + 2 * FIVE_MINUTES)

    answer = http_for("alice").get(
        "/v2/account/portfolio/history", params={"period": "1D", "timeframe": "5Min"}
    )

    history = answer.json()
    assert history["equity"] == [10000, 10500, 10510]
    assert history["profit_loss"] == [0, 0, 10]
    assert history["profit_loss_pct"] == [0, 0, 0.001]
    assert (history["base_value"], history["timeframe"]) == (10000, "5Min")
    assert history["timestamp"] == sorted(history["timestamp"])
    assert all(moment % 300 == 0 for moment in history["timestamp"])


def test_profit_may_begin_anew_with_each_day_and_cash_is_told_by_type(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    today = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    alice = desk.accounts["alice"]
    samples = {-1440: 10_000, -5: 10_300, 0: 10_400, 5: 10_390}
    for minutes, equity in samples.items():
        EquitySample.objects.create(
            account=alice,
            sampled_at=today + timedelta(minutes=minutes),
            equity=equity,
            deposited=10_000,
        )
    query = {
        "start": (today - timedelta(days=2)).isoformat(),
        "end": (today + timedelta(hours=1)).isoformat(),
        "timeframe": "5Min",
    }
    get = http_for("alice").get

    whole = get("/v2/account/portfolio/history", params=query).json()
    daily = get(
        "/v2/account/portfolio/history",
        params=query | {"pnl_reset": "per_day", "cashflow_types": "ALL"},
    ).json()

    assert whole["profit_loss"] == [0, 300, 400, 390]
    assert daily["profit_loss"] == [0, 300, 0, -10]
    assert daily["profit_loss_pct"] == [0, 0.03, 0, -0.00096154]
    assert whole["cashflow"] == {}
    assert daily["cashflow"].keys() == {"CSD", "JNLC", "FEE"}
    assert get("/v2/account").json()["last_equity"] == "10300"
    assert http_for("charlie").get("/v2/account").json()["last_equity"] == "10000"


def test_cash_counts_in_the_frame_in_which_it_moved(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    now = SystemClock().now()
    sample_equity(now - timedelta(hours=2))
    engine.ask(desk.deposit("alice", "500"))
    engine.ask(desk.deposit("alice", "-7.5", "ADJUSTMENT"))
    sample_equity(now + FIVE_MINUTES)
    query = {"start": (now - timedelta(days=1)).isoformat(), "timeframe": "5Min"}
    query |= {"end": (now + timedelta(hours=1)).isoformat(), "cashflow_types": "CSD,JNLC,DIV"}

    history = http_for("alice").get("/v2/account/portfolio/history", params=query).json()

    assert history["cashflow"]["JNLC"] == [0, -7.5]
    assert history["cashflow"]["CSD"] == [0, 10_500]
    assert history["cashflow"]["DIV"] == [0, 0]


def test_an_account_that_was_never_sampled_has_an_empty_history(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    history = http_for("alice").get("/v2/account/portfolio/history").json()

    assert (history["equity"], history["base_value"], history["timeframe"]) == ([], 0, "1D")


TOO_FAR = ("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59")
IMPOSSIBLE = {
    "/v2/account/activities": [
        "activity_types=NOPE", "direction=up", "page_size=0", "page_size=101", "page_token=x",
        "page_token=20260101000000000::00000000-0000-0000-0000-000000000001", "date=x", "after=x",
        "date=9999-12-31", "date=0001-01-01", f"after={TOO_FAR[0]}", f"until={TOO_FAR[1]}",
    ],
    "/v2/account/portfolio/history": [
        "period=1X", "period=0D", "timeframe=1Min", "period=1D&start=2026-01-01", "start=x",
        "period=3A&timeframe=5Min", "start=2026-01-02&end=2026-01-01", "pnl_reset=x",
        "cashflow_types=NOPE", "cashflow_types=FILL", "intraday_reporting=x", "extended_hours=x",
        f"start={TOO_FAR[0]}", f"end={TOO_FAR[1]}", "date_end=9999-12-31",
        "end=0001-01-02T00:00:00Z",
    ],
    "/v2/orders": [
        "status=x", "direction=up", "side=BUY", "limit=0", "limit=501", "limit=1_0", "nested=2",
        "after=x", f"after={TOO_FAR[0]}", f"until={TOO_FAR[1]}",
    ],
}  # fmt: skip


def test_a_question_that_cannot_be_is_refused(http_for: Make) -> None:
    http = http_for("alice")
    for path, queries in IMPOSSIBLE.items():
        for query in queries:
            answer = http.get(f"{path}?{query}")

            told = (answer.status_code, answer.json()["reason"])
            assert told == (422, "FIELD_INVALID"), (path, query)


@pytest.mark.parametrize("name", ["BTC/USD", "BTCUSD"])
def test_orders_of_a_pair_are_listed_by_either_of_its_names(
    http_for: Make, engine: EngineProcess, desk: Desk, name: str
) -> None:
    desk.place(engine, "alice-1", "BUY 1 @ 50")
    desk.place(engine, "alice-2", "BUY 1 @ 50", symbol="BTC/USD")

    found = http_for("alice").get("/v2/orders", params={"symbols": f"{name},NOPE"}).json()

    assert [order["symbol"] for order in found] == ["BTC/USD"]


def test_old_samples_are_kept_once_a_day(desk: Desk) -> None:
    now = SystemClock().now()
    old = (now - FINE_SAMPLES_KEPT - timedelta(days=2)).replace(hour=12)
    for moment in (old, old + FIVE_MINUTES, now - FIVE_MINUTES, now):
        sample_equity(moment)

    went = thin_out_samples(now)

    alice = TradingAccount.objects.get(pk=desk.accounts["alice"].pk)
    kept = EquitySample.objects.filter(account=alice).order_by("sampled_at")
    assert went == TradingAccount.objects.filter(kind="CASH").count()
    assert [row.sampled_at for row in kept] == [old + FIVE_MINUTES, now - FIVE_MINUTES, now]


def test_what_is_set_is_what_a_new_engine_knows(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(commands.ConfigureAccount(desk.accounts["alice"].pk, None, True, "r"))
    engine.ask(commands.ConfigureAccount(desk.accounts["alice"].pk, True, None, "r"))

    assert stored_state()["accounts"][desk.accounts["alice"].pk]["configuration"] == (True, True)
