"""What the gateway's event loop asks the engine: the hot order route and the order sockets.

The same questions as asking.py without a thread: many at once over one connection.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection

from accounts.models import User
from core.api import not_found
from core.cache import IN_PROCESS, count
from core.domain.fresh_cache import FreshCache
from orders.domain import commands
from orders.domain.replies import AnyReply
from orders.engine.client import AsyncEngineClient, EngineUnavailableError, UnknownOutcomeError
from orders.services.asking import accept, unavailable, unknown_outcome
from orders.services.living_sessions import LivingSessions
from portfolio.models import TradingAccount
from portfolio.selectors import default_account, default_accounts

ACCOUNT_TTL_SECONDS: Final = 1.0
"""How long a user's default account is remembered: a change of it shows within a second."""

MAX_REMEMBERED_ACCOUNTS: Final = 10_000
Given = ParamSpec("Given")
Result = TypeVar("Result")


class GatewayDesk:
    """Asks the engine for one event loop, and remembers whose account is whose for a moment."""

    def __init__(self) -> None:
        self._engine = AsyncEngineClient(
            Path(settings.ENGINE_SOCKET), settings.ENGINE_REPLY_TIMEOUT_SECONDS
        )
        self.sessions = LivingSessions(self.ask, self._engine)
        self._accounts = FreshCache(
            load=_default_account,
            load_in_thread=in_own_connection(default_accounts),
            ttl_seconds=ACCOUNT_TTL_SECONDS,
            max_entries=MAX_REMEMBERED_ACCOUNTS,
        )
        accounts = self._accounts
        count("accounts", IN_PROCESS, accounts.counts, accounts.__len__)

    async def ask(self, command: commands.AnyCommand) -> AnyReply:
        """The engine's reply, with every kind of no raised as a Refusal."""
        try:
            return accept(await self._engine.request(command))
        except EngineUnavailableError as error:
            raise unavailable() from error
        except UnknownOutcomeError as error:
            raise unknown_outcome(command) from error

    async def account(self, user_id: int) -> TradingAccount:
        """The user's trading account."""
        accounts = self._accounts
        account = accounts.remembered(user_id) or await accounts.get_async(user_id)
        if account is None:
            raise not_found("This user has no trading account.")
        return account


_desks: WeakKeyDictionary[asyncio.AbstractEventLoop, GatewayDesk] = WeakKeyDictionary()


def local_desk() -> GatewayDesk:
    """The running event loop's desk (a gateway has one loop; tests have one each)."""
    loop = asyncio.get_running_loop()
    desk = _desks.get(loop)
    if desk is None:
        desk = _desks[loop] = GatewayDesk()
    return desk


def in_own_connection(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """`function` for a thread that serves no request: it gives its connection back to the pool."""

    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    return run


def _default_account(user_id: int) -> TradingAccount | None:
    return default_account(User(pk=user_id))
