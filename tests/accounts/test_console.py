"""The operators' console: who sees which page, what nobody edits, and actions with reasons."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.domain.api_keys import Scope
from accounts.domain.roles import OPEN_CONSOLE, PERMISSIONS, Role
from accounts.models import ApiKey, User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.models import AuditEntry
from marketdata.models import Feed
from orders.models import MarketPlan, Order
from portfolio.models import Desk, FeeTier, TradingAccount, Transfer
from risk.models import Limit, ScheduledSwitch, TradingState
from tests.accounts.conftest import code_of
from tests.accounts.console import REASON, address, run, shown
from tests.conftest import PASSWORD

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
pytestmark = pytest.mark.django_db
WITH_A_FORM = {
    User,
    Feed,
    TradingAccount,
    FeeTier,
    Desk,
    TradingState,
    ScheduledSwitch,
    MarketPlan,
    Limit,
}
"""What the console can make, by a service."""


def test_the_console_shows_what_it_should() -> None:
    assert [model._meta.label for model in MODELS] == [
        "accounts.ApiKey",
        "accounts.User",
        "core.AuditEntry",
        "core.Event",
        "core.FailedEvent",
        "marketdata.Bar",
        "marketdata.Currency",
        "marketdata.Feed",
        "marketdata.FeedRoute",
        "marketdata.Instrument",
        "marketdata.Venue",
        "notifications.Delivery",
        "notifications.Notification",
        "orders.EngineLease",
        "orders.Execution",
        "orders.MarketPlan",
        "orders.Order",
        "portfolio.Balance",
        "portfolio.Desk",
        "portfolio.FeeTier",
        "portfolio.Hold",
        "portfolio.Position",
        "portfolio.TradingAccount",
        "portfolio.Transfer",
        "risk.ChangeRequest",
        "risk.Limit",
        "risk.ScheduledSwitch",
        "risk.TradingState",
    ]


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_the_pages_of_its_table(
    as_role: Callable[[str], Client], role: Role
) -> None:
    client = as_role(role)

    for model in MODELS:
        wanted = f"{model._meta.app_label}.view_{model._meta.model_name}" in PERMISSIONS[role]
        refusal = 403 if OPEN_CONSOLE in PERMISSIONS[role] else 302
        expected = 200 if wanted else refusal
        assert client.get(address(model)).status_code == expected, (role, model)


@pytest.mark.parametrize("role", [Role.TRADER, Role.ANALYST])
def test_traders_and_analysts_have_no_console(as_role: Callable[[str], Client], role: Role) -> None:
    response = as_role(role).get("/admin/", follow=True)

    assert response.status_code == 403


def test_strangers_are_sent_to_the_portals_own_sign_in(client: Client) -> None:
    response = client.get("/admin/orders/order/", follow=True)

    assert response.redirect_chain[-1] == (
        "/accounts/sign-in?next=%2Fadmin%2Forders%2Forder%2F",
        302,
    )


def test_the_admins_own_sign_in_takes_no_password(client: Client, olga: User) -> None:
    response = client.post("/admin/login/", {"username": "olga", "password": PASSWORD})

    assert response["Location"].startswith("/accounts/sign-in")
    assert "_auth_user_id" not in client.session


def test_an_operator_with_an_authenticator_passes_it_first(
    client: Client, olga: User, add_authenticator: Callable[[User], TOTPDevice]
) -> None:
    device = add_authenticator(olga)
    client.post("/accounts/sign-in", {"username": "olga", "password": PASSWORD})

    assert client.get("/admin/")["Location"].startswith("/accounts/otp")
    client.post("/accounts/otp", {"otp_token": code_of(device)})
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("who", ["operator", "auditor", "admin", "superuser"])
def test_nobody_edits_a_row_by_hand(as_role: Callable[[str], Client], who: str) -> None:
    if who == "superuser":
        client = Client()
        client.force_login(User.objects.create_superuser("root", "", PASSWORD))
    else:
        client = as_role(who)
    users = User.objects.count()

    for model in MODELS:
        for page in ("change", "delete"):
            response = client.post(address(model, page), {"username": "x", "total": "1000000"})
            assert response.status_code in {302, 403}, (who, model, page)
        if model not in WITH_A_FORM:
            assert client.post(address(model, "add"), {"name": "x"}).status_code == 403
        deleted = client.post(
            address(model), {"action": "delete_selected", "_selected_action": "1", "post": "yes"}
        )
        assert deleted.status_code in {200, 302}
    assert User.objects.count() == users


def test_no_page_shows_a_hash_or_an_authenticators_key(
    as_role: Callable[[str], Client], alice: User, add_authenticator: Callable[[User], TOTPDevice]
) -> None:
    device = add_authenticator(alice)
    key, secret = create_api_key(
        user=alice, scopes=[Scope.READ], origin=Origin(now=SystemClock().now())
    )
    client = as_role("admin")

    pages = [
        client.get(f"/admin/accounts/user/{alice.pk}/change/"),
        client.get(f"/admin/accounts/apikey/{key.pk}/change/"),
        client.get("/admin/accounts/apikey/"),
    ]

    for page in pages:
        assert page.status_code == 200
        text = page.content.decode()
        assert key.key_id in text
        for hidden in (secret, key.secret_hash, device.key, alice.password):
            assert hidden not in text
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert client.get("/admin/password_change/").status_code == 404


def test_disabling_a_user_asks_a_reason_and_is_on_record(
    client: Client, alice: User, olga: User
) -> None:
    client.force_login(olga)

    response = run(client, User, "disable", alice)

    assert shown(response) == ["alice: disabled."]
    assert not User.objects.get(pk=alice.pk).is_active
    entry = AuditEntry.objects.get(action="UserDisabled")
    assert (entry.actor, entry.target, entry.reason) == (olga, "alice", REASON)
    assert entry.address == "127.0.0.1"
    assert entry.request_id


@pytest.mark.parametrize("reason", ["", "x", " " * 20, "y" * 501])
def test_without_a_reason_nothing_is_done(
    client: Client, alice: User, olga: User, reason: str
) -> None:
    client.force_login(olga)

    run(client, User, "disable", alice, reason=reason)

    assert User.objects.get(pk=alice.pk).is_active
    assert not AuditEntry.objects.exists()


def test_a_form_sent_twice_acts_once(client: Client, alice: User, olga: User) -> None:
    client.force_login(olga)
    act_id = str(uuid4())
    fields = {"reason": REASON, "act_id": act_id}
    run(client, User, "disable", alice, **fields)
    User.objects.filter(pk=alice.pk).update(is_active=True)

    response = run(client, User, "disable", alice, **fields)

    assert shown(response) == ["alice: this form was sent before. It said: disabled."]
    assert User.objects.get(pk=alice.pk).is_active


def test_nobody_shuts_themselves_out(client: Client, olga: User) -> None:
    client.force_login(olga)

    response = run(client, User, "disable", olga)

    assert shown(response) == ["olga: You cannot disable yourself."]
    assert User.objects.get(pk=olga.pk).is_active


def test_a_lock_is_lifted_from_the_console(client: Client, alice: User, olga: User) -> None:
    for _ in range(6):
        client.post("/accounts/sign-in", {"username": "alice", "password": "wrong"})
    client.force_login(olga)

    run(client, User, "unlock", alice)

    assert not AccessAttempt.objects.exists()
    assert AuditEntry.objects.get(action="SignInUnlocked").reason == REASON


def test_an_admin_sets_roles(as_role: Callable[[str], Client], alice: User) -> None:
    response = run(as_role("admin"), User, "change_roles", alice, roles=["analyst", "auditor"])

    assert shown(response) == ["alice: now has: analyst, auditor."]
    assert User.objects.get(pk=alice.pk).role_names == {"analyst", "auditor"}
    entry = AuditEntry.objects.get(action="RolesChanged")
    assert entry.facts == {"before": ["trader"], "after": ["analyst", "auditor"]}


@pytest.mark.parametrize("role", ["operator", "support", "auditor", "risk_manager"])
def test_only_admins_set_roles_or_remove_factors(
    as_role: Callable[[str], Client],
    alice: User,
    add_authenticator: Callable[[User], TOTPDevice],
    role: str,
) -> None:
    add_authenticator(alice)
    client = as_role(role)

    run(client, User, "change_roles", alice, roles=["admin"])
    run(client, User, "remove_factor", alice)

    assert User.objects.get(pk=alice.pk).role_names == {"trader"}
    assert TOTPDevice.objects.count() == 1
    assert client.post("/admin/accounts/user/add/", {"username": "x"}).status_code == 403


def test_an_admin_cannot_drop_their_own_second_factor(
    as_role: Callable[[str], Client], alice: User
) -> None:
    client = as_role("admin")
    me = User.objects.get(username="one-admin")

    response = run(client, User, "remove_factor", me)

    assert shown(response) == ["one-admin: Somebody else has to remove your second factor."]


@pytest.mark.parametrize("role", ["auditor", "support", "risk_manager"])
def test_who_only_reads_cannot_act(
    as_role: Callable[[str], Client], alice: User, role: str
) -> None:
    client = as_role(role)

    run(client, User, "disable", alice)

    assert User.objects.get(pk=alice.pk).is_active
    assert not AuditEntry.objects.exists()


def test_a_key_is_revoked_from_the_console(client: Client, alice: User, olga: User) -> None:
    key, _ = create_api_key(user=alice, scopes=[Scope.READ], origin=Origin(now=SystemClock().now()))
    client.force_login(olga)

    response = run(client, ApiKey, "revoke", key)

    assert shown(response) == [f"{key.key_id}: revoked."]
    assert ApiKey.objects.get().revoked_at is not None


def test_a_new_user_gets_a_password_that_is_shown_once(as_role: Callable[[str], Client]) -> None:
    client = as_role("admin")

    page = client.post(
        "/admin/accounts/user/add/", {"username": "dora", "email": "", "role": "trader"}
    )

    match = re.search(r"<code>([\w-]{24})</code>", page.content.decode())
    assert match is not None
    dora = User.objects.get(username="dora")
    assert dora.check_password(match[1])
    assert dora.role_names == {"trader"}
    assert match[1] not in str(list(AuditEntry.objects.values()))


SEARCH_TEXTS = [
    "alice",
    "123",
    "7d5a07af-2bb8-41a2-8adb-1a13a3637e36",
    "%",
    "' OR 1=1 --",
    "\0",
    "x" * 500,
]


@pytest.mark.parametrize("text", SEARCH_TEXTS)
def test_any_search_text_is_harmless(as_role: Callable[[str], Client], text: str) -> None:
    client = as_role("operator")

    for model in (User, AuditEntry, TradingAccount, Order, Transfer):
        assert client.get(address(model), {"q": text}).status_code == 200, model


def test_nobody_changes_their_own_roles(as_role: Callable[[str], Client]) -> None:
    client = as_role("admin")
    me = User.objects.get(username="one-admin")

    response = run(client, User, "change_roles", me, roles=["trader"])

    assert shown(response) == ["one-admin: Somebody else has to change your roles."]
    assert User.objects.get(pk=me.pk).role_names == {"admin"}
