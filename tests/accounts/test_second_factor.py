"""Who has an authenticator app passes it before anything opens; each code opens once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from accounts.selectors import is_session_complete
from core.models import AuditEntry
from tests.accounts.conftest import code_of
from tests.conftest import PASSWORD

AddAuthenticator = Callable[[User], TOTPDevice]


def sign_in(client: Client, username: str = "alice") -> None:
    client.post("/accounts/sign-in", {"username": username, "password": PASSWORD})


def give_code(client: Client, code: str, query: str = "") -> int:
    return client.post(f"/accounts/otp{query}", {"otp_token": code}).status_code


def is_inside(client: Client) -> bool:
    """The OTP page sends on only who has nothing left to prove."""
    return client.get("/accounts/otp").status_code == 302


@pytest.fixture
def halfway(client: Client, alice: User, add_authenticator: AddAuthenticator) -> Client:
    """Alice after her password, before her code."""
    add_authenticator(alice)
    sign_in(client)
    return client


def forget_throttle() -> None:
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)


def test_without_a_device_the_password_is_enough(client: Client, alice: User) -> None:
    sign_in(client)

    response = client.get("/accounts/otp?next=/terminal")
    assert (response.status_code, response["Location"]) == (302, "/terminal")


def test_an_unconfirmed_device_does_not_count(client: Client, alice: User) -> None:
    TOTPDevice.objects.create(user=alice, name="never finished", confirmed=False)

    sign_in(client)

    assert is_inside(client)


@pytest.mark.parametrize("path", ["/admin/", "/api/schema", "/terminal", "/notifications/"])
def test_halfway_pages_lead_to_the_code(halfway: Client, path: str) -> None:
    response = halfway.get(path)

    if path.startswith("/api/"):
        assert response.status_code == 403
        assert response.json()["reason"] == "MFA_REQUIRED"
    else:
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/otp?next=%2F")


def test_halfway_json_gets_a_reason(halfway: Client) -> None:
    response = halfway.get("/admin/", HTTP_ACCEPT="application/json")

    assert response.status_code == 403
    body = response.json()
    assert (body["code"], body["reason"], body["status"]) == (40110000, "MFA_REQUIRED", 403)
    assert body["request_id"] == response["X-Request-ID"]


def test_halfway_may_sign_out(halfway: Client) -> None:
    assert halfway.post("/accounts/sign-out").status_code == 302
    assert "_auth_user_id" not in halfway.session


def test_the_right_code_opens_and_changes_the_session_key(halfway: Client) -> None:
    before = halfway.session.session_key
    device = TOTPDevice.objects.get()

    response = halfway.post("/accounts/otp?next=/terminal", {"otp_token": code_of(device)})

    assert (response.status_code, response["Location"]) == (302, "/terminal")
    assert is_inside(halfway)
    assert halfway.session.session_key != before
    thief = Client()
    thief.cookies["sessionid"] = before
    assert "_auth_user_id" not in thief.session
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == [
        "SignedIn",
        "SecondFactorPassed",
    ]


def test_a_code_with_a_blank_as_apps_show_it_is_taken(halfway: Client) -> None:
    code = code_of(TOTPDevice.objects.get())

    assert give_code(halfway, f"{code[:3]} {code[3:]}") == 302


def test_a_code_opens_once(halfway: Client) -> None:
    code = code_of(TOTPDevice.objects.get())
    assert give_code(halfway, code) == 302

    second = Client()
    sign_in(second)
    assert give_code(second, code) == 400
    assert not is_inside(second)


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_a_code_two_steps_off_is_refused(halfway: Client, steps: int) -> None:
    assert give_code(halfway, code_of(TOTPDevice.objects.get(), steps)) == 400
    assert not is_inside(halfway)
    assert AuditEntry.objects.filter(action="SecondFactorRefused").count() == 1


@pytest.mark.parametrize(
    "code", ["", "12345", "１２３４５６", "12_3456", "+123456", "abc", "1" * 40]
)
def test_a_malformed_code_is_refused_unseen(halfway: Client, code: str) -> None:
    assert give_code(halfway, code) == 400
    assert TOTPDevice.objects.get().throttling_failure_count == 0
    assert not is_inside(halfway)


def test_a_wrong_code_makes_even_the_right_one_wait(halfway: Client) -> None:
    device = TOTPDevice.objects.get()
    right = code_of(device)
    give_code(halfway, "000000" if right != "000000" else "000001")

    assert give_code(halfway, right) == 400

    TOTPDevice.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(seconds=2))
    assert give_code(halfway, code_of(device)) == 302


def test_the_code_of_somebody_else_is_refused(
    halfway: Client, bob: User, add_authenticator: AddAuthenticator
) -> None:
    theirs = add_authenticator(bob)

    assert give_code(halfway, code_of(theirs)) == 400
    assert not is_inside(halfway)


def test_removing_the_device_row_of_a_session_ends_its_proof(halfway: Client, alice: User) -> None:
    give_code(halfway, code_of(TOTPDevice.objects.get()))
    TOTPDevice.objects.all().delete()
    TOTPDevice.objects.create(user=alice, name="new phone", confirmed=True)

    assert not is_inside(halfway)


def test_the_admin_login_address_asks_for_the_same_sign_in(halfway: Client) -> None:
    response = halfway.post("/admin/login/", {"username": "alice", "password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/")
    assert not is_inside(halfway)


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example"])
def test_next_after_the_code_stays_inside(halfway: Client, address: str) -> None:
    response = halfway.post(
        "/accounts/otp", {"otp_token": code_of(TOTPDevice.objects.get()), "next": address}
    )

    assert response["Location"] == "/terminal"


def test_sockets_ask_the_same_question(halfway: Client, alice: User) -> None:
    assert not is_session_complete(alice, halfway.session)

    give_code(halfway, code_of(TOTPDevice.objects.get()))

    assert is_session_complete(alice, halfway.session)
    alice.is_active = False
    assert not is_session_complete(alice, halfway.session)


@pytest.mark.django_db(transaction=True)
def test_one_code_sent_in_parallel_opens_one_session(
    make_user: Callable[..., User], add_authenticator: AddAuthenticator
) -> None:
    device = add_authenticator(make_user("alice"))
    clients = [Client() for _ in range(6)]
    for client in clients:
        sign_in(client)
    code = code_of(device)
    barrier = threading.Barrier(6)

    def give(client: Client) -> int:
        barrier.wait()
        try:
            return give_code(client, code)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        statuses = sorted(pool.map(give, clients))

    assert statuses == [302, 400, 400, 400, 400, 400]
