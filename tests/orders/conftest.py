"""A desk for the engine's tests: Alice (with Bob) and Charlie, their accounts, orders as text."""

from collections.abc import Callable

import pytest

from accounts.models import User
from marketdata.models import Instrument
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, open_desk


@pytest.fixture
def desk(instruments: dict[str, Instrument], make_user: Callable[..., User]) -> Desk:
    """Both accounts exist as rows, with 10000 each; no engine runs."""
    return open_desk({name: make_user(name) for name in ("alice", "bob", "charlie")})


@pytest.fixture
def engine(desk: Desk, start_engine: Callable[[], EngineProcess]) -> EngineProcess:
    """A running engine that knows the desk's accounts."""
    return start_engine()
