"""Watchlists: what their owner may do with them, who else sees them, and the dialect's routes."""

import html
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.domain.origin import Origin
from marketdata.domain.watching import (
    MOST_INSTRUMENTS,
    MOST_WATCHLISTS,
    WatchReason,
    clean_name,
    free_name,
    moved,
)
from marketdata.models import Instrument, Watchlist, WatchlistItem
from marketdata.selectors.watchlists import (
    instruments_of,
    share_a_desk,
    watchlist_visible_to,
    watchlists_of,
)
from marketdata.services.watchlists import (
    add_instrument,
    copy_watchlist,
    create_watchlist,
    delete_watchlist,
    move_instrument,
    move_watchlist,
    remove_instrument,
    rename_watchlist,
    set_instruments,
    share_watchlist,
)
from portfolio.models import Desk, TradingAccount
from tests.orders.desk import open_desk
from tests.orders.pages.asked import JSON

pytestmark = pytest.mark.django_db(transaction=True)
Fields = dict[str, Any]  # Any: JSON
LATER = timedelta(minutes=1)


@pytest.fixture
def apple(instruments: dict[str, Instrument]) -> Instrument:
    return instruments["AAPL"]


@pytest.fixture
def bitcoin(instruments: dict[str, Instrument]) -> Instrument:
    return instruments["BTC/USD"]


@pytest.fixture
def tesla(apple: Instrument) -> Instrument:
    apple.pk, apple.symbol, apple.name = None, "TSLA", "Tesla, Inc."
    apple.public_id = UUID(int=9)
    apple.save(force_insert=True)
    return Instrument.objects.get(symbol="TSLA")


@pytest.fixture
def people(
    instruments: dict[str, Instrument], alice: User, bob: User, charlie: User
) -> Mapping[str, TradingAccount]:
    """Alice has an account that Bob shares, Charlie has his own; none has a desk."""
    return open_desk({"alice": alice, "bob": bob, "charlie": charlie}).accounts


@pytest.fixture
def tech(
    alice: User, instruments: dict[str, Instrument], tesla: Instrument, now: datetime
) -> Watchlist:
    return create_watchlist(
        owner=alice,
        name="Tech",
        instruments=[tesla, instruments["BTC/USD"], Instrument.objects.get(symbol="AAPL")],
        now=now,
    )


def keys(user: User, *scopes: Scope) -> dict[str, str]:
    origin = Origin(now=SystemClock().now())
    key, secret = create_api_key(user=user, scopes=scopes, origin=origin)
    return {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret}


def symbols(watchlist: Watchlist) -> list[str]:
    return [instrument.symbol for instrument in instruments_of(watchlist)]


def names(user: User) -> list[str]:
    return [watchlist.name for watchlist in watchlists_of(user)]


# --- What is decided without a database


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  My   tech ", "My tech"),
        ("x" * 64, "x" * 64),
        ("x" * 65, None),
        ("", None),
        (" \t ", None),
        ("a\u202eb", None),
        ("a\0b", None),
    ],
)
def test_a_name_can_be_read_or_is_refused(text: str, name: str | None) -> None:
    assert clean_name(text) == name


def test_a_copy_finds_a_name_that_is_free() -> None:
    assert free_name("Tech", {"Banks"}) == "Tech"
    assert free_name("Tech", {"Tech", "Tech (2)"}) == "Tech (3)"
    assert free_name("x" * 64, {"x" * 64}) == "x" * 60 + " (2)"


def test_a_thing_moves_to_its_place_and_not_beyond_the_ends() -> None:
    assert moved("abcd", "a", 2) == ["b", "c", "a", "d"]
    assert moved("abcd", "d", -5) == ["d", "a", "b", "c"]
    assert moved("abcd", "a", 99) == ["b", "c", "d", "a"]
    with pytest.raises(ValueError, match="not in list"):
        moved("abcd", "e", 0)


# --- The owner's changes


