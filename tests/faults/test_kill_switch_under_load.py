"""The kill switch while orders pour in, and an engine that dies in the middle of one (W2).

Asserts order, not time: after the switch was answered no order of the scope is accepted and none is
open, whatever was on its way.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from uuid import uuid4

import msgspec
import pytest

from core.database import database_dsn
from core.domain.clock import SystemClock
from orders.domain.replies import DeniedReply, OrderReply, SwitchedReply
from orders.engine.journal import Journal
from orders.engine.lease import acquire
from orders.engine.process import connect
from orders.engine.starting import begin
from orders.engine.trading_states import MAX_CLEARED
from orders.engine.writer import BatchWriter
from orders.models import Execution, Order
from risk.domain.commands import SwitchTrading
from risk.domain.scopes import FIRM, Scope, ScopeKind
from risk.domain.states import TradingState as State
from risk.models import TradingState
from tests.engine_process import EngineProcess, wait_until
from tests.faults.clients import Feed, Trader, run_for_a_while
from tests.orders.desk import Desk, assert_clean, stored_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

MANY = 2_500


def halt(scope: Scope) -> SwitchTrading:
    return SwitchTrading(scope, State.HALTED, "a test", "kill")


def test_nothing_of_the_scope_is_accepted_or_open_after_the_answer(
    engine: EngineProcess, desk: Desk
) -> None:
    should_stop = threading.Event()
    accounts = [desk.accounts["alice"].pk, desk.accounts["charlie"].pk]
    traders = [
        Trader(engine.client(), accounts[number % 2], number, should_stop) for number in range(6)
    ]
    alice = Scope(ScopeKind.ACCOUNT, accounts[0])
    answered: list[tuple[int, int]] = []

    def kill_one_then_all() -> None:
        for scope in (alice, FIRM):
            wanted = sum(len(trader.log) for trader in traders) + 300
            wait_until(
                lambda wanted=wanted: sum(len(trader.log) for trader in traders) >= wanted,  # type: ignore[misc]
                "the traders have traded",
            )
            assert isinstance(engine.ask(halt(scope)), SwitchedReply)
            answered_ns = time.monotonic_ns()
            stopped = accounts[:1] if scope is alice else accounts
            still_open = Order.objects.filter(account__in=stopped, closed_at__isnull=True)
            answered.append((answered_ns, still_open.count()))
        wanted = sum(len(trader.log) for trader in traders) + 100
        wait_until(lambda: sum(len(trader.log) for trader in traders) >= wanted, "they went on")

    run_for_a_while([*traders, Feed(engine.client(), 99, should_stop)], kill_one_then_all)

    assert [still_open for _, still_open in answered] == [0, 0]
    late = {account: answered[number][0] for number, account in enumerate(accounts)}
    entries = [(trader.account_id, entry) for trader in traders for entry in trader.log]
    after = [entry for account, entry in entries if entry.asked_ns > late[account]]
    before = [entry for account, entry in entries if entry.answered_ns < late[account]]
    refused = [entry.reply.reason for entry in after if isinstance(entry.reply, DeniedReply)]
    assert refused.count("TRADING_HALTED") > 20
    assert not any(isinstance(entry.reply, OrderReply) for entry in after)
    assert sum(isinstance(entry.reply, OrderReply) for entry in before) > 100
    assert Order.objects.filter(reason="KILL_SWITCH").count() > 0
    assert Order.objects.filter(closed_at__isnull=True).count() == 0
    assert_clean()


def test_a_switch_of_many_orders_is_answered_when_none_is_open(
    engine: EngineProcess, desk: Desk
) -> None:
    engine.ask_together([desk.submit("alice", "BUY 1 @ 1") for _ in range(MANY)])
    assert Order.objects.filter(closed_at__isnull=True).count() == MANY

    replies = engine.ask_together(
        [
            halt(FIRM),
            desk.submit("charlie", "BUY 1 @ 1"),
            msgspec.structs.replace(desk.submit("charlie", "SELL 1 @ 1"), order_id=uuid4()),
        ]
    )

    assert replies[0] == SwitchedReply("HALTED", 1, MANY)
    assert [type(reply) for reply in replies[1:]] == [DeniedReply, DeniedReply]
    assert Order.objects.filter(reason="KILL_SWITCH").count() == MANY
    assert Execution.objects.count() == 0
    assert not TradingState.objects.get().is_clearing
    assert_clean()


def test_an_engine_that_dies_in_the_middle_goes_on_at_its_next_start(
    desk: Desk, start_engine: Callable[[], EngineProcess]
) -> None:
    engine = start_engine()
    engine.ask_together([desk.submit("alice", "BUY 1 @ 1") for _ in range(MANY)])
    engine.kill()
    asyncio.run(halt_and_die_after_the_first_commit())
    assert TradingState.objects.get().is_clearing
    assert Order.objects.filter(closed_at__isnull=True).count() == MANY - MAX_CLEARED
    ((_, _, left),) = stored_state()["clearing"]
    assert len(left) == MANY - MAX_CLEARED

    engine.start()

    assert desk.place(engine, "alice", "BUY 1 @ 90") == "TRADING_HALTED"
    assert Order.objects.filter(reason="KILL_SWITCH").count() == MANY
    assert not TradingState.objects.get().is_clearing
    assert stored_state()["clearing"] == []
    assert_clean()


async def halt_and_die_after_the_first_commit() -> None:
    """An engine that takes the switch, commits once, and is no more."""
    async with await connect(database_dsn()) as connection:
        lease = await acquire(connection, "main", "a short life")
        now_ns = SystemClock().now_ns() // 1000 * 1000
        writer = BatchWriter(connection, lease)
        core = await begin(connection, writer, now_ns)
        journal = Journal(core)
        journal.apply(halt(FIRM), now_ns)
        await writer.commit(core.changes, journal.take(), now_ns)
