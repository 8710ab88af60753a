"""Every page of docs/order-types has an example in alpaca-py, and it runs as it stands there.

Only the address differs. Each begins with a position in AAPL and an open order of its own.
"""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.models import Order
from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest

from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]
PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "order-types").glob("*.md"))
HEADING = "## With alpaca-py"
DOCUMENTED_URL = "http://127.0.0.1:8000"
REFUSED_HERE = {"opg-cls.md": "AUCTION_NOT_HELD"}
"""What the simulated market, which never closes, does not take; the page says so."""


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-reads", cash="1000000")
    return live_portal.create_key("alice-reads")


@pytest.fixture(scope="module")
def trading(live_portal: LivePortal, key: Key) -> TradingClient:
    trading = TradingClient(key.key_id, key.secret, url_override=live_portal.url)
    trading.submit_order(
        MarketOrderRequest(
            symbol="AAPL", qty=200, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
        )
    )
    return trading


@pytest.fixture
def order(trading: TradingClient) -> Iterator[Order]:
    """An open order for the pages that begin with one."""
    placed = trading.submit_order(
        LimitOrderRequest(
            symbol="AAPL", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.GTC,
            limit_price=390,
        )
    )  # fmt: skip
    assert isinstance(placed, Order)
    yield placed
    trading.cancel_orders()


def example(page: Path) -> str:
    """The code under the page's heading; nothing when there is none."""
    _, _, section = page.read_text().partition(HEADING)
    section = section.partition("\n## ")[0]
    lines = re.findall(r"^(?: {4}.*)?$", section, re.MULTILINE)
    return textwrap.dedent("\n".join(lines)).strip()


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_an_example_runs(page: Path, live_portal: LivePortal, key: Key, order: Order) -> None:
    code = example(page).replace(DOCUMENTED_URL, live_portal.url)
    names = {"key_id": key.key_id, "secret": key.secret, "order": order}
    assert f'url_override="{live_portal.url}"' in code

    refusal = ""
    try:
        exec(compile(code, page.name, "exec"), names)  # our own document
    except APIError as error:
        refusal = str(error)

    assert REFUSED_HERE.get(page.name, "") in refusal
    assert bool(refusal) is (page.name in REFUSED_HERE), refusal
