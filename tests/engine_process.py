"""The real engine for tests: its own process, on the test database, with a socket of its own.

`EngineProcess` starts, stops, pauses and kills one; `Zygote` makes starting cheap. The fixtures
`engine` and `start_engine` stand in tests/conftest.py.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from core.database import database_dsn
from orders.domain.commands import AnyCommand, ExpireOrders
from orders.domain.replies import AnyReply
from orders.engine.client import EngineClient, EngineUnavailableError, UnknownOutcomeError
from orders.engine.protocol import MAX_REPLY_BYTES, FrameBuffer, decode_reply, encode

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60.0
"""How long anything may take before a test gives up: far more than it ever does."""


def wait_until(is_so: Callable[[], bool], what: str, patience: float = PATIENCE_SECONDS) -> None:
    """Look again and again until it is so; AssertionError naming `what` when it never is."""
    deadline = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)


class Zygote:
    """The process that engines are forked from; it ends, and they with it, when this one does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine_zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, options: dict[str, str]) -> int:
        return int(self._ask({"start": options})["pid"])

    def poll(self, pid: int) -> int | None:
        code = self._ask({"poll": pid})["code"]
        return None if code is None else int(code)

    def close(self) -> None:
        self._process.communicate()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            answer: dict[str, Any] = json.loads(stdout.readline())
            return answer


@dataclass(eq=False)
class EngineProcess:
    """One engine. `directory` keeps its log; the socket may be shared with a standby."""

    zygote: Zygote
    directory: Path
    socket_path: Path
    segment: str = "main"
    redis_url: str = ""
    dsn: str = ""
    """How it reaches the database, when not as this process does."""

    pid: int = 0
    exit_code: int | None = None

    def start(self, *, is_leading: bool = True) -> "EngineProcess":
        """Start it and, unless it is to be a standby, wait until it answers."""
        self.exit_code = None
        self.pid = self.zygote.start(
            {
                "database_dsn": self.dsn or database_dsn(),
                "redis_url": self.redis_url or settings.REDIS_URL,
                "redis_prefix": settings.REDIS_PREFIX,
                "socket_path": str(self.socket_path),
                "segment": self.segment,
                "log": str(self.log_path),
            }
        )
        if is_leading:
            self.wait_until_it_answers()
        return self

    @property
    def log_path(self) -> Path:
        return self.directory / "engine.log"

    @property
    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def client(self, timeout_seconds: float = 20.0) -> EngineClient:
        return EngineClient(self.socket_path, timeout_seconds)

    def ask(self, command: AnyCommand) -> AnyReply:
        """One command on a connection of its own."""
        client = self.client()
        try:
            return client.request(command)
        finally:
            client.close()

    def ask_all(self, commands: Sequence[AnyCommand]) -> list[AnyReply]:
        client = self.client()
        try:
            return [client.request(command) for command in commands]
        finally:
            client.close()

    def ask_together(
        self, commands: Sequence[AnyCommand], hear: Callable[[AnyReply], None] = lambda _: None
    ) -> list[AnyReply]:
        """All in one write over one connection, so that they meet in one batch or in few. `hear`
        gets each reply as it comes.
        """
        replies: dict[int, AnyReply] = {}
        buffer = FrameBuffer(MAX_REPLY_BYTES)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(str(self.socket_path))
            data = b"".join(encode(number, command) for number, command in enumerate(commands, 1))
            sender = threading.Thread(target=connection.sendall, args=(data,))
            sender.start()
            while len(replies) < len(commands):
                received = connection.recv(1 << 20)
                assert received, f"the engine closed the connection:\n{self.log}"
                for frame in buffer.feed(received):
                    number, reply = decode_reply(frame)
                    replies[number] = reply
                    hear(reply)
            sender.join()
        return [replies[number] for number in sorted(replies)]

    def answers(self) -> bool:
        client = self.client(timeout_seconds=1)
        try:
            client.request(ExpireOrders())
        except (EngineUnavailableError, UnknownOutcomeError):
            return False
        finally:
            client.close()
        return True

    def wait_until_it_answers(self) -> None:
        wait_until(self._has_answered_or_died, "the engine answers")
        assert self.exit_code is None, f"the engine ended ({self.exit_code}):\n{self.log}"

    def _has_answered_or_died(self) -> bool:
        return self.poll() is not None or self.answers()

    # --- ending

    def poll(self) -> int | None:
        """The exit code (negative: the signal), or None while it lives."""
        if self.exit_code is None and self.pid:
            self.exit_code = self.zygote.poll(self.pid)
        return self.exit_code

    def wait(self, patience: float = PATIENCE_SECONDS) -> int:
        """The exit code, once it has ended."""
        wait_until(lambda: self.poll() is not None, "the engine ends", patience)
        assert self.exit_code is not None
        return self.exit_code

    def kill(self) -> None:
        """kill -9, and wait."""
        if self.pid and self.poll() is None:
            self.signal(signal.SIGKILL)
            self.wait()

    def terminate(self) -> int:
        """SIGTERM, and wait; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def restart_after_kill(self) -> "EngineProcess":
        self.kill()
        return self.start()
