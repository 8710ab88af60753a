"""The floor's short text (tests/simulation/floor.py) for the real engine and the real database."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import msgspec

from accounts.models import User
from core.database import database_dsn
from core.domain.clock import SystemClock
from orders.domain import commands
from orders.domain.replies import AnyReply, CanceledReply, DeniedReply, OrderReply
from orders.engine.offline import apply_offline
from orders.engine.process import connect
from orders.engine.recovery import load_state
from orders.verification import discrepancies
from portfolio.models import TradingAccount
from portfolio.services.accounts import create_account, create_house_accounts
from tests.engine_process import EngineProcess
from tests.orders.replaying import assert_replays
from tests.simulation.dump import Dump, dump
from tests.simulation.floor import levels_of, submit_command, told

CASH = Decimal(10_000)
SEGMENT = "main"


@dataclass(frozen=True)
class Desk:
    """The accounts by who uses them; makes commands, and asks an engine for what they come to."""

    accounts: Mapping[str, TradingAccount]

    def submit(
        self, name: str, text: str, *, symbol: str = "AAPL", client_order_id: str = ""
    ) -> commands.SubmitOrder:
        """The command for an order such as "BUY 5 @ 101 IOC"; its id is new each time."""
        command = submit_command(name, text, symbol=symbol, client_order_id=client_order_id)
        account_id = self.accounts[name.split("-")[0]].pk
        return msgspec.structs.replace(command, order_id=uuid4(), account_id=account_id)

    def place(
        self,
        engine: EngineProcess,
        name: str,
        text: str,
        *,
        symbol: str = "AAPL",
        client_order_id: str = "",
    ) -> str:
        """Submit an order; what became of it, as "FILLED 5/5" or the reason that refused it."""
        reply = engine.ask(self.submit(name, text, symbol=symbol, client_order_id=client_order_id))
        return told(reply.order) if isinstance(reply, OrderReply) else reason_of(reply)

    def cancel_all(self, engine: EngineProcess, who: str) -> list[str]:
        reply = engine.ask(commands.CancelAllOrders(self.accounts[who].pk, "cancel-all"))
        assert isinstance(reply, CanceledReply)
        return [told(order) for order in reply.orders]

    def deposit(self, who: str, amount: str, kind: str = "DEPOSIT") -> commands.MoveCash:
        account_id = self.accounts[who].pk
        return commands.MoveCash(account_id, Decimal(amount), kind, "a reason", f"cash-{who}")


def quote(bids: str = "", asks: str = "", symbol: str = "AAPL") -> commands.QuoteStreet:
    return commands.QuoteStreet(symbol, levels_of(bids), levels_of(asks))


def open_desk(users: Mapping[str, User]) -> Desk:
    """House accounts, Alice's (which Bob shares) and Charlie's, with cash, without an engine."""
    now = datetime.now(UTC)
    create_house_accounts(now=now)
    alice = create_account(owner=users["alice"], name="Alice", now=now)
    alice.members.add(users["bob"])
    charlie = create_account(owner=users["charlie"], name="Charlie", now=now)
    desk = Desk({"alice": alice, "bob": alice, "charlie": charlie})
    offline(*(desk.deposit(who, str(CASH)) for who in ("alice", "charlie")))
    return desk


def offline(*asked: commands.AnyCommand) -> list[AnyReply]:
    """Apply commands while no engine runs."""
    return apply_offline(asked, dsn=database_dsn(), segment=SEGMENT, clock=SystemClock())


def reason_of(reply: AnyReply) -> str:
    assert isinstance(reply, DeniedReply), reply
    return reply.reason


def stored_state() -> Dump:
    """What an engine that starts now would know, as plain values."""
    return asyncio.run(_load())


async def _load() -> Dump:
    async with await connect(database_dsn()) as connection:
        return dump(await load_state(connection))


def assert_clean() -> None:
    """verify_ledger finds nothing, and the journal replays to what is stored."""
    assert [*discrepancies()] == []
    assert_replays()
