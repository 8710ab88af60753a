"""Operators configure feeds on the console and by command; keys go in and never come out."""

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.domain.clock import SystemClock
from core.models import AuditEntry
from marketdata.domain.feed_options import addresses_of
from marketdata.domain.plan import Credentials
from marketdata.models import Feed, FeedRoute, Instrument
from marketdata.selectors.feed_setup import credentials_of, feed_setup
from tests.accounts.console import REASON, run, shown
from tradeportal.supervisor import keyset

pytestmark = pytest.mark.django_db(transaction=True)
KEY, SECRET = "PK-the-key-of-the-house", "the-secret-of-the-house"


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: Settings) -> Path:
    settings.ENCRYPTION_KEYSET = keyset.ensure(tmp_path / "keyset.json")
    return Path(settings.ENCRYPTION_KEYSET)


@pytest.fixture
def feed(db: None) -> Feed:
    return Feed.objects.create(name="alpaca-live", adapter="alpaca")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=django_settings.AUTHENTICATION_BACKENDS[-1])
    return client


@pytest.fixture
def console(olga: User) -> Client:
    return signed_in(olga)


def command(*arguments: str) -> str:
    output = StringIO()
    call_command("feed", *arguments, stdout=output)
    return output.getvalue()


def entries() -> list[tuple[str, str, dict[str, Any]]]:
    found = AuditEntry.objects.filter(action__startswith="Feed").order_by("pk")
    return [(entry.action, entry.reason, entry.facts) for entry in found]


def nowhere(*texts: object) -> None:
    for text in (*texts, entries(), [*Feed.objects.values()]):
        assert KEY not in str(text)
        assert SECRET not in str(text)


def test_a_feed_is_added_on_the_console(console: Client, olga: User) -> None:
    form = {"name": "kraken", "adapter": "ccxt", "options": '{"exchange": "kraken"}'}

    page = console.post("/admin/marketdata/feed/add/", form | {"reason": REASON}, follow=True)

    assert shown(page) == [  # type: ignore[arg-type]
        "kraken was added. It takes effect with ./portal restart feed."
    ]
    made = Feed.objects.get()
    assert (made.name, made.adapter, made.options, made.is_enabled, made.credentials) == (
        "kraken",
        "ccxt",
        {"exchange": "kraken"},
        True,
        None,
    )
    facts = {"adapter": "ccxt", "options": {"exchange": "kraken"}}
    assert entries() == [("FeedAdded", REASON, facts)]
    assert AuditEntry.objects.get(action="FeedAdded").actor == olga


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "Kraken!"}, "small letters, digits and hyphens"),
        ({"name": "alpaca-live"}, "There is a feed named alpaca-live already"),
        ({"options": "not json"}, "This must be JSON."),
        ({"options": "[1]"}, "This must be a JSON object."),
        ({"options": '{"exchange": "nope"}'}, "must be an exchange that ccxt knows"),
        ({"options": '{"exchange": "kraken", "x": 1}'}, "There is no option"),
        ({"options": json.dumps({"exchange": "k" * 9000})}, "at most 8192 bytes"),
        ({"adapter": "import"}, "Select a valid choice"),
        ({"reason": ""}, "This field is required"),
    ],
)
def test_a_wrong_feed_is_refused_with_its_reason(
    console: Client, feed: Feed, changed: dict[str, str], reason: str
) -> None:
    form = {"name": "kraken", "adapter": "ccxt", "options": '{"exchange": "kraken"}'}

    page = console.post("/admin/marketdata/feed/add/", form | {"reason": REASON} | changed)

    assert reason in page.content.decode()
    assert Feed.objects.get() == feed
    assert entries() == []


def test_a_key_is_set_and_never_shown(console: Client, feed: Feed) -> None:
    page = run(console, Feed, "set_key", feed, key=KEY, secret=SECRET)

    assert shown(page) == [
        "alpaca-live: its key is set. It takes effect with ./portal restart feed."
    ]
    feed.refresh_from_db()
    assert credentials_of(feed.pk, feed.credentials) == Credentials(KEY, SECRET)
    assert entries() == [("FeedKeySet", REASON, {})]
    seen = console.get(f"/admin/marketdata/feed/{feed.pk}/change/").content.decode()
    nowhere(page.content, seen, feed, repr(feed_setup(feed, SystemClock())), command("list"))
    nowhere(command("list", "--json"))