def test_a_list_keeps_the_order_it_is_given_and_each_instrument_once(
    alice: User, apple: Instrument, bitcoin: Instrument, now: datetime
) -> None:
    made = create_watchlist(
        owner=alice, name="Mine", instruments=[bitcoin, apple, bitcoin], now=now
    )

    assert symbols(made) == ["BTC/USD", "AAPL"]
    assert (made.is_shared, made.created_at, made.updated_at) == (False, now, now)


def test_an_instrument_is_added_at_the_end_and_only_once(
    alice: User, apple: Instrument, bitcoin: Instrument, now: datetime
) -> None:
    mine = create_watchlist(owner=alice, name="Mine", instruments=[bitcoin], now=now)

    changed = add_instrument(watchlist=mine, instrument=apple, now=now + LATER)
    again = add_instrument(watchlist=mine, instrument=bitcoin, now=now + 2 * LATER)

    assert symbols(mine) == ["BTC/USD", "AAPL"]
    assert (changed.updated_at, again.updated_at) == (now + LATER, now + LATER)


def test_instruments_are_moved_removed_and_replaced(
    tech: Watchlist, bitcoin: Instrument, tesla: Instrument, now: datetime
) -> None:
    move_instrument(watchlist=tech, instrument=tesla, to=2, now=now)
    assert symbols(tech) == ["BTC/USD", "AAPL", "TSLA"]

    remove_instrument(watchlist=tech, instrument=bitcoin, now=now)
    assert symbols(tech) == ["AAPL", "TSLA"]

    with pytest.raises(Refusal) as refused:
        remove_instrument(watchlist=tech, instrument=bitcoin, now=now + LATER)
    assert refused.value.reason is WatchReason.WATCHLIST_ITEM_MISSING
    assert Watchlist.objects.get(pk=tech.pk).updated_at == now

    set_instruments(watchlist=tech, instruments=[bitcoin], now=now)
    assert symbols(tech) == ["BTC/USD"]


def test_lists_are_ordered_renamed_and_deleted(alice: User, tech: Watchlist, now: datetime) -> None:
    for name in ("Banks", "Coins"):
        create_watchlist(owner=alice, name=name, instruments=[], now=now)

    move_watchlist(watchlist=Watchlist.objects.get(name="Coins"), to=0)
    rename_watchlist(watchlist=tech, name=" Big  tech ", now=now)
    assert names(alice) == ["Coins", "Big tech", "Banks"]
    assert [vars(watchlist)["size"] for watchlist in watchlists_of(alice)] == [0, 3, 0]

    delete_watchlist(watchlist=tech)
    assert names(alice) == ["Coins", "Banks"]
    assert WatchlistItem.objects.count() == 0


def test_a_name_is_used_once_by_each_person(
    alice: User, bob: User, tech: Watchlist, now: datetime
) -> None:
    other = create_watchlist(owner=alice, name="Other", instruments=[], now=now)
    create_watchlist(owner=bob, name="Tech", instruments=[], now=now)

    acts: list[Callable[[], object]] = [
        lambda: create_watchlist(owner=alice, name="Tech", instruments=[], now=now),
        lambda: rename_watchlist(watchlist=other, name="Tech", now=now),
    ]
    for act in acts:
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.reason is WatchReason.WATCHLIST_NAME_TAKEN
        assert refused.value.status == 422
    assert names(alice) == ["Tech", "Other"]
    assert rename_watchlist(watchlist=tech, name="Tech", now=now).name == "Tech"


