"""A Valkey server for every test that may break it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.marketdata.valkey import ValkeyServer


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path)
    server.start()
    yield server
    server.kill()
