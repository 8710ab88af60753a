"""Which TCP ports a portal uses: free ones, kept for the next start, never taken from a neighbour.

The database ports are remembered in `<data-dir>/ports.json`, so that a tool configured once keeps
working. The web port is the first free one of 8001-8005, claimed while the supervisor lives.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tradeportal.supervisor.errors import PortalError

WEB_PORTS = range(8001, 8006)
LOOPBACK = "127.0.0.1"


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on the port now (connections still closing do not count)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def any_free(host: str = LOOPBACK) -> int:
    """A port that the operating system says is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def check_host(host: str) -> None:
    """Raise PortalError, which names the setting, unless this machine can listen on the host."""
    try:
        any_free(host)
    except OSError as error:
        raise PortalError(
            f"server.host: this machine cannot listen on {host!r} ({error.strerror}); use"
            " 127.0.0.1, an address of this machine, or 0.0.0.0 for all of them"
        ) from error


class Claim:
    """A promise between portals of one machine not to choose the same web port.

    Minutes may pass between choosing a port and the gateway listening on it. The claim is an
    abstract socket name, which the kernel gives up by itself when the process ends.
    """

    def __init__(self) -> None:
        self._held: socket.socket | None = None

    def take(self, port: int) -> bool:
        """Claim the port; False when another portal has claimed it."""
        self.release()
        if not hasattr(socket, "AF_UNIX"):
            return True
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind(f"\0tradeportal-web-port-{port}")
        except FileNotFoundError:  # no abstract names outside Linux: the bind test alone decides
            holder.close()
            return True
        except OSError:
            holder.close()
            return False
        self._held = holder
        return True

    def release(self) -> None:
        """Give the claim back."""
        if self._held is not None:
            self._held.close()
            self._held = None


def choose_web_port(host: str, wanted: int, claim: Claim) -> tuple[int, str]:
    """The port of the web server and the sentence that explains the choice.

    `wanted` 0 takes the first free port of 8001-8005, then any. Raises PortalError when a port that
    was asked for is taken, or the host is none of this machine.
    """
    check_host(host)
    if wanted:
        if is_free(host, wanted) and claim.take(wanted):
            return wanted, f"port {wanted}, as asked"
        raise PortalError(
            f"port {wanted} on {host} is taken or not allowed; free it or choose another --port"
        )
    for port in WEB_PORTS:
        if is_free(host, port) and claim.take(port):
            if port == WEB_PORTS[0]:
                return port, f"port {port}"
            taken = ", ".join(str(other) for other in WEB_PORTS[: WEB_PORTS.index(port)])
            return port, f"port {port} (taken: {taken})"
    for _ in range(20):
        port = any_free(host)
        if claim.take(port):
            span = f"{WEB_PORTS[0]}-{WEB_PORTS[-1]}"
            return port, f"port {port} ({span} are all taken)"
    raise PortalError(f"found no free port on {host}")


class PortBook:
    """The ports of embedded servers, stored in a file and reused while they are free."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def port_for(self, name: str) -> int:
        """The stored port of `name` when it is free, else a new free one, which is stored."""
        ports = self.stored()
        port = ports.get(name)
        if port is None or not is_free(LOOPBACK, port):
            port = any_free()
            ports[name] = port
            self._path.write_text(json.dumps(ports, indent=2) + "\n", encoding="utf-8")
        return port

    def stored(self) -> dict[str, int]:
        """Every stored port by name; empty when the file is missing or damaged."""
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(document, dict):
            return {}
        return {
            name: port
            for name, port in document.items()
            if isinstance(port, int) and 0 < port < 65536
        }
