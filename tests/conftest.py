"""The fixed cast of every test, and the portal that the slowest of them share.

Alice trades, Bob shares her account, Charlie must see nothing, Olga operates.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from tests.live_portal import LivePortal

PASSWORD = "correct horse battery staple"
NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(username: str, role: str = "trader") -> User:
        user = User.objects.create_user(username, f"{username}@example.com", PASSWORD)
        user.groups.add(Group.objects.get_or_create(name=role)[0])
        return user

    return make


@pytest.fixture
def alice(make_user: Callable[..., User]) -> User:
    return make_user("alice")


@pytest.fixture
def bob(make_user: Callable[..., User]) -> User:
    return make_user("bob")


@pytest.fixture
def charlie(make_user: Callable[..., User]) -> User:
    return make_user("charlie")


@pytest.fixture
def olga(make_user: Callable[..., User]) -> User:
    return make_user("olga", role="operator")


@pytest.fixture(scope="session")
def live_portal() -> Iterator[LivePortal]:
    """A running portal with its own servers and market; mark its tests `xdist_group("portal")`."""
    root = Path(tempfile.mkdtemp(prefix="portal-live-"))
    root.chmod(0o711)  # the database server's own user passes through, when we are root
    portal = LivePortal(root / "data")
    portal.start()
    try:
        yield portal
    finally:
        portal.stop()
        shutil.rmtree(root, ignore_errors=True)