def test_there_are_fifty_lists_of_two_hundred_instruments_and_no_more(
    alice: User, apple: Instrument, now: datetime
) -> None:
    many = Instrument.objects.bulk_create(
        Instrument(
            symbol=f"T{number:03}", name="Test", venue=apple.venue, asset_class="us_equity",
            quote_currency=apple.quote_currency, tick_size=Decimal("0.01"), lot_size=Decimal(1),
        )
        for number in range(MOST_INSTRUMENTS)
    )  # fmt: skip
    full = create_watchlist(owner=alice, name="1", instruments=many, now=now)
    for number in range(2, MOST_WATCHLISTS + 1):
        create_watchlist(owner=alice, name=str(number), instruments=[], now=now)

    reasons = []
    acts: list[Callable[[], object]] = [
        lambda: add_instrument(watchlist=full, instrument=apple, now=now),
        lambda: set_instruments(watchlist=full, instruments=[*many, apple], now=now),
        lambda: create_watchlist(owner=alice, name="51", instruments=[], now=now),
        lambda: copy_watchlist(watchlist=full, owner=alice, now=now),
    ]
    for act in acts:
        with pytest.raises(Refusal) as refused:
            act()
        reasons.append(str(refused.value.reason))

    assert reasons == ["WATCHLIST_FULL", "WATCHLIST_FULL", "WATCHLIST_LIMIT", "WATCHLIST_LIMIT"]
    assert len(symbols(full)) == MOST_INSTRUMENTS
    assert len(names(alice)) == MOST_WATCHLISTS


# --- Who else sees a list


def test_a_list_is_its_owners_until_it_is_shared_with_the_desk(
    people: Mapping[str, TradingAccount],
    alice: User, bob: User, charlie: User, olga: User, tech: Watchlist, now: datetime,
) -> None:  # fmt: skip
    def readers() -> list[str]:
        everybody = (alice, bob, charlie, olga)
        return [user.username for user in everybody if watchlist_visible_to(user, tech.pk)]

    assert readers() == ["alice"]

    share_watchlist(watchlist=tech, is_shared=True, now=now)
    assert readers() == ["alice", "bob"]

    desk = Desk.objects.create(name="Equities")
    TradingAccount.objects.filter(kind="CASH").update(desk=desk)
    assert readers() == ["alice", "bob", "charlie"]

    share_watchlist(watchlist=tech, is_shared=False, now=now)
    assert readers() == ["alice"]


def test_people_without_accounts_share_no_desk(
    people: Mapping[str, TradingAccount], alice: User, olga: User
) -> None:
    assert not share_a_desk(olga.pk, olga.pk)
    assert not share_a_desk(olga.pk, alice.pk)


def test_a_mate_copies_a_list_and_the_copy_is_private(
    bob: User, tech: Watchlist, now: datetime
) -> None:
    share_watchlist(watchlist=tech, is_shared=True, now=now)

    copies = [copy_watchlist(watchlist=tech, owner=bob, now=now) for _ in range(2)]

    assert [(copy.name, copy.is_shared, symbols(copy)) for copy in copies] == [
        ("Tech", False, ["TSLA", "BTC/USD", "AAPL"]),
        ("Tech (2)", False, ["TSLA", "BTC/USD", "AAPL"]),
    ]


# --- The dialect


@pytest.fixture
def api(people: Mapping[str, TradingAccount], alice: User) -> Client:
    return Client(headers=keys(alice, Scope.READ, Scope.TRADE))


def sent(client: Client, method: str, path: str, body: object = None) -> tuple[int, Any]:
    call: Callable[..., Any] = getattr(client, method)  # Any: the test client's response
    response = call(path) if body is None else call(path, body, content_type="application/json")
    return response.status_code, response.json() if response.content else None


