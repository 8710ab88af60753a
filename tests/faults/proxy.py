"""A small TCP proxy that misbehaves on request: cuts, goes silent, or loses a question or an
answer.

It stands between an engine and its database (tests/faults/test_connections.py).
"""

import select
import socket
import struct
import threading
from dataclasses import dataclass, field

CHUNK_BYTES = 65_536
BACKLOG = 16
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends a reset instead of an orderly end."""


@dataclass(eq=False)
class Pair:
    """One connection: both sockets, and whether the next answer ends it."""

    client: socket.socket
    server: socket.socket
    is_deaf: bool = False

    def end(self) -> None:
        for each in (self.client, self.server):
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was faster
            each.close()


@dataclass(eq=False)
class Proxy:
    """Forwards every connection to `target` until told otherwise. Use as a context manager."""

    target: tuple[str, int]
    _pairs: set[Pair] = field(default_factory=set)

    def __enter__(self) -> "Proxy":
        self._may_pass = threading.Event()
        self._may_pass.set()
        self._lost_question = self._lost_answer = b""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._may_pass.set()
        self.cut()

    # --- what it does wrong

    def cut(self) -> None:
        """Reset every connection; new ones are forwarded again."""
        for pair in tuple(self._pairs):
            self._forget(pair)

    def go_silent(self) -> None:
        """Take in what comes and let nothing through, as a network that swallows packets."""
        self._may_pass.clear()

    def recover(self) -> None:
        """Let through what was held back, in its order."""
        self._may_pass.set()

    def lose_question(self, mark: bytes) -> None:
        """What the client sends next with `mark` in it is lost with the connection."""
        self._lost_question = mark

    def lose_answer(self, mark: bytes) -> None:
        """What the client sends next with `mark` in it comes through; its answer is lost with the
        connection.
        """
        self._lost_answer = mark

    # --- forwarding

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            server = socket.create_connection(self.target)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = Pair(client, server)
            self._pairs.add(pair)
            threading.Thread(target=self._forward, args=(pair,), daemon=True).start()

    def _forward(self, pair: Pair) -> None:
        try:
            while True:
                readable, _, _ = select.select([pair.client, pair.server], [], [])
                for source in readable:
                    data = source.recv(CHUNK_BYTES)
                    if not data or not self._pass_on(pair, source, data):
                        return
        except (OSError, ValueError):
            pass  # one side has ended, or cut() has closed both
        finally:
            self._forget(pair)

    def _pass_on(self, pair: Pair, source: socket.socket, data: bytes) -> bool:
        """Forward it as the current fault allows; False when that ends the connection."""
        self._may_pass.wait()
        if source is pair.server:
            if pair.is_deaf:
                return False
            pair.client.sendall(data)
            return True
        if self._lost_question and self._lost_question in data:
            self._lost_question = b""
            return False
        if self._lost_answer and self._lost_answer in data:
            self._lost_answer = b""
            pair.is_deaf = True
        pair.server.sendall(data)
        return True

    def _forget(self, pair: Pair) -> None:
        self._pairs.discard(pair)
        pair.end()
