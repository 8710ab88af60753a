"""On which account a person trades: the oldest own one, else the oldest that others share."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from core.domain.clock import SystemClock
from portfolio.selectors import default_account, default_accounts
from portfolio.services.accounts import create_account


@pytest.mark.django_db
def test_default_accounts_of_many_are_read_at_once(
    make_user: Callable[..., User], django_assert_num_queries: Callable[[int], Any]
) -> None:
    alice, bob, charlie = (make_user(name) for name in ("alice", "bob", "charlie"))
    first, second, third = (
        create_account(owner=owner, name=str(number), now=SystemClock().now())
        for number, owner in enumerate((alice, alice, bob))
    )
    third.members.add(alice)
    second.members.add(bob)
    for account in (third, second):
        account.members.add(charlie)
    nobody = make_user("olga", role="operator")

    with django_assert_num_queries(1):
        found = default_accounts([user.pk for user in (alice, bob, charlie, nobody)])

    assert found == {alice.pk: first, bob.pk: third, charlie.pk: second}
    assert [default_account(user) for user in (alice, bob, charlie)] == [first, third, second]
    assert default_account(nobody) is None
    assert default_accounts([bob.pk]) == {bob.pk: third}