def test_the_dialect_makes_reads_changes_and_deletes_a_list(
    api: Client, people: Mapping[str, TradingAccount], apple: Instrument, bitcoin: Instrument
) -> None:
    status, made = sent(api, "post", "/v2/watchlists", {"name": "Mine", "symbols": ["BTCUSD"]})
    path = f"/v2/watchlists/{made['id']}"

    assert status == 200
    assert made["account_id"] == str(people["alice"].public_id)
    assert [asset["symbol"] for asset in made["assets"]] == ["BTC/USD"]
    assert sent(api, "get", "/v2/watchlists")[1] == [
        {name: value for name, value in made.items() if name != "assets"}
    ]
    for method, address, body, left in (
        ("post", path, {"symbol": "AAPL"}, ["BTC/USD", "AAPL"]),
        ("delete", f"{path}/BTC/USD", None, ["AAPL"]),
        ("put", path, {"symbols": ["AAPL", "BTC/USD"]}, ["AAPL", "BTC/USD"]),
        ("put", "/v2/watchlists:by_name?name=Mine", {"name": "Ours"}, ["AAPL", "BTC/USD"]),
        ("delete", f"{path}/BTCUSD", None, ["AAPL"]),
        ("get", path, None, ["AAPL"]),
        ("get", "/v2/watchlists:by_name?name=Ours", None, ["AAPL"]),
    ):
        status, answer = sent(api, method, address, body)
        assert (status, [asset["symbol"] for asset in answer["assets"]]) == (200, left), address
    assert sent(api, "delete", path) == (204, None)
    assert sent(api, "get", path)[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("post", "", {"name": "Tech"}, 422, "WATCHLIST_NAME_TAKEN"),
        ("post", "", {"name": "New", "symbols": ["NOPE"]}, 422, "WATCHLIST_ITEM_UNKNOWN"),
        ("post", "", {"name": ""}, 422, "FIELD_INVALID"),
        ("post", "", {"symbols": []}, 422, "FIELD_MISSING"),
        ("post", "", {"name": "New", "symbols": "AAPL"}, 422, "FIELD_INVALID"),
        ("post", "", {"name": "New", "symbols": [1]}, 422, "FIELD_INVALID"),
        ("post", "", {"name": "New", "owner": 2}, 400, "FIELD_UNKNOWN"),
        ("put", "/{id}", {}, 422, "FIELD_MISSING"),
        ("put", "/{id}", {"symbols": ["AAPL", "NOPE"]}, 422, "WATCHLIST_ITEM_UNKNOWN"),
        ("post", "/{id}", {"symbol": "NOPE"}, 422, "WATCHLIST_ITEM_UNKNOWN"),
        ("delete", "/{id}/NOPE", None, 404, "NOT_FOUND"),
        ("get", ":by_name", None, 400, "FIELD_MISSING"),
        ("get", ":by_name?name=None", None, 404, "NOT_FOUND"),
        ("get", "/00000000-0000-0000-0000-000000000007", None, 404, "NOT_FOUND"),
    ],
)
def test_the_dialect_says_no_with_a_reason_and_changes_nothing(
    api: Client, alice: User, tech: Watchlist,
    method: str, path: str, body: object, status: int, reason: str,
) -> None:  # fmt: skip
    answer = sent(api, method, "/v2/watchlists" + path.format(id=tech.pk), body)

    assert (answer[0], answer[1]["reason"]) == (status, reason)
    assert names(alice) == ["Tech"]
    assert symbols(tech) == ["TSLA", "BTC/USD", "AAPL"]


def test_another_persons_list_is_not_there_even_when_it_is_shared(
    people: Mapping[str, TradingAccount], bob: User, charlie: User, tech: Watchlist, now: datetime
) -> None:
    share_watchlist(watchlist=tech, is_shared=True, now=now)
    path = f"/v2/watchlists/{tech.pk}"

    for user in (bob, charlie):
        client = Client(headers=keys(user, Scope.READ, Scope.TRADE))
        assert sent(client, "get", "/v2/watchlists") == (200, [])
        for method, address, body in (
            ("get", path, None),
            ("put", path, {"name": "Stolen"}),
            ("post", path, {"symbol": "AAPL"}),
            ("delete", f"{path}/AAPL", None),
            ("delete", path, None),
            ("delete", "/v2/watchlists:by_name?name=Tech", None),
        ):
            assert sent(client, method, address, body)[0] == 404, (user, method, address)
    assert symbols(tech) == ["TSLA", "BTC/USD", "AAPL"]