def test_a_form_that_is_refused_does_not_give_the_key_back(console: Client, feed: Feed) -> None:
    form = {"action": "set_key", "_selected_action": str(feed.pk), "index": "0"}
    asked = console.post("/admin/marketdata/feed/", form).content.decode()
    act_id = re.search(r'name="act_id" value="([^"]+)"', asked)
    assert act_id is not None

    page = console.post(
        "/admin/marketdata/feed/",
        form
        | {"confirmed": "yes", "act_id": act_id[1], "reason": "", "key": KEY, "secret": SECRET},
    )

    assert "This field is required" in page.content.decode()
    nowhere(page.content.decode())
    feed.refresh_from_db()
    assert feed.credentials is None


def test_a_key_in_another_feeds_row_does_not_open(console: Client, feed: Feed) -> None:
    other = Feed.objects.create(name="other", adapter="alpaca")
    run(console, Feed, "set_key", feed, key=KEY, secret=SECRET)
    feed.refresh_from_db()

    Feed.objects.filter(pk=other.pk).update(credentials=feed.credentials)

    other.refresh_from_db()
    with pytest.raises(Exception, match="cannot be read with the keyset"):
        credentials_of(other.pk, other.credentials)


def test_without_a_keyset_a_key_is_refused_and_nothing_is_stored(
    console: Client, feed: Feed, keys: Path
) -> None:
    keys.unlink()

    page = run(console, Feed, "set_key", feed, key=KEY, secret=SECRET)

    assert "The keyset of stored secrets cannot be found" in shown(page)[0]
    feed.refresh_from_db()
    assert feed.credentials is None
    assert entries() == []


@pytest.mark.parametrize("wrong", ["ключ", "x" * 513, "a\tb"])
def test_an_odd_key_is_refused(console: Client, feed: Feed, wrong: str) -> None:
    run(console, Feed, "set_key", feed, key=wrong, secret=SECRET)

    feed.refresh_from_db()
    assert feed.credentials is None


def test_an_instrument_follows_a_feed_and_no_more(
    console: Client, feed: Feed, instruments: dict[str, Instrument]
) -> None:
    page = run(console, Feed, "add_route", feed, symbol="AAPL", rank="2", symbol_there="AAPL.US")

    assert "AAPL follows it at rank 2" in shown(page)[0]
    route = FeedRoute.objects.get()
    assert (route.instrument.symbol, route.rank, route.symbol_there) == ("AAPL", 2, "AAPL.US")
    (told,) = feed_setup(feed, SystemClock()).instruments
    assert (told.grid.symbol, told.name_there) == ("AAPL", "AAPL.US")
    assert "AAPL.US" in console.get("/admin/marketdata/feedroute/").content.decode()

    page = run(console, FeedRoute, "remove_route", route)

    assert "AAPL follows alpaca-live no more" in shown(page)[0]
    assert not FeedRoute.objects.exists()
    assert [action for action, _, _ in entries()] == ["FeedRouteSet", "FeedRouteRemoved"]


def test_a_feed_at_a_taken_rank_moves_the_others_down(
    console: Client, feed: Feed, instruments: dict[str, Instrument]
) -> None:
    apple = instruments["AAPL"]
    for name, rank in (("first", 1), ("second", 2), ("apart", 4)):
        other = Feed.objects.create(name=name, adapter="simulated")
        FeedRoute.objects.create(instrument=apple, feed=other, rank=rank)

    run(console, Feed, "add_route", feed, symbol="AAPL", rank="1")
    unknown = run(console, Feed, "add_route", feed, symbol="NOPE", rank="1")

    assert "There is no instrument NOPE." in shown(unknown)[0]
    ranks = dict(FeedRoute.objects.values_list("feed__name", "rank"))
    assert ranks == {"alpaca-live": 1, "first": 2, "second": 3, "apart": 4}
    ((action, _, facts),) = entries()
    assert (action, facts["moved"]) == ("FeedRouteSet", {"first": 2, "second": 3})


def test_a_feed_that_is_routed_again_changes_places(
    feed: Feed, instruments: dict[str, Instrument]
) -> None:
    other = Feed.objects.create(name="other", adapter="simulated")
    FeedRoute.objects.create(instrument=instruments["AAPL"], feed=other, rank=1)
    FeedRoute.objects.create(instrument=instruments["AAPL"], feed=feed, rank=2)

    said = command("route", "alpaca-live", "AAPL", "--rank", "1")
    again = command("route", "alpaca-live", "AAPL", "--rank", "1", "--as", "AAPL.US")

    assert "AAPL follows alpaca-live at rank 1. other is at rank 2 now." in said
    assert "other" not in again
    assert list(FeedRoute.objects.order_by("rank").values_list("feed__name", "symbol_there")) == [
        ("alpaca-live", "AAPL.US"),
        ("other", ""),
    ]


