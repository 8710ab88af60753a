"""A desk for the engine's tests: Alice (with Bob) and Charlie, their accounts, orders as text."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import httpx
import pytest

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from marketdata.models import Instrument
from tests.engine_process import EngineProcess
from tests.marketdata.gateway import running_gateway
from tests.orders.desk import Desk, open_desk


@pytest.fixture
def desk(instruments: dict[str, Instrument], make_user: Callable[..., User]) -> Desk:
    """Both accounts exist as rows, with 10000 each; no engine runs."""
    return open_desk({name: make_user(name) for name in ("alice", "bob", "charlie")})


@pytest.fixture
def engine(desk: Desk, start_engine: Callable[[], EngineProcess]) -> EngineProcess:
    """A running engine that knows the desk's accounts."""
    return start_engine()


@pytest.fixture
def gateway(engine: EngineProcess) -> Iterator[str]:
    """The address of a real gateway before the engine, such as 127.0.0.1:8000."""
    with running_gateway() as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture
def http_for(gateway: str, desk: Desk) -> Iterator[Callable[..., httpx.Client]]:
    """Makes a client that signs with a new key of somebody at the desk."""
    with ExitStack() as opened:

        def make(
            who: str,
            *scopes: Scope,
            rate: int = 1_000_000,
            headers: Mapping[str, str] | None = None,
        ) -> httpx.Client:
            key_id, secret = key_of(desk, who, *scopes, rate=rate)
            signed = {"APCA-API-KEY-ID": key_id, "APCA-API-SECRET-KEY": secret, **(headers or {})}
            client = httpx.Client(base_url=f"http://{gateway}", headers=signed, timeout=30)
            return opened.enter_context(client)

        yield make


def key_of(desk: Desk, who: str, *scopes: Scope, rate: int = 1_000_000) -> tuple[str, str]:
    """A new key of somebody at the desk: its id and its secret."""
    owner = User.objects.get(username=who)
    key, secret = create_api_key(
        user=owner,
        scopes=scopes or (Scope.READ, Scope.TRADE),
        origin=Origin(now=SystemClock().now()),
        rate_limit_per_minute=rate,
    )
    return key.key_id, secret
