"""Asking a running supervisor to do something: one JSON line over a private Unix socket each way.

`restart` needs an answer (did the service come back?), which a signal cannot give. The socket lies
in a directory that only the owner may enter.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from tradeportal.supervisor.errors import PortalError

LINE_BYTES_MAX = 16_384
RESTART = "restart"  # of the service that is the subject
RESTART_ALL = "restart-all"  # of the portal; the subject is its new configuration file, or ""

Handler = Callable[[str, str], Awaitable[str]]  # (command, subject) -> sentence


async def serve(path: Path, handle: Handler) -> asyncio.Server:
    """Listen for commands; `handle` answers with a sentence or raises PortalError."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            try:
                answer = {"ok": await handle(str(request["command"]), str(request["subject"]))}
            except PortalError as error:
                answer = {"error": str(error)}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError, KeyError, TypeError):
            return  # a client that went away or spoke nonsense
        finally:
            writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(talk, str(path), limit=LINE_BYTES_MAX)
    path.chmod(0o600)
    return server


def ask(path: str, command: str, subject: str = "", *, timeout_seconds: float) -> str:
    """Send a command to the supervisor and return its sentence.

    Raises PortalError with the supervisor's own message, or when it cannot be reached.
    """
    request = json.dumps({"command": command, "subject": subject}).encode() + b"\n"
    received = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_seconds)
            client.connect(path)
            client.sendall(request)
            while not received.endswith(b"\n"):
                chunk = client.recv(LINE_BYTES_MAX)
                if not chunk:
                    break
                received += chunk
        answer = json.loads(received)
    except (OSError, ValueError) as error:
        raise PortalError(f"the supervisor does not answer ({error})") from error
    if "error" in answer:
        raise PortalError(str(answer["error"]))
    return str(answer["ok"])
