"""Charts over REST: bars with indicators, own formulas that nobody else sees, what is cached."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import to_ns
from core.domain.errors import Refusal
from core.domain.origin import Origin
from marketdata.domain.bars import Bar as DomainBar
from marketdata.domain.frames import bar_data, event_frame
from marketdata.domain.lru_cache import LruCache
from marketdata.domain.timeframes import Timeframe, Unit
from marketdata.models import Bar, Currency, Formula, Instrument, Venue
from marketdata.services.charts import (
    HISTORIES,
    MOST_INDICATORS,
    RESULTS,
    Chart,
    ChartQuery,
    chart,
    wanted_in,
)
from marketdata.services.formulas import MOST_FORMULAS, save_formula

NOW = datetime(2026, 3, 2, 15, 30, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE_MINUTE = Timeframe(1, Unit.MINUTE)


@pytest.fixture(autouse=True)
def cold_caches() -> None:
    HISTORIES.clear()
    RESULTS.clear()


@pytest.fixture
def ibm(db: None) -> Instrument:
    usd = Currency.objects.create(code="USD", name="US dollar")
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    return Instrument.objects.create(
        symbol="IBM",
        name="IBM",
        asset_class="us_equity",
        venue=venue,
        quote_currency=usd,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
    )


@pytest.fixture
def live(ibm: Instrument) -> Iterator[Callable[[datetime, int], None]]:
    redis = Redis.from_url(settings.REDIS_URL)
    key = f"{settings.REDIS_PREFIX}latest:bar:IBM:1Min"

    def open_minute(start: datetime, price: int) -> None:
        value = Decimal(price)
        bar = DomainBar(
            "IBM", to_ns(start), value, value, value, value, Decimal(5), 1, value, False
        )
        redis.set(key, event_frame("bar:IBM:1Min", epoch="e", seq=1, data=bar_data(bar)))

    redis.delete(key)
    yield open_minute
    redis.delete(key)


def add_minutes(instrument: Instrument, closes: list[int], until: datetime) -> None:
    """Minute bars that close as said, the last of them at `until`."""
    first = until - MINUTE * len(closes)
    Bar.objects.bulk_create(
        Bar(
            instrument=instrument,
            timeframe="1Min",
            start=first + MINUTE * number,
            open=close,
            high=close + 1,
            low=close - 1,
            close=close,
            volume=10,
            source="test",
        )
        for number, close in enumerate(closes)
    )


TOP = NOW.replace(second=0)


def asked(user: User, ibm: Instrument, indicators: str = "", **options: Any) -> Chart:
    query = ChartQuery(
        ibm,
        options.get("timeframe", ONE_MINUTE),
        options.get("limit", 5),
        wanted_in(indicators, user, options.get("formula")),
        options.get("tail"),
    )
    return chart(query, options.get("now", NOW))


def values(found: Chart, series: int = 0, line: int = 0) -> list[float | None]:
    return found.series[series].lines[line].values


def test_first_shown_value_counts_the_bars_before(alice: User, ibm: Instrument) -> None:
    add_minutes(ibm, [1, 2, 3, 4, 5, 6, 7], TOP)

    found = asked(alice, ibm, "SMA(3)", limit=3)

    assert [bar.close for bar in found.bars] == [5, 6, 7]
    assert values(found) == [4.0, 5.0, 6.0]


def test_value_is_missing_where_there_are_too_few_bars(alice: User, ibm: Instrument) -> None:
    add_minutes(ibm, [1, 2, 3], TOP)

    assert values(asked(alice, ibm, "SMA(3)")) == [None, None, 2.0]


def test_value_of_the_last_bar_follows_the_open_minute(
    alice: User, ibm: Instrument, live: Callable[[datetime, int], None]
) -> None:
    add_minutes(ibm, [10, 20], TOP)
    live(TOP, 30)
    first = asked(alice, ibm, "SMA(3)")
    misses = RESULTS.counts.misses

    live(TOP, 60)
    second = asked(alice, ibm, "SMA(3)")

    assert values(first) == [None, None, 20.0]
    assert values(second) == [None, None, 30.0]
    assert not second.is_last_closed
    assert RESULTS.counts.misses == misses


def test_next_bar_is_worked_out_from_what_closed(
    alice: User, ibm: Instrument, live: Callable[[datetime, int], None]
) -> None:
    add_minutes(ibm, [10, 20], TOP)
    live(TOP, 30)
    asked(alice, ibm, "SMA(2)")

    add_minutes(ibm, [40], TOP + MINUTE)
    live(TOP + MINUTE, 60)
    found = asked(alice, ibm, "SMA(2)", now=NOW + MINUTE)

    assert [bar.close for bar in found.bars] == [10, 20, 40, 60]
    assert values(found) == [None, 15.0, 30.0, 50.0]


def test_minute_that_was_stored_late_is_counted(
    alice: User, ibm: Instrument, live: Callable[[datetime, int], None]
) -> None:
    five = Timeframe(5, Unit.MINUTE)
    add_minutes(ibm, [10, 20], TOP - MINUTE)  # 15:27 and 15:28; 15:29 is not stored yet
    live(TOP, 30)
    before = asked(alice, ibm, "SMA(1)", timeframe=five)

    add_minutes(ibm, [26], TOP)
    after = asked(alice, ibm, "SMA(1)", timeframe=five)

    assert values(before) == [20.0, 30.0]
    assert values(after) == [26.0, 30.0]


def test_whole_of_closed_bars_is_read_once(
    alice: User, ibm: Instrument, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    add_minutes(ibm, list(range(1, 700)), TOP)
    cold = asked(alice, ibm, "RSI(14),MACD(12,26,9)", limit=300)

    with django_assert_num_queries(1):  # the newest bars
        warm = asked(alice, ibm, "RSI(14),MACD(12,26,9)", limit=300)

    assert warm == cold


def test_tail_tells_the_end_of_the_same_chart(alice: User, ibm: Instrument) -> None:
    add_minutes(ibm, [3, 1, 4, 1, 5, 9, 2, 6], TOP)

    whole, tail = (asked(alice, ibm, "EMA(3),OBV", limit=6, tail=tail) for tail in (None, 2))

    assert tail.bars == whole.bars[-2:]
    for number in (0, 1):
        assert values(tail, number) == values(whole, number)[-2:]


def test_all_at_once_is_what_bar_by_bar_came_to(alice: User, ibm: Instrument) -> None:
    closes = [100 + number * 7 % 13 for number in range(60)]
    names = "EMA(5),RSI(14),MACD(3,6,4),ATR(5),OBV"
    seen: list[list[float | None]] = [[] for _ in range(5)]
    for count in range(1, 41):
        add_minutes(ibm, closes[count - 1 : count], TOP + MINUTE * count)
        found = asked(alice, ibm, names, limit=1, now=TOP + MINUTE * count)
        for number in range(5):
            seen[number] += values(found, number)

    HISTORIES.clear()
    whole = asked(alice, ibm, names, limit=40, now=TOP + MINUTE * 40)

    for number in range(5):
        assert values(whole, number) == pytest.approx(seen[number], abs=1e-6)


def test_history_longer_than_a_chart_is_read(alice: User, ibm: Instrument) -> None:
    add_minutes(ibm, list(range(1, 3_001)), TOP)

    found = asked(alice, ibm, "SMA(1000)", limit=2_000)

    assert len(found.bars) == 2_000
    assert values(found)[0] == 501.5  # of 2 to 1001
    assert values(found)[-1] == 2_500.5


def test_market_without_bars_has_an_empty_chart(alice: User, ibm: Instrument) -> None:
    found = asked(alice, ibm, "BBANDS")

    assert found.bars == []
    assert [line.values for line in found.series[0].lines] == [[], [], []]


def test_one_chart_draws_so_many_and_no_more(alice: User, ibm: Instrument) -> None:
    names = [f"SMA({number})" for number in range(2, MOST_INDICATORS + 3)]

    assert len(wanted_in(",".join(names[:-1]), alice)) == MOST_INDICATORS
    with pytest.raises(Refusal) as refused:
        wanted_in(",".join(names), alice)
    assert refused.value.reason == "INDICATOR_LIMIT"


def test_what_is_asked_for_twice_is_drawn_once(alice: User, ibm: Instrument) -> None:
    assert [each.key for each in wanted_in("sma,SMA(30),SMA(timeperiod=30)", alice)] == ["SMA(30)"]


# --- The cache


def test_cache_lets_go_of_what_was_used_longest_ago() -> None:
    cache: LruCache[str] = LruCache(max_weight=10, max_age_seconds=60)
    for name in ("a", "b"):
        cache.keep((name,), name, weight=5, now_seconds=0)
    assert cache.get(("a",), 1) == "a"

    cache.keep(("c",), "c", weight=5, now_seconds=1)

    assert [cache.get((name,), 1) for name in "abc"] == ["a", None, "c"]
    assert (cache.counts.hits, cache.counts.misses, cache.counts.evictions) == (3, 1, 1)
    assert (len(cache), cache.weight) == (2, 10)


def test_cache_believes_nothing_that_is_too_old_too_large_or_forgotten() -> None:
    cache: LruCache[str] = LruCache(max_weight=10, max_age_seconds=60)
    cache.keep((1, "x"), "old", weight=1, now_seconds=0)
    cache.keep((2, "x"), "huge", weight=11, now_seconds=0)

    assert cache.get((1, "x"), 61) is None
    assert cache.get((2, "x"), 0) is None
    cache.keep((3, "x"), "three", weight=1, now_seconds=0)
    cache.forget("3")
    assert cache.get((3, "x"), 0) is None


# --- The API

Call = Callable[..., Any]


def caller(user: User, now: datetime, *scopes: Scope) -> Call:
    key, secret = create_api_key(
        user=user, scopes=scopes, origin=Origin(now=now), rate_limit_per_minute=10_000
    )
    client = Client(headers={"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret})

    def call(method: str, path: str, body: object = None, **query: object) -> Any:
        if method == "get":
            return client.get(path, query)
        return getattr(client, method)(path, body, content_type="application/json")

    return call


@pytest.fixture
def alices(alice: User, now: datetime) -> Call:
    return caller(alice, now, Scope.READ, Scope.TRADE)


@pytest.fixture
def charlies(charlie: User, now: datetime) -> Call:
    return caller(charlie, now, Scope.READ, Scope.TRADE)


def test_chart_over_rest_names_its_series(alices: Call, ibm: Instrument) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    add_minutes(ibm, [1, 2, 3, 4], now - MINUTE)

    answer = alices(
        "get", "/api/v1/charts", symbol="IBM", timeframe="1Min", limit=2, indicators="sma(2),BBANDS"
    ).json()

    assert (answer["symbol"], answer["timeframe"]) == ("IBM", "1Min")
    assert [bar["c"] for bar in answer["bars"]] == [3, 4]
    assert answer["last_bar"] == {"t": answer["bars"][-1]["t"], "closed": True}
    assert answer["series"][0] == {
        "key": "SMA(2)",
        "title": "SMA(2)",
        "lines": [{"name": "real", "style": "line", "overlay": True, "values": [2.5, 3.5]}],
    }
    assert [line["values"] for line in answer["series"][1]["lines"]] == [[None, None]] * 3


def test_formula_is_tried_without_being_kept(alices: Call, ibm: Instrument) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    add_minutes(ibm, [1, 2, 4], now - MINUTE)
    body = {"symbol": "IBM", "timeframe": "1Min", "formula": "close - ref(close, 1)"}

    answer = alices("post", "/api/v1/charts", body)

    assert answer.status_code == 200
    (series,) = answer.json()["series"]
    assert (series["key"], series["lines"][0]["values"]) == ("formula", [None, 1.0, 2.0])
    assert Formula.objects.count() == 0


def test_refused_formula_says_where(alices: Call, ibm: Instrument) -> None:
    body = {"symbol": "IBM", "timeframe": "1Min", "formula": "close + foo"}

    answer = alices("post", "/api/v1/charts", body)

    assert answer.status_code == 422
    refusal = answer.json()
    assert refusal["reason"] == "FORMULA_NAME"
    assert refusal["facts"] == {"position": 8}
    assert refusal["message"] == "Nothing is called foo; see the list of values and functions."


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ({"symbol": "NONE"}, 404, "NOT_FOUND"),
        ({"symbol": ""}, 400, "FIELD_MISSING"),
        ({"timeframe": "7Min"}, 400, "FIELD_INVALID"),
        ({"timeframe": ""}, 400, "FIELD_MISSING"),
        ({"limit": "0"}, 400, "FIELD_INVALID"),
        ({"limit": "2001"}, 400, "FIELD_INVALID"),
        ({"tail": "x"}, 400, "FIELD_INVALID"),
        ({"formula": "close"}, 400, "FIELD_UNKNOWN"),
        ({"indicators": "FOO"}, 422, "INDICATOR_UNKNOWN"),
        ({"indicators": "SMA(0)"}, 422, "INDICATOR_PARAMETER"),
        ({"indicators": "SMA(1"}, 422, "INDICATOR_UNREADABLE"),
        ({"indicators": "formula:nobody's"}, 404, "NOT_FOUND"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    alices: Call, ibm: Instrument, query: dict[str, str], status: int, reason: str
) -> None:
    answer = alices("get", "/api/v1/charts", **{"symbol": "IBM", "timeframe": "1Min", **query})

    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


def test_catalogue_says_what_can_be_asked_for(alices: Call, db: None) -> None:
    found = {each["name"]: each for each in alices("get", "/api/v1/indicators").json()}

    assert found["RSI"] == {
        "name": "RSI",
        "title": "Relative Strength Index",
        "group": "Momentum Indicators",
        "inputs": [{"name": "price", "source": "close", "choice": True}],
        "parameters": [
            {
                "name": "timeperiod",
                "type": "integer",
                "default": 14,
                "lowest": 2,
                "highest": 1000,
                "choices": None,
            }
        ],
        "outputs": [{"name": "real", "style": "line", "overlay": False}],
        "overlay": False,
    }
    averages = [each["choices"] for each in found["MA"]["parameters"] if each["choices"]]
    assert averages[0]["9"] == "HMA"


def kept(call: Call, name: str = "spread", text: str = "high - low") -> str:
    answer = call("post", "/api/v1/formulas", {"name": name, "text": text})
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["id"])


def test_formula_is_kept_drawn_changed_and_deleted(alices: Call, ibm: Instrument) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    add_minutes(ibm, [5], now - MINUTE)
    number = kept(alices)

    for name in (number, "spread"):
        query = {"symbol": "IBM", "timeframe": "1Min", "indicators": f"formula:{name}"}
        (series,) = alices("get", "/api/v1/charts", **query).json()["series"]
        assert (series["key"], series["title"]) == (f"formula:{number}", "spread")
        assert series["lines"][0]["values"] == [2.0]
    changed = alices("patch", f"/api/v1/formulas/{number}", {"name": "range"}).json()
    assert (changed["name"], changed["text"]) == ("range", "high - low")
    assert [each["name"] for each in alices("get", "/api/v1/formulas").json()] == ["range"]
    assert alices("delete", f"/api/v1/formulas/{number}").status_code == 204
    assert alices("get", f"/api/v1/formulas/{number}").status_code == 404


def test_somebody_elses_formula_is_as_if_it_were_not_there(
    alices: Call, charlies: Call, ibm: Instrument
) -> None:
    number = kept(alices)

    assert charlies("get", "/api/v1/formulas").json() == []
    for formula_id in (number, uuid4()):
        path = f"/api/v1/formulas/{formula_id}"
        query = {"symbol": "IBM", "timeframe": "1Min", "indicators": f"formula:{formula_id}"}
        answers = [
            charlies("get", path),
            charlies("patch", path, {"text": "close"}),
            charlies("delete", path),
            charlies("get", "/api/v1/charts", **query),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["message"] for answer in answers} == {"You have no such formula."}
    stored = Formula.objects.get()
    assert (str(stored.pk), stored.text) == (number, "high - low")


def test_key_that_reads_changes_no_formula(
    alice: User, alices: Call, now: datetime, db: None
) -> None:
    number = kept(alices)
    reader = caller(alice, now, Scope.READ)

    answers = [
        reader("post", "/api/v1/formulas", {"name": "x", "text": "close"}),
        reader("patch", f"/api/v1/formulas/{number}", {"text": "close"}),
        reader("delete", f"/api/v1/formulas/{number}"),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert reader("get", f"/api/v1/formulas/{number}").json()["text"] == "high - low"


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"name": "x", "text": "close +"}, 422, "FORMULA_SYNTAX"),
        ({"name": "a,b", "text": "close"}, 422, "FORMULA_TITLE"),
        ({"name": "a(b)", "text": "close"}, 422, "FORMULA_TITLE"),
        ({"name": "x" * 65, "text": "close"}, 422, "FORMULA_TITLE"),
        ({"name": "taken", "text": "close"}, 422, "FORMULA_TITLE"),
        ({"name": "x"}, 400, "FIELD_MISSING"),
        ({"name": "x", "text": 5}, 400, "FIELD_INVALID"),
        ({"name": "x", "text": "close", "owner": 1}, 400, "FIELD_UNKNOWN"),
    ],
)
def test_what_is_no_formula_is_not_kept(
    alices: Call, db: None, fields: dict[str, object], status: int, reason: str
) -> None:
    kept(alices, "taken")

    answer = alices("post", "/api/v1/formulas", fields)

    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert Formula.objects.count() == 1


def test_a_person_keeps_so_many_formulas_and_no_more(
    alice: User, charlie: User, now: datetime
) -> None:
    Formula.objects.bulk_create(
        Formula(owner=alice, name=f"n{number}", text="close", created_at=now, updated_at=now)
        for number in range(MOST_FORMULAS)
    )

    with pytest.raises(Refusal, match="delete one first"):
        save_formula(owner=alice, name="one more", text="close", now=now)
    save_formula(owner=charlie, name="n1", text="close", now=now)
    first = Formula.objects.get(owner=alice, name="n0")
    save_formula(owner=alice, name="n0", text="open", now=now, formula_id=first.pk)

    assert Formula.objects.get(pk=first.pk).text == "open"
    assert Formula.objects.filter(owner=alice).count() == MOST_FORMULAS


# --- The page's own addresses


def test_page_draws_what_the_api_draws(
    client: Client, alice: User, ibm: Instrument, live: Callable[[datetime, int], None]
) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    add_minutes(ibm, [1, 2, 3], now - MINUTE)
    client.force_login(alice)
    query = {"symbol": "IBM", "timeframe": "1Min", "indicators": "SMA(2)", "tail": "1"}

    answer = client.get("/charts/bars", query).json()

    assert [bar["c"] for bar in answer["bars"]] == ["3"]
    assert answer["series"][0]["lines"][0]["values"] == [2.5]


def test_page_keeps_formulas_of_whoever_is_signed_in(
    client: Client, alice: User, charlie: User
) -> None:
    client.force_login(alice)
    made = client.post("/charts/formulas", {"name": "mine", "text": "close / open"}).json()
    refused = client.post(
        "/charts/formulas",
        {"name": "wrong", "text": "close /"},
        headers={"Accept": "application/json"},
    )

    listed = client.get("/charts/indicators").json()
    client.force_login(charlie)
    others = client.get("/charts/indicators").json()
    gone = client.post(
        f"/charts/formulas/{made['id']}/delete", headers={"Accept": "application/json"}
    )

    assert (refused.status_code, refused.json()["facts"]) == (422, {"position": 7})
    assert [each["name"] for each in listed["formulas"]] == ["mine"]
    assert "rsi(x, timeperiod=14)" in listed["functions"]
    assert others["formulas"] == []
    assert gone.status_code == 404
    assert Formula.objects.filter(owner=alice).count() == 1
