"""The fixed cast of every test, and the portal that the slowest of them share.

Alice trades, Bob shares her account, Charlie must see nothing, Olga operates.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from accounts.models import User
from marketdata.models import Currency, Instrument, Venue
from tests.emptying import empty_database
from tests.engine_process import EngineProcess, Zygote
from tests.live_portal import LivePortal

# No test asserts a time, and a machine that is busy is no finding.
hypothesis_settings.register_profile(
    "portal", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("portal")

PASSWORD = "correct horse battery staple"
STARTED: list[LivePortal] = []
"""The live portal of this process, once there is one."""
NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def _cheap_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_database)
        yield


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


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def instruments(transactional_db: None) -> dict[str, Instrument]:
    """AAPL (tick 0.01, lot 1) and BTC/USD (tick 0.01, lot 0.0001, minimum value 1), by symbol."""
    usd = Currency.objects.create(code="USD", name="US dollar")
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    apple = Instrument(symbol="AAPL", asset_class="us_equity", lot_size=Decimal(1))
    bitcoin = Instrument(symbol="BTC/USD", asset_class="crypto", lot_size=Decimal("0.0001"))
    bitcoin.base_currency = Currency.objects.create(code="BTC", name="Bitcoin")
    bitcoin.min_notional = Decimal(1)
    for instrument in (apple, bitcoin):
        instrument.venue, instrument.quote_currency = venue, usd
        instrument.name, instrument.tick_size = instrument.symbol, Decimal("0.01")
        instrument.save()
    return {instrument.symbol: instrument for instrument in (apple, bitcoin)}


@pytest.fixture(scope="session")
def engine_zygote() -> Iterator[Zygote]:
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture
def start_engine(
    transactional_db: None, engine_zygote: Zygote, tmp_path: Path
) -> Iterator[Callable[[], EngineProcess]]:
    """Starts the real engine on the test database, where this process's services find it."""
    started: list[EngineProcess] = []

    def start() -> EngineProcess:
        engine = EngineProcess(engine_zygote, tmp_path, Path(settings.ENGINE_SOCKET))
        started.append(engine)
        return engine.start()

    yield start
    for engine in started:
        engine.kill()


@pytest.fixture
def engine(
    instruments: dict[str, Instrument], start_engine: Callable[[], EngineProcess]
) -> EngineProcess:
    """A running engine that knows the two instruments; orders.services.money opens accounts."""
    return start_engine()


@pytest.fixture(scope="session")
def live_portal() -> Iterator[LivePortal]:
    """A running portal with its own servers and market. Tests of one xdist group share it: `portal`
    harms it, `contracts` asks it as programs do, `pages` in a browser.
    """
    root = Path(tempfile.mkdtemp(prefix="portal-live-"))
    root.chmod(0o711)  # the database server's own user passes through, when we are root
    portal = LivePortal(root / "data")
    portal.start()
    STARTED.append(portal)
    try:
        yield portal
    finally:
        if portal.url:
            portal.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start it again where one process runs several groups."""
    if "live_portal" in getattr(item, "fixturenames", ()):
        for portal in STARTED:
            if not portal.url:
                portal.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Stop the portal with its last test: for the rest of the run its market would go on."""
    portal = getattr(item, "funcargs", {}).get("live_portal")
    yield
    if portal is not None and item is _last_with_a_portal_of(item):
        portal.stop()


def _last_with_a_portal_of(test: pytest.Item) -> pytest.Item:
    """One process runs all of a group, in the order in which they were collected."""
    return next(
        item
        for item in reversed(test.session.items)
        if "live_portal" in getattr(item, "fixturenames", ()) and _group_of(item) == _group_of(test)
    )


def _group_of(item: pytest.Item) -> object:
    mark = item.get_closest_marker("xdist_group")
    return mark.args if mark else None