def test_a_key_that_only_reads_changes_no_list(
    people: Mapping[str, TradingAccount], alice: User, tech: Watchlist
) -> None:
    reader = Client(headers=keys(alice, Scope.READ))

    assert sent(reader, "get", f"/v2/watchlists/{tech.pk}")[0] == 200
    assert sent(reader, "delete", f"/v2/watchlists/{tech.pk}")[0] == 403
    assert sent(reader, "post", "/v2/watchlists", {"name": "New"})[0] == 403
    assert names(alice) == ["Tech"]


def test_whoever_has_no_account_has_no_list_in_the_dialect(olga: User, db: None) -> None:
    client = Client(headers=keys(olga, Scope.READ))

    assert sent(client, "get", "/v2/watchlists")[0] == 404


# --- The pages


def client_of(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def changed(user: User | None, watchlist: Watchlist, **fields: object) -> Any:
    return client_of(user).post(f"/watchlists/{watchlist.pk}/change", fields)


@pytest.mark.parametrize("is_shared", [False, True])
def test_who_reads_changes_copies_and_deletes_a_list_by_its_address(
    people: Mapping[str, TradingAccount],
    alice: User, bob: User, charlie: User, olga: User, tech: Watchlist, now: datetime,
    is_shared: bool,
) -> None:  # fmt: skip
    share_watchlist(watchlist=tech, is_shared=is_shared, now=now)
    path = f"/watchlists/{tech.pk}"
    everybody = (None, alice, bob, charlie, olga)
    reads = [client_of(user).get(path).status_code for user in everybody]
    copies = [client_of(user).post(f"{path}/copy").status_code for user in everybody]
    asks = [client_of(user).get(f"{path}/delete").status_code for user in everybody]
    strangers = (None, bob, charlie, olga)
    acts = [
        changed(user, tech, act=act, name="Stolen", symbol="AAPL", to="0").status_code
        for user in strangers
        for act in ("rename", "unshare", "add", "remove", "move", "place")
    ]
    deletes = [client_of(user).post(f"{path}/delete").status_code for user in strangers]

    assert reads == [302, 200, 200 if is_shared else 404, 404, 404]
    assert copies == [302, 302, 302 if is_shared else 404, 404, 404]
    assert asks == [302, 200, 404, 404, 404]
    assert acts == [302] * 6 + [404] * 18
    assert deletes == [302, 404, 404, 404]
    tech.refresh_from_db()
    assert (tech.name, tech.is_shared) == ("Tech", is_shared)
    assert symbols(tech) == ["TSLA", "BTC/USD", "AAPL"]
    assert names(bob) == (["Tech"] if is_shared else [])
    assert names(charlie) == names(olga) == []


def test_a_mate_sees_the_list_without_what_only_its_owner_may_do(
    people: Mapping[str, TradingAccount], alice: User, bob: User, tech: Watchlist, now: datetime
) -> None:
    share_watchlist(watchlist=tech, is_shared=True, now=now)

    own = client_of(alice).get(f"/watchlists/{tech.pk}").content.decode()
    mates = client_of(bob).get(f"/watchlists/{tech.pk}").content.decode()

    assert "Shared by alice" in mates
    assert "/change" in own
    assert f"http://testserver/watchlists/{tech.pk}" in own
    assert "/change" not in mates
    assert "/copy" in mates


def test_plain_forms_do_everything_and_lead_back(
    alice: User, tech: Watchlist, now: datetime
) -> None:
    client, path = client_of(alice), f"/watchlists/{tech.pk}"

    made = client.post("/watchlists/create", {"name": "New"})
    new = Watchlist.objects.get(name="New")
    assert made["Location"] == f"/watchlists/{new.pk}?add=1"
    for fields, left in (
        ({"act": "move", "symbol": "AAPL", "to": "0"}, ["AAPL", "TSLA", "BTC/USD"]),
        ({"act": "remove", "symbol": "TSLA"}, ["AAPL", "BTC/USD"]),
        ({"act": "add", "symbol": "TSLA", "to": "1"}, ["AAPL", "TSLA", "BTC/USD"]),
        ({"act": "remove", "symbol": "BTCUSD"}, ["AAPL", "TSLA"]),
        ({"act": "add", "symbol": " btc/usd "}, ["AAPL", "TSLA", "BTC/USD"]),
    ):
        assert client.post(f"{path}/change", fields).status_code == 302
        assert symbols(tech) == left, fields
    client.post(f"{path}/change", {"act": "place", "to": "1"})
    client.post(f"{path}/change", {"act": "rename", "name": "Ours"})
    client.post(f"{path}/change", {"act": "share"})
    assert names(alice) == ["New", "Ours"]
    assert "Shared" in client.get("/watchlists").content.decode()

    client.post(f"{path}/delete")
    assert names(alice) == ["New"]


def test_a_removed_instrument_can_be_put_back_where_it_was(alice: User, tech: Watchlist) -> None:
    client = client_of(alice)
    gone = client.post(
        f"/watchlists/{tech.pk}/change", {"act": "remove", "symbol": "BTC/USD"}, follow=True
    )

    shown = gone.content.decode()

    assert "BTC/USD is off the list." in shown
    assert '<input type="hidden" name="to" value="1">' in shown


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"act": "add", "symbol": "NOPE"}, 422, "WATCHLIST_ITEM_UNKNOWN"),
        ({"act": "add", "symbol": ""}, 422, "WATCHLIST_ITEM_UNKNOWN"),
        ({"act": "move", "symbol": "AAPL"}, 422, "FIELD_INVALID"),
        ({"act": "move", "symbol": "AAPL", "to": "-1"}, 422, "FIELD_INVALID"),
        ({"act": "rename", "name": ""}, 422, "FIELD_INVALID"),
        ({"act": "steal"}, 422, "FIELD_INVALID"),
        ({}, 422, "FIELD_INVALID"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_with_a_reason(
    alice: User, tech: Watchlist, fields: dict[str, str], status: int, reason: str
) -> None:
    client, path = client_of(alice), f"/watchlists/{tech.pk}"

    answer = client.post(f"{path}/change", fields, headers=JSON)
    as_person = client.post(f"{path}/change", fields, follow=True)

    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["message"] in html.unescape(as_person.content.decode())
    assert symbols(tech) == ["TSLA", "BTC/USD", "AAPL"]


def test_scripts_get_the_list_in_its_order(alice: User, tech: Watchlist) -> None:
    client, path = client_of(alice), f"/watchlists/{tech.pk}"

    fields = {"act": "move", "symbol": "AAPL", "to": "0"}
    moved_list = client.post(f"{path}/change", fields, headers=JSON).json()

    assert moved_list["symbols"] == ["AAPL", "TSLA", "BTC/USD"]
    assert client.get(path, headers=JSON).json() == moved_list
    assert client.get("/watchlists", headers=JSON).json() == {
        "watchlists": [{k: v for k, v in moved_list.items() if k != "symbols"}]
    }


def test_the_terminal_opens_a_list_that_may_be_read_and_else_everything(
    people: Mapping[str, TradingAccount], alice: User, charlie: User, tech: Watchlist
) -> None:
    def shown(user: User, wanted: object) -> list[str]:
        page = client_of(user).get("/terminal", {"list": wanted}).content.decode()
        return re.findall(r'<tr data-symbol="([^"]+)"', page)

    assert shown(alice, tech.pk) == ["TSLA", "BTC/USD", "AAPL"]
    assert shown(charlie, tech.pk) == ["AAPL", "BTC/USD", "TSLA"]
    assert shown(alice, "nonsense") == ["AAPL", "BTC/USD", "TSLA"]
