"""Ports: the first free one of 8001-8005, claims between portals, stored database ports."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tradeportal.supervisor import ports
from tradeportal.supervisor.errors import PortalError


@contextmanager
def listening() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server.getsockname()[1]


def test_the_first_free_port_is_taken_and_the_choice_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening() as taken:
        free = ports.any_free()
        monkeypatch.setattr(ports, "WEB_PORTS", (taken, free))

        port, why = ports.choose_web_port("127.0.0.1", 0, ports.Claim())

    assert port == free
    assert why == f"port {free} (taken: {taken})"


def test_any_port_is_taken_when_the_usual_ones_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as first, listening() as second:
        monkeypatch.setattr(ports, "WEB_PORTS", (first, second))

        port, why = ports.choose_web_port("127.0.0.1", 0, ports.Claim())

    assert port not in {first, second}
    assert why == f"port {port} ({first}-{second} are all taken)"


def test_a_port_that_was_asked_for_and_is_taken_is_refused() -> None:
    with listening() as taken, pytest.raises(PortalError, match=f"port {taken} .* is taken"):
        ports.choose_web_port("127.0.0.1", taken, ports.Claim())


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_a_host_that_is_not_this_machine_is_named(host: str) -> None:
    with pytest.raises(PortalError, match=f"server.host: this machine cannot listen on '{host}'"):
        ports.choose_web_port(host, 0, ports.Claim())


def test_two_portals_that_start_at_once_do_not_choose_the_same_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ports, "WEB_PORTS", (ports.any_free(), ports.any_free()))
    one, other = ports.Claim(), ports.Claim()

    first, _ = ports.choose_web_port("127.0.0.1", 0, one)
    second, _ = ports.choose_web_port("127.0.0.1", 0, other)

    assert first != second
    one.release()
    other.release()


def test_a_stored_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"

    first = ports.PortBook(path).port_for("postgres")

    assert ports.PortBook(path).port_for("postgres") == first


def test_a_stored_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    with listening() as taken:
        path.write_text(f'{{"postgres": {taken}, "valkey": 1234}}')

        chosen = ports.PortBook(path).port_for("postgres")

    assert chosen != taken
    assert ports.PortBook(path).stored() == {"postgres": chosen, "valkey": 1234}


def test_a_damaged_port_file_counts_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text("{half")

    assert ports.PortBook(path).stored() == {}
