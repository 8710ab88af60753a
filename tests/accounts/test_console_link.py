"""The way into the console is shown to those it opens for, by the same rule, and to nobody else."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.domain.roles import Role
from accounts.models import User

pytestmark = pytest.mark.django_db
LINK = 'href="/admin/"'


@pytest.mark.parametrize("page", ["/notifications/", "/terminal"])
def test_olga_is_shown_the_way_and_alice_is_not(
    client: Client, olga: User, alice: User, page: str
) -> None:
    client.force_login(olga)
    assert LINK in client.get(page).content.decode()

    client.force_login(alice)
    assert "/admin/" not in client.get(page).content.decode()


def test_somebody_without_an_account_is_shown_it_in_the_page_as_well(
    client: Client, olga: User
) -> None:
    client.force_login(olga)

    page = client.get("/terminal").content.decode()

    assert "You have no trading account" in page
    assert f'<a class="button" {LINK}>Open the console</a>' in page


@pytest.mark.parametrize("role", list(Role))
def test_it_is_shown_to_those_it_opens_for(
    client: Client, make_user: Callable[..., User], role: Role
) -> None:
    client.force_login(make_user("someone", role=role))

    is_shown = LINK in client.get("/notifications/").content.decode()

    assert is_shown == (client.get("/admin/").status_code == 200)
