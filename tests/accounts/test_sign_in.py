"""The password page: who comes in, what a refusal shows, and how guessing is stopped."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient, Client, override_settings

from accounts.domain.lockout import lock_duration
from accounts.forms import SIGN_IN_REFUSED
from accounts.models import User
from accounts.services.lockout import lift_lock
from core.domain.origin import Origin
from core.models import AuditEntry
from tests.conftest import PASSWORD

WRONG = "not the password at all"


def sign_in(
    client: Client, username: str, password: str, query: str = "", **extra: str
) -> HttpResponse:
    return client.post(  # type: ignore[return-value]
        f"/accounts/sign-in{query}", {"username": username, "password": password}, **extra
    )


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def errors(response: HttpResponse) -> list[str]:
    return [str(error) for error in response.context["form"].non_field_errors()]  # type: ignore[attr-defined]


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_the_right_password_leads_to_the_terminal(client: Client, alice: User) -> None:
    response = sign_in(client, "alice", PASSWORD)

    assert (response.status_code, response["Location"]) == (302, "/terminal")
    assert is_signed_in(client)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target) == (alice, "SignedIn", "alice")
    assert entry.address == "127.0.0.1"
    assert entry.request_id == response["X-Request-ID"]


def test_unknown_wrong_and_locked_look_alike(client: Client, alice: User) -> None:
    unknown = sign_in(client, "nobody-here", WRONG)
    wrong = sign_in(client, "alice", WRONG)
    for _ in range(5):
        sign_in(client, "alice", WRONG)
    locked = sign_in(client, "alice", PASSWORD)

    assert unknown.status_code == wrong.status_code == locked.status_code == 400
    assert errors(unknown) == errors(wrong) == errors(locked)
    assert not is_signed_in(client)


def test_wrong_and_locked_look_alike_in_the_server_that_people_meet(alice: User) -> None:
    """The gateway speaks ASGI, where middleware takes other ways than in the test client above."""
    client = AsyncClient()
    form = {"username": "alice", "password": WRONG}

    answers = [async_to_sync(client.post)("/accounts/sign-in", form) for _ in range(7)]

    assert {answer.status_code for answer in answers} == {400}
    assert {tuple(errors(answer)) for answer in answers} == {(str(SIGN_IN_REFUSED),)}
    assert actions() == ["SignInFailed"] * 5 + ["SignInLocked"]


def test_a_disabled_user_looks_like_an_unknown_one(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    response = sign_in(client, "alice", PASSWORD)

    assert response.status_code == 400
    assert not is_signed_in(client)


def test_the_fifth_failure_locks_and_the_right_password_waits(client: Client, alice: User) -> None:
    for _ in range(5):
        sign_in(client, "alice", WRONG)

    sign_in(client, "alice", PASSWORD)

    assert not is_signed_in(client)
    assert actions() == ["SignInFailed"] * 5 + ["SignInLocked"]
    assert AccessAttempt.objects.get().failures_since_start == 5


def test_four_failures_do_not_lock_and_success_forgets_them(client: Client, alice: User) -> None:
    for _ in range(4):
        sign_in(client, "alice", WRONG)

    sign_in(client, "alice", PASSWORD)

    assert is_signed_in(client)
    assert not AccessAttempt.objects.exists()


def test_a_lock_ends_by_itself_and_the_next_failure_locks_for_longer(
    client: Client, alice: User
) -> None:
    for _ in range(5):
        sign_in(client, "alice", WRONG)

    AccessAttempt.objects.update(attempt_time=attempt_time() - timedelta(minutes=15))
    sign_in(client, "alice", WRONG)

    assert AccessAttempt.objects.get().failures_since_start == 6
    AccessAttempt.objects.update(attempt_time=attempt_time() - timedelta(minutes=29))
    sign_in(client, "alice", PASSWORD)
    assert not is_signed_in(client)
    AccessAttempt.objects.update(attempt_time=attempt_time() - timedelta(minutes=1))
    sign_in(client, "alice", PASSWORD)
    assert is_signed_in(client)


def attempt_time():  # type: ignore[no-untyped-def]
    return AccessAttempt.objects.get().attempt_time


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(0, 15), (5, 15), (6, 30), (7, 60), (11, 960), (12, 1440), (1000, 1440)],
)
def test_the_wait_doubles_up_to_a_day(failures: int, minutes: int) -> None:
    assert lock_duration(failures) == timedelta(minutes=minutes)


def test_a_lock_holds_for_one_address_only(client: Client, alice: User) -> None:
    for _ in range(6):
        sign_in(client, "alice", WRONG, REMOTE_ADDR="198.51.100.9")

    sign_in(client, "alice", PASSWORD, REMOTE_ADDR="192.0.2.1")

    assert is_signed_in(client)


def test_a_forged_forwarded_address_does_not_escape_the_lock(client: Client, alice: User) -> None:
    for number in range(6):
        sign_in(client, "alice", WRONG, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")

    sign_in(client, "alice", PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.99")

    assert not is_signed_in(client)
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"127.0.0.1"}


@override_settings(PROXY_COUNT=1)
def test_behind_our_proxy_the_nearest_hop_counts(client: Client, alice: User) -> None:
    for number in range(6):
        sign_in(client, "alice", WRONG, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}, 198.51.100.9")

    sign_in(client, "alice", PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.9")
    assert not is_signed_in(client)
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"198.51.100.9"}

    sign_in(client, "alice", PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.9, 192.0.2.1")
    assert is_signed_in(client)


def test_an_operator_lifts_a_lock(client: Client, alice: User, olga: User, origin: Origin) -> None:
    for _ in range(6):
        sign_in(client, "alice", WRONG)

    lift_lock(username="alice", reason="called in, identity checked", actor=olga, origin=origin)

    sign_in(client, "alice", PASSWORD)
    assert is_signed_in(client)
    entry = AuditEntry.objects.get(action="SignInUnlocked")
    assert (entry.actor, entry.target) == (olga, "alice")
    assert entry.reason == "called in, identity checked"


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_do_not_outrun_the_count(make_user: Callable[..., User]) -> None:
    make_user("alice")
    barrier = threading.Barrier(12)

    def guess(number: int) -> int:
        barrier.wait()
        try:
            return sign_in(Client(), "alice", f"{WRONG} {number}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=12) as pool:
        statuses = list(pool.map(guess, range(12)))

    assert set(statuses) <= {400, 429}
    assert AuditEntry.objects.filter(action="SignInFailed").count() == 5
    assert AccessAttempt.objects.get().failures_since_start == 5


@pytest.mark.parametrize("length", [1025, 1_000_000])
def test_a_huge_password_is_refused_before_it_is_hashed(
    client: Client, alice: User, length: int
) -> None:
    response = sign_in(client, "alice", "x" * length)

    assert response.status_code == 400
    assert not AccessAttempt.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_long_unicode_password_is_taken_whole(client: Client, alice: User) -> None:
    password = "Zwölf Boxkämpfer 🥊 " * 6 + "Ende"
    assert len(password) > 110
    alice.set_password(password)
    alice.save()

    sign_in(client, "alice", password[:-1])
    assert not is_signed_in(client)

    sign_in(client, "alice", password)
    assert is_signed_in(client)


@pytest.mark.parametrize("username", ["alice\0", "a" * 151, ""])
def test_a_malformed_user_name_is_refused(client: Client, alice: User, username: str) -> None:
    assert sign_in(client, username, PASSWORD).status_code == 400
    assert not is_signed_in(client)


def test_a_preset_session_is_replaced_at_sign_in(client: Client, alice: User) -> None:
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted

    sign_in(client, "alice", PASSWORD)

    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert not is_signed_in(thief)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "\x00//evil.example",
    ],
)
def test_next_never_leaves_the_portal(client: Client, alice: User, address: str) -> None:
    response = client.post(
        "/accounts/sign-in", {"username": "alice", "password": PASSWORD, "next": address}
    )

    assert response["Location"] == "/terminal"


def test_next_leads_on_inside_the_portal(client: Client, alice: User) -> None:
    response = sign_in(client, "alice", PASSWORD, query="?next=/terminal%3Fsymbol%3DAAPL")

    assert response["Location"] == "/terminal?symbol=AAPL"


def test_signing_in_needs_the_csrf_token(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert sign_in(strict, "alice", PASSWORD).status_code == 403
    assert not is_signed_in(strict)


def test_a_name_that_is_nobodys_is_not_written_down(client: Client, alice: User) -> None:
    sign_in(client, PASSWORD, "alice")

    assert AuditEntry.objects.get().target == "(unknown user)"
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_the_password_is_not_kept_with_the_failure(client: Client, alice: User) -> None:
    sign_in(client, "alice", WRONG)

    assert WRONG not in str(list(AccessAttempt.objects.values()))


def test_sign_out_needs_a_post(client: Client, alice: User) -> None:
    sign_in(client, "alice", PASSWORD)

    assert client.get("/accounts/sign-out").status_code == 405
    assert is_signed_in(client)


def test_sign_out_ends_the_session_for_good(client: Client, alice: User) -> None:
    sign_in(client, "alice", PASSWORD)
    stolen = client.cookies["sessionid"].value

    response = client.post("/accounts/sign-out")

    assert (response.status_code, response["Location"]) == (302, "/accounts/sign-in")
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert not is_signed_in(thief)
    assert not Session.objects.filter(session_key=stolen).exists()
    assert actions() == ["SignedIn", "SignedOut"]


def test_signing_out_twice_is_harmless(client: Client, db: None) -> None:
    assert client.post("/accounts/sign-out").status_code == 302
    assert not AuditEntry.objects.exists()


def test_a_changed_password_ends_other_sessions(client: Client, alice: User) -> None:
    sign_in(client, "alice", PASSWORD)
    alice.set_password("another long enough password")
    alice.save()

    assert client.get("/accounts/sign-in").status_code == 200
