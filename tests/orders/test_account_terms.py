"""What is set for an account is one row: nothing that one commit sets may undo the other."""

from decimal import Decimal

import pytest

from orders.domain import commands
from orders.domain.values import StpMode
from portfolio.models import Desk as DeskRow
from risk.domain.commands import JoinDesk
from tests.orders.desk import Desk, offline, stored_state

pytestmark = pytest.mark.django_db(transaction=True)


def test_terms_that_one_commit_sets_are_all_stored(desk: Desk) -> None:
    alice, equities = desk.accounts["alice"], DeskRow.objects.create(name="Equities")

    offline(
        commands.SetFeeTier("GOLD", "Gold", Decimal(1), Decimal(10), "r"),
        commands.SetAccountTier(alice.pk, "GOLD", "r"),
        JoinDesk(alice.pk, equities.pk, "a reason", "r"),
        commands.SetStpMode(alice.pk, StpMode.DECREMENT, "a reason", "r"),
        commands.ConfigureAccount(alice.pk, True, None, "r"),
    )

    alice.refresh_from_db()
    assert (alice.fee_tier_id, alice.desk_id, alice.stp_mode) == ("GOLD", equities.pk, "DECREMENT")
    assert alice.is_suspended
    assert stored_state()["accounts"][alice.pk]["desk_id"] == equities.pk
