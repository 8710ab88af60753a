"""The same request twice gets the same answer; another request with its key gets none."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import User
from core.domain.errors import Refusal
from core.models import IdempotencyRecord
from core.services import idempotency
from core.services.idempotency import Claim, Drawn, StoredAnswer, request_hash

BUY = request_hash(method="POST", path="/v2/orders", body=b'{"side":"buy"}')
SELL = request_hash(method="POST", path="/v2/orders", body=b'{"side":"sell"}')

FIRST_ID, SECOND_ID = UUID(int=1), UUID(int=2)
WORKED_ON = timedelta(seconds=5)


def begin(user: User, now: datetime, key: str = "k-1", request: str = BUY) -> Claim | StoredAnswer:
    return idempotency.begin(user_id=user.pk, key=key, request_hash=request, now=now)


def claim(user: User, now: datetime, key: str = "k-1") -> Claim:
    result = begin(user, now, key)
    assert isinstance(result, Claim)
    return result


def begin_drawn(user: User, now: datetime, drawn: UUID, request: str = BUY) -> Claim | StoredAnswer:
    return idempotency.begin(
        user_id=user.pk, key="k-1", request_hash=request, now=now, drawn=Drawn(drawn, WORKED_ON)
    )


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


def test_a_request_that_was_cut_off_is_taken_over_with_what_it_had_drawn(
    alice: User, now: datetime
) -> None:
    first = begin_drawn(alice, now, FIRST_ID)

    taken = begin_drawn(alice, now + WORKED_ON, SECOND_ID)

    assert isinstance(first, Claim)
    assert (first.drawn_id, first.claimed_at, first.taken_from) == (FIRST_ID, now, None)
    assert isinstance(taken, Claim)
    assert (taken.drawn_id, taken.claimed_at, taken.taken_from) == (FIRST_ID, now + WORKED_ON, now)


def test_a_request_at_work_is_not_taken_over(alice: User, now: datetime) -> None:
    begin_drawn(alice, now, FIRST_ID)
    almost = now + WORKED_ON - timedelta(microseconds=1)

    with pytest.raises(Refusal) as refusal:
        begin_drawn(alice, almost, SECOND_ID)

    assert refusal.value.status == 409


def test_a_claim_that_was_taken_over_is_at_work_again(alice: User, now: datetime) -> None:
    begin_drawn(alice, now, FIRST_ID)
    begin_drawn(alice, now + WORKED_ON, SECOND_ID)

    with pytest.raises(Refusal):
        begin_drawn(alice, now + WORKED_ON + timedelta(seconds=1), SECOND_ID)

    again = begin_drawn(alice, now + 2 * WORKED_ON, SECOND_ID)
    assert isinstance(again, Claim)
    assert again.drawn_id == FIRST_ID


def test_another_request_takes_no_claim_over(alice: User, now: datetime) -> None:
    begin_drawn(alice, now, FIRST_ID)

    with pytest.raises(Refusal) as refusal:
        begin_drawn(alice, now + WORKED_ON, SECOND_ID, request=SELL)

    assert refusal.value.status == 422


def test_a_claim_without_a_drawn_id_is_never_taken_over(alice: User, now: datetime) -> None:
    claim(alice, now)

    with pytest.raises(Refusal) as refusal:
        begin_drawn(alice, now + timedelta(hours=23), FIRST_ID)

    assert refusal.value.status == 409


def test_a_taken_claim_that_could_do_nothing_is_free_to_take_and_keeps_its_id(
    alice: User, now: datetime
) -> None:
    begin_drawn(alice, now, FIRST_ID)
    taken = begin_drawn(alice, now + WORKED_ON, SECOND_ID)
    assert isinstance(taken, Claim)

    idempotency.abandon(taken)

    again = begin_drawn(alice, now + WORKED_ON, SECOND_ID)
    assert isinstance(again, Claim)
    assert again.drawn_id == FIRST_ID


def test_a_late_first_request_cannot_free_a_key_that_was_taken_over(
    alice: User, now: datetime
) -> None:
    first = begin_drawn(alice, now, FIRST_ID)
    assert isinstance(first, Claim)
    begin_drawn(alice, now + WORKED_ON, SECOND_ID)

    idempotency.abandon(first)

    assert IdempotencyRecord.objects.get().drawn_id == FIRST_ID


def test_of_two_who_finish_the_first_answer_counts(alice: User, now: datetime) -> None:
    first = begin_drawn(alice, now, FIRST_ID)
    taken = begin_drawn(alice, now + WORKED_ON, SECOND_ID)
    assert isinstance(first, Claim)
    assert isinstance(taken, Claim)

    idempotency.finish(taken, status=200, body={"id": "o-1"})
    idempotency.finish(first, status=403, body={})

    assert begin_drawn(alice, now + WORKED_ON, SECOND_ID) == StoredAnswer(200, {"id": "o-1"})


@pytest.mark.django_db(transaction=True)
def test_of_parallel_requests_one_takes_a_claim_over(
    make_user: Callable[..., User], now: datetime
) -> None:
    user = make_user("alice")
    begin_drawn(user, now, FIRST_ID)
    barrier = threading.Barrier(8)

    def race(_: int) -> bool:
        barrier.wait()
        try:
            return isinstance(begin_drawn(user, now + WORKED_ON, SECOND_ID), Claim)
        except Refusal as refusal:
            assert refusal.status == 409
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(race, range(8))).count(True) == 1


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
