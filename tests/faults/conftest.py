"""The desk of tests/orders again: Alice (with Bob) and Charlie, and an engine that knows them."""

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