def test_there_is_no_room_below_the_last_rank(
    feed: Feed, instruments: dict[str, Instrument]
) -> None:
    other = Feed.objects.create(name="other", adapter="simulated")
    FeedRoute.objects.create(instrument=instruments["AAPL"], feed=other, rank=100)

    with pytest.raises(CommandError, match="take one away with `feed unroute` first"):
        command("route", "alpaca-live", "AAPL", "--rank", "100")

    assert FeedRoute.objects.get().rank == 100
    assert entries() == []


def test_a_feed_that_the_market_leaves_out_says_how_to_run_it(
    feed: Feed, instruments: dict[str, Instrument], settings: Settings
) -> None:
    settings.MARKET = "simulated"
    assert "./portal up --market configured" in command("route", "alpaca-live", "AAPL")
    settings.MARKET = "configured"
    assert "--market" not in command("route", "alpaca-live", "AAPL")


def test_options_change_and_feeds_are_disabled_enabled_and_retired(
    console: Client, feed: Feed, instruments: dict[str, Instrument]
) -> None:
    FeedRoute.objects.create(instrument=instruments["AAPL"], feed=feed, rank=1)
    run(console, Feed, "set_key", feed, key=KEY, secret=SECRET)

    run(console, Feed, "change_options", feed, options='{"feed": "sip"}')
    run(console, Feed, "disable", feed)
    run(console, Feed, "disable", feed)
    run(console, Feed, "enable", feed)
    run(console, Feed, "remove_key", feed)
    run(console, Feed, "retire", feed)

    feed.refresh_from_db()
    assert (feed.options, feed.is_enabled, feed.credentials) == ({"feed": "sip"}, False, None)
    assert not FeedRoute.objects.exists()
    assert [(action, facts) for action, _, facts in entries()][1:] == [
        ("FeedOptionsChanged", {"before": {}, "options": {"feed": "sip"}}),
        ("FeedDisabled", {}),
        ("FeedEnabled", {}),
        ("FeedKeyRemoved", {}),
        ("FeedRetired", {"instruments": ["AAPL"]}),
    ]


def test_a_key_does_not_go_to_another_address(console: Client, feed: Feed) -> None:
    run(console, Feed, "set_key", feed, key=KEY, secret=SECRET)
    near = '{"feed": "sip", "quote_lot": 100}'
    run(console, Feed, "change_options", feed, options=near)
    feed.refresh_from_db()
    assert credentials_of(feed.pk, feed.credentials) == Credentials(KEY, SECRET)

    page = run(console, Feed, "change_options", feed, options='{"base_url": "https://eve.example"}')

    assert "Its key was removed, because its address has changed" in shown(page)[0]
    feed.refresh_from_db()
    assert (feed.options, feed.credentials) == ({"base_url": "https://eve.example"}, None)
    assert [(action, facts) for action, _, facts in entries()][2:] == [
        (
            "FeedOptionsChanged",
            {"before": json.loads(near), "options": {"base_url": "https://eve.example"}},
        ),
        ("FeedKeyRemoved", {"because": "its address has changed"}),
    ]
    answer = command("change", feed.name, "--option", "base_url=https://other.example")
    assert "key" not in answer, "there was none to remove"


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ({}, {"base_url": "https://a"}, False),
        ({"base_url": "https://a"}, {}, False),
        ({"base_url": "https://a"}, {"base_url": "https://A/x"}, True),
        ({"base_url": "https://a"}, {"base_url": "https://a:8443"}, False),
        ({"base_url": "http://127.0.0.1"}, {"base_url": "https://127.0.0.1"}, False),
        ({"urls": {"a": {"b": "https://a"}}}, {"urls": {"a": {"b": "https://b"}}}, False),
        ({"exchange": "kraken"}, {"exchange": "binance"}, False),
        ({"exchange": "kraken"}, {"exchange": "kraken", "poll_seconds": 5}, True),
    ],
)
def test_where_a_key_goes_is_scheme_host_and_port(
    before: dict[str, Any], after: dict[str, Any], *, is_same: bool
) -> None:
    assert (addresses_of(before) == addresses_of(after)) is is_same


