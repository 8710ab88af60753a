"""The same request twice gets the same answer; another request with its key gets none."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.models import User
from core.domain.errors import Refusal
from core.models import IdempotencyRecord
from core.services import idempotency
from core.services.idempotency import Claim, StoredAnswer, request_hash

BUY = request_hash(method="POST", path="/v2/orders", body=b'{"side":"buy"}')
SELL = request_hash(method="POST", path="/v2/orders", body=b'{"side":"sell"}')


def begin(user: User, now: datetime, key: str = "k-1", request: str = BUY) -> Claim | StoredAnswer:
    return idempotency.begin(user_id=user.pk, key=key, request_hash=request, now=now)


def claim(user: User, now: datetime, key: str = "k-1") -> Claim:
    result = begin(user, now, key)
    assert isinstance(result, Claim)
    return result


def test_the_same_request_gets_the_stored_answer(alice: User, now: datetime) -> None:
    first = claim(alice, now)
    idempotency.finish(first, status=200, body={"id": "o-1"})

    again = begin(alice, now + timedelta(hours=23))

    assert again == StoredAnswer(200, {"id": "o-1"})


def test_refusals_are_stored_too(alice: User, now: datetime) -> None:
    idempotency.finish(claim(alice, now), status=403, body={"code": 40310000})

    assert begin(alice, now) == StoredAnswer(403, {"code": 40310000})


def test_another_request_with_the_key_is_refused(alice: User, now: datetime) -> None:
    idempotency.finish(claim(alice, now), status=200, body={})

    with pytest.raises(Refusal) as refusal:
        begin(alice, now, request=SELL)

    assert (refusal.value.status, refusal.value.code) == (422, 42210000)


def test_a_request_in_flight_is_a_conflict(alice: User, now: datetime) -> None:
    claim(alice, now)

    with pytest.raises(Refusal) as refusal:
        begin(alice, now)

    assert (refusal.value.status, refusal.value.code) == (409, 40910000)


def test_an_abandoned_key_is_free_again(alice: User, now: datetime) -> None:
    idempotency.abandon(claim(alice, now))

    assert isinstance(begin(alice, now), Claim)


def test_a_finished_answer_cannot_be_abandoned_or_changed(alice: User, now: datetime) -> None:
    first = claim(alice, now)
    idempotency.finish(first, status=200, body={"id": "o-1"})

    idempotency.abandon(first)
    idempotency.finish(first, status=500, body={})

    assert begin(alice, now) == StoredAnswer(200, {"id": "o-1"})


def test_keys_belong_to_their_user(alice: User, charlie: User, now: datetime) -> None:
    idempotency.finish(claim(alice, now), status=200, body={"id": "o-1"})

    assert isinstance(begin(charlie, now), Claim)


def test_a_key_expires_after_a_day(alice: User, now: datetime) -> None:
    idempotency.finish(claim(alice, now), status=200, body={})

    later = now + timedelta(hours=24, seconds=1)
    assert isinstance(begin(alice, later, request=SELL), Claim)
    assert idempotency.forget_expired(later + timedelta(days=2)) == 1
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "a\0b", "a\nb"])
def test_a_malformed_key_is_refused(alice: User, now: datetime, key: str) -> None:
    with pytest.raises(Refusal) as refusal:
        begin(alice, now, key=key)

    assert refusal.value.status == 400


def test_method_path_and_body_make_the_request() -> None:
    hashes = {
        request_hash(method=method, path=path, body=body)
        for method in ("POST", "PATCH")
        for path in ("/v2/orders", "/v2/order")
        for body in (b"", b"s")
    }

    assert len(hashes) == 8


@pytest.mark.django_db(transaction=True)
def test_of_parallel_requests_one_acts(make_user: Callable[..., User], now: datetime) -> None:
    user = make_user("alice")
    barrier = threading.Barrier(8)

    def race(_: int) -> bool:
        barrier.wait()
        try:
            return isinstance(begin(user, now), Claim)
        except Refusal as refusal:
            assert refusal.status == 409
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(race, range(8))).count(True) == 1
