"""What a first start promises, and how a gateway ends: a whole running portal."""

import email
import email.policy
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.engine_process import wait_until
from tests.live_portal import Browser, LivePortal, SignIn

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]
PATIENCE_SECONDS = 60
SERVICE_RESTARTS = 1012
THREADS = 4
GATEWAYS = "FROM pg_stat_activity WHERE application_name = 'portal-gateway'"


@pytest.fixture(scope="module")
def demo(live_portal: LivePortal) -> Browser:
    browser = Browser(live_portal.url)
    browser.sign_in(live_portal.demo())
    return browser


def test_the_first_start_prints_an_address_and_sign_ins_that_work(
    live_portal: LivePortal, demo: Browser
) -> None:
    lines = live_portal.printed.splitlines()

    assert f"  The portal runs at {live_portal.url}" in lines
    assert "  Stop it with ./portal down" in lines
    admin = next(filter(None, (re.fullmatch(r"  Administer as (\S+) with password (\S+)", line)
                               for line in lines)))  # fmt: skip
    operator = Browser(live_portal.url)
    operator.sign_in(SignIn(admin[1], admin[2]))
    assert operator.http.get("/admin/").status_code == 200
    assert demo.http.get("/terminal").status_code == 200
    assert demo.http.get("/admin/").status_code != 200


def test_the_first_fill_of_the_demo_trader_writes_a_mail(
    live_portal: LivePortal, demo: Browser
) -> None:
    placed = demo.send(
        "/terminal", "/orders/place", symbol="AAPL", side="BUY", type="MARKET",
        time_in_force="GTC", quantity="5",
    )  # fmt: skip

    assert placed.status_code == 302, placed.text
    wait_until(lambda: len(mails_to_demo(live_portal)) == 1, "the mail was there", PATIENCE_SECONDS)
    assert mails_to_demo(live_portal)[0].startswith("Bought 5 AAPL at ")


def mails_to_demo(portal: LivePortal) -> list[str]:
    """The subjects of the mails to the demo trader."""
    mails = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in (portal.data_dir / "mail").glob("*.eml")
    ]
    return [str(mail["Subject"]) for mail in mails if mail["To"] == "demo@portal.invalid"]


def test_a_gateway_that_is_asked_to_stop_tells_its_sockets_and_answers_what_runs(
    live_portal: LivePortal, demo: Browser
) -> None:
    gateway = live_portal.service("gateway")["pid"]

    with (
        sockets(demo) as (page, program),
        psycopg.connect(live_portal.database_url) as other,
        ThreadPoolExecutor() as threads,
    ):
        other.execute("LOCK TABLE notifications_notification IN ACCESS EXCLUSIVE MODE")
        answer = threads.submit(demo.http.get, "/notifications/")
        wait_until(lambda: len(pids(live_portal, "AND wait_event_type = 'Lock'")) == 1, "it waits")
        os.kill(gateway, signal.SIGTERM)
        codes = [close_code(socket) for socket in (page, program)]
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{live_portal.url}/health/live")
        was_done = answer.done()
        other.rollback()
        answered = answer.result(PATIENCE_SECONDS)

    assert codes == [SERVICE_RESTARTS, SERVICE_RESTARTS]
    assert not was_done
    assert (answered.status_code, "</html>" in answered.text) == (200, True)
    live_portal.wait_until_restarted("gateway", gateway)
    assert demo.http.get("/terminal").status_code == 200


@contextmanager
def sockets(browser: Browser) -> Iterator[tuple[ClientConnection, ClientConnection]]:
    """The live socket of a page, and one of a program that has not signed in yet."""
    address = browser.url.replace("http", "ws")
    cookie = {"Cookie": f"sessionid={browser.http.cookies['sessionid']}"}
    origin: Any = browser.url
    with (
        connect(f"{address}/ws/v1/", origin=origin, additional_headers=cookie) as page,
        connect(f"{address}/stream") as program,
    ):
        assert "welcome" in str(page.recv(PATIENCE_SECONDS))
        yield page, program


def close_code(socket: ClientConnection) -> int:
    """The code with which the other side closes, whatever it says before."""
    try:
        while True:
            socket.recv(PATIENCE_SECONDS)
    except ConnectionClosed as closed:
        assert closed.rcvd is not None
        return closed.rcvd.code


def pids(portal: LivePortal, condition: str = "") -> set[int]:
    """The database's processes for the gateway's connections."""
    with psycopg.connect(portal.database_url) as connection:
        return {row[0] for row in connection.execute(f"SELECT pid {GATEWAYS} {condition}")}


def test_connections_that_the_database_has_cut_are_replaced_without_a_failed_request(
    live_portal: LivePortal, demo: Browser
) -> None:
    def ask(number: int) -> int:
        return demo.http.get("/terminal").status_code

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(ask, range(THREADS)))
        before = pids(live_portal)
        with psycopg.connect(live_portal.database_url) as connection:
            cut = connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {GATEWAYS}")
            assert {row[0] for row in cut} == {True}

        answers = list(threads.map(ask, range(3 * THREADS)))

    assert before
    assert answers == [200] * 3 * THREADS
    assert not before & pids(live_portal)