def test_a_wrong_option_is_not_stored_by_a_change(console: Client, feed: Feed) -> None:
    page = run(console, Feed, "change_options", feed, options='{"base_url": "file:///etc/passwd"}')

    assert "must be an address that begins with http://" in shown(page)[0]
    feed.refresh_from_db()
    assert feed.options == {}
    assert entries() == []


def test_who_may_only_look_changes_nothing(make_user: Callable[..., User], feed: Feed) -> None:
    reader = signed_in(make_user("rita", role="auditor"))

    assert reader.get("/admin/marketdata/feed/").status_code == 200
    assert reader.get("/admin/marketdata/feedroute/").status_code == 200
    assert reader.get("/admin/marketdata/feed/add/").status_code == 403
    run(reader, Feed, "disable", feed)
    run(reader, Feed, "set_key", feed, key=KEY, secret=SECRET)

    feed.refresh_from_db()
    assert (feed.is_enabled, feed.credentials) == (True, None)


@pytest.mark.parametrize("role", ["trader", "support"])
def test_feeds_are_not_for_everybody(make_user: Callable[..., User], feed: Feed, role: str) -> None:
    answer: HttpResponse = signed_in(make_user("charlie", role=role)).get(  # type: ignore[assignment]
        "/admin/marketdata/feed/"
    )

    assert answer.status_code in {302, 403}


def test_columns_cannot_be_posted(console: Client, feed: Feed) -> None:
    console.post(
        f"/admin/marketdata/feed/{feed.pk}/change/",
        {"name": "x", "adapter": "ccxt", "options": '{"a": 1}', "is_enabled": ""},
    )

    feed.refresh_from_db()
    assert (feed.name, feed.adapter, feed.options, feed.is_enabled) == (
        "alpaca-live",
        "alpaca",
        {},
        True,
    )


# --- the command ---


def test_feeds_are_configured_by_command(
    instruments: dict[str, Instrument], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{KEY}\n{SECRET}\n"))

    command("add", "live", "--adapter", "alpaca", "--option", "feed=sip", "--option",
            "quote_lot=100", "--option", "silence_seconds=30", "--key-stdin")  # fmt: skip
    command("route", "live", "AAPL", "--rank", "2", "--as", "AAPL.US")
    command("route", "live", "AAPL", "--rank", "3")
    command("disable", "live")

    assert json.loads(command("list", "--json")) == [
        {
            "name": "live",
            "adapter": "alpaca",
            "options": {"feed": "sip", "quote_lot": 100, "silence_seconds": 30},
            "has_key": True,
            "is_enabled": False,
            "routes": [{"symbol": "AAPL", "rank": 3, "as": ""}],
        }
    ]
    assert "live (alpaca, with a key, disabled)" in command("list")
    feed = Feed.objects.get()
    assert credentials_of(feed.pk, feed.credentials) == Credentials(KEY, SECRET)
    assert feed_setup(feed, SystemClock()).options == {"feed": "sip", "quote_lot": 100}
    command("unroute", "live", "AAPL")
    command("key", "live", "--remove")
    command("change", "live")
    (row,) = json.loads(command("list", "--json"))
    assert (row["has_key"], row["routes"], row["options"]) == (False, [], {})
    assert all(entry.actor_id is None for entry in AuditEntry.objects.all())
    nowhere(command("list"))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "x", "--adapter", "nope"), "choose one of"),
        (("add", "x", "--adapter", "alpaca", "--option", "feed"), "--option is NAME=VALUE"),
        (("add", "x", "--adapter", "alpaca", "--option", "feed=1"), "must be a short text"),
        (("route", "nope", "AAPL"), "There is no feed named nope"),
        (("route", "alpaca-live", "NOPE"), "There is no instrument NOPE"),
        (("route", "alpaca-live", "AAPL", "--rank", "0"), "The rank must be 1 to 100"),
        (("unroute", "alpaca-live", "AAPL"), "AAPL does not follow alpaca-live"),
        (("key", "alpaca-live"), "Say --key-stdin"),
        (("test", "alpaca-live"), "No instrument follows alpaca-live"),
    ],
)
def test_wrong_commands_say_what_is_wrong(
    feed: Feed, instruments: dict[str, Instrument], arguments: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        command(*arguments)

    assert entries() == []
    assert Feed.objects.get() == feed


def test_an_adapter_without_keys_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{KEY}\n{SECRET}\n"))
    command("add", "sim", "--adapter", "simulated")

    with pytest.raises(CommandError, match="The adapter simulated uses no key"):
        command("key", "sim", "--key-stdin")

    assert Feed.objects.get().credentials is None
