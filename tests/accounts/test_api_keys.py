"""API keys: their form, what they open, and how fast they close."""

import base64
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.domain.api_keys import KeyPair, Scope, read_key_pair
from accounts.models import ApiKey, User
from accounts.services import (
    authenticate_key,
    create_api_key,
    resolve_key,
    revoke_api_key,
    set_roles,
)
from accounts.services.api_keys import key_cache
from core.domain.origin import Origin
from core.models import AuditEntry

KEY_ID = "PK0123456789ABCDEFGH"


@pytest.fixture
def origin(now: datetime) -> Origin:
    return Origin(now=now, address="192.0.2.7", request_id="request-1")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_key_is_shown_once_and_kept_as_a_hash(alice: User, origin: Origin) -> None:
    key, secret = create_api_key(user=alice, scopes=[Scope.TRADE, Scope.READ], origin=origin)

    assert re.fullmatch(r"PK[A-Z0-9]{18}", key.key_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)
    stored = ApiKey.objects.get(pk=key.pk)
    assert stored.scopes == ["read", "trade"]
    assert len(stored.secret_hash) == 64
    assert secret not in repr(ApiKey.objects.values().get(pk=key.pk))


def test_making_a_key_writes_an_audit_entry_without_the_secret(alice: User, origin: Origin) -> None:
    key, secret = create_api_key(user=alice, scopes=[Scope.READ], origin=origin, actor=alice)

    entry = AuditEntry.objects.get(action="ApiKeyCreated")
    assert (entry.actor, entry.target, entry.address) == (alice, key.key_id, "192.0.2.7")
    assert entry.facts == {"user": "alice", "scopes": ["read"]}
    assert secret not in str(AuditEntry.objects.values().get(pk=entry.pk))


def test_a_live_key_gives_its_principal(alice: User, origin: Origin) -> None:
    key, secret = create_api_key(
        user=alice, scopes=[Scope.TRADE], origin=origin, rate_limit_per_minute=50
    )

    principal = authenticate_key(key.key_id, secret)

    assert principal is not None
    assert (principal.user_id, principal.username, principal.key_id) == (
        alice.pk,
        "alice",
        key.key_id,
    )
    assert principal.scopes == {"trade"}
    assert principal.roles == {"trader"}
    assert principal.rate_limit_per_minute == 50


@pytest.mark.parametrize("change", ["x", "", " ", "\0", "é", "\ud800"])
def test_a_wrong_secret_is_refused(alice: User, origin: Origin, change: str) -> None:
    key, secret = create_api_key(user=alice, scopes=[Scope.READ], origin=origin)

    assert resolve_key(key.key_id, secret[:-1] + change) is None
    assert resolve_key(key.key_id, secret) is not None


def test_the_secret_of_another_key_is_refused(alice: User, bob: User, origin: Origin) -> None:
    mine, _ = create_api_key(user=alice, scopes=[Scope.READ], origin=origin)
    _, theirs = create_api_key(user=bob, scopes=[Scope.READ], origin=origin)

    assert resolve_key(mine.key_id, theirs) is None


def test_a_revoked_key_stops_at_once_in_its_own_process(
    alice: User,
    origin: Origin,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    key, secret = create_api_key(user=alice, scopes=[Scope.READ], origin=origin)
    assert resolve_key(key.key_id, secret) is not None

    with django_capture_on_commit_callbacks(execute=True):
        assert revoke_api_key(key=key, reason="lost laptop", actor=alice, origin=origin)

    assert resolve_key(key.key_id, secret) is None
    assert not revoke_api_key(key=key, reason="again", actor=alice, origin=origin)
    entry = AuditEntry.objects.get(action="ApiKeyRevoked")
    assert (entry.target, entry.reason) == (key.key_id, "lost laptop")


def test_a_disabled_user_stops_when_the_entry_is_a_second_old(
    alice: User, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = create_api_key(user=alice, scopes=[Scope.READ], origin=origin)
    clock = [time.monotonic()]
    monkeypatch.setattr(key_cache, "_clock", lambda: clock[0])
    assert resolve_key(key.key_id, secret) is not None

    User.objects.filter(pk=alice.pk).update(is_active=False)

    clock[0] += 1
    assert resolve_key(key.key_id, secret) is None


def test_a_busy_key_costs_one_lookup_a_second(
    alice: User,
    origin: Origin,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Callable[..., object],
) -> None:
    key, secret = create_api_key(user=alice, scopes=[Scope.READ], origin=origin)
    standing = time.monotonic()
    monkeypatch.setattr(key_cache, "_clock", lambda: standing)
    resolve_key(key.key_id, secret)

    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        for _ in range(50):
            assert resolve_key(key.key_id, secret) is not None


def test_a_user_who_may_not_trade_gets_no_trade_key(
    make_user: Callable[..., User], origin: Origin
) -> None:
    anna = make_user("anna", role="analyst")

    with pytest.raises(ValidationError):
        create_api_key(user=anna, scopes=[Scope.TRADE], origin=origin)

    assert not ApiKey.objects.exists()


def test_losing_the_trader_role_takes_trading_from_existing_keys(
    alice: User, olga: User, origin: Origin
) -> None:
    key, secret = create_api_key(user=alice, scopes=[Scope.READ, Scope.TRADE], origin=origin)

    set_roles(user=alice, roles=[], reason="left the desk", actor=olga, origin=origin)

    principal = authenticate_key(key.key_id, secret)
    assert principal is not None
    assert principal.scopes == {"read"}


@pytest.mark.parametrize("limit", [0, -1, 60_000_001])
def test_a_rate_limit_outside_its_range_is_refused(alice: User, origin: Origin, limit: int) -> None:
    with pytest.raises(ValidationError):
        create_api_key(user=alice, scopes=[Scope.READ], origin=origin, rate_limit_per_minute=limit)


@pytest.mark.parametrize(
    ("key_id", "secret", "authorization", "expected"),
    [
        (KEY_ID, "s3cret", None, KeyPair(KEY_ID, "s3cret")),
        (None, None, basic(f"{KEY_ID}:s3cret"), KeyPair(KEY_ID, "s3cret")),
        (None, None, basic(f"{KEY_ID}:a:b"), KeyPair(KEY_ID, "a:b")),
        (KEY_ID, "s3cret", basic(f"{KEY_ID}:s3cret"), KeyPair(KEY_ID, "s3cret")),
        (KEY_ID, "s3cret", basic(f"{KEY_ID}:other"), None),
        (KEY_ID, None, None, None),
        (None, "s3cret", None, None),
        (KEY_ID, "", None, None),
        (KEY_ID, "s" * 129, None, None),
        (KEY_ID.lower(), "s3cret", None, None),
        (f"{KEY_ID},{KEY_ID}", "s3cret", None, None),
        (f"{KEY_ID}\n", "s3cret", None, None),
        (None, None, "Bearer abc", None),
        (None, None, "Basic", None),
        (None, None, "Basic !!!", None),
        (None, None, "Basic " + "A" * 600, None),
        (None, None, basic(KEY_ID), None),
        (None, None, None, None),
    ],
)
def test_the_key_pair_is_read_from_either_header_form(
    key_id: str | None, secret: str | None, authorization: str | None, expected: KeyPair | None
) -> None:
    assert read_key_pair(key_id=key_id, secret=secret, authorization=authorization) == expected


def test_a_key_pair_never_shows_its_secret() -> None:
    assert "s3cret" not in repr(KeyPair(KEY_ID, "s3cret"))
