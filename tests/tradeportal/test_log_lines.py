"""Log lines: whole, in order, those of a turn of the loop together, and trouble at once."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tradeportal.settings.log_lines import Lines, Writer


class Log:
    """A log whose every write is a packet."""

    def __init__(self) -> None:
        self._end, self._start = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._end.setblocking(False)
        self.writer = Writer(Lines(self._start.fileno()), "tests")

    def writes(self) -> list[bytes]:
        packets = []
        while True:
            try:
                packets.append(self._end.recv(65_536))
            except BlockingIOError:
                return packets

    def fill(self) -> None:
        self._start.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                self._start.send(b"filling")

    def close(self) -> None:
        self._end.close()
        self._start.close()


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.close()


def test_lines_of_one_turn_are_one_write_at_its_end(log: Log) -> None:
    async def turns() -> list[list[bytes]]:
        log.writer.info(b"first")
        log.writer.info(b"second")
        within = log.writes()
        await asyncio.sleep(0)
        log.writer.info(b"third")
        await asyncio.sleep(0)
        return [within, log.writes()]

    assert asyncio.run(turns()) == [[], [b"first\nsecond\n", b"third\n"]]


def test_warning_is_written_at_once_and_after_what_was_held(log: Log) -> None:
    async def turn() -> list[bytes]:
        log.writer.info(b"first")
        log.writer.warning(b"trouble")
        log.writer.error(b"worse")
        return log.writes()

    assert asyncio.run(turn()) == [b"first\ntrouble\n", b"worse\n"]
    assert log.writes() == []


def test_line_outside_a_loop_is_written_at_once(log: Log) -> None:
    log.writer.info(b"alone")

    assert log.writes() == [b"alone\n"]


def test_pipe_that_is_full_stops_nobody(log: Log) -> None:
    log.fill()

    log.writer.warning(b"dropped")

    assert b"dropped\n" not in log.writes()


def test_forked_child_does_not_repeat_what_its_parent_holds(log: Log) -> None:
    async def turn() -> None:
        log.writer.info(b"held")
        child = os.fork()
        if child == 0:
            log.writer.warning(b"child")
            os._exit(0)
        os.waitpid(child, 0)

    asyncio.run(turn())

    assert log.writes() == [b"child\n", b"held\n"]


def test_warning_of_python_is_a_line_like_the_others() -> None:
    program = """if True:
        import warnings
        from tradeportal.settings.logs import logging_config

        logging_config(service="tests", level="INFO")
        warnings.warn("careful")
    """

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=30
    )

    line = json.loads(ended.stdout)
    assert (line["service"], line["level"], line["logger"]) == ("tests", "warning", "py.warnings")
    assert "careful" in line["event"]
    assert ended.stderr == b""


def test_line_of_the_last_turn_is_written_though_the_program_ends_with_it() -> None:
    program = """if True:
        import asyncio
        from tradeportal.settings.log_lines import Lines

        async def last_turn():
            Lines(1).hold(b"last\\n")
            raise SystemExit(3)

        asyncio.run(last_turn())
    """

    ended = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, check=False, timeout=30
    )

    assert (ended.returncode, ended.stdout) == (3, b"last\n")
