"""Starts engine processes fast: loads the engine's modules once, then forks for each engine.

Run by tests/engine_process.py as `python -m tests.engine_zygote`. Speaks lines of JSON: {"start":
options} → {"pid"}, {"poll": pid} → {"code": exit code or null}. All ends when its input does.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import uvloop

from core.domain.clock import SystemClock
from orders.engine.process import EngineOptions, run_engine

Request = dict[str, Any]  # Any: JSON


def main() -> None:
    children: set[int] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            pid = _fork(request["start"])
            children.add(pid)
            _answer({"pid": pid})
        else:
            code = _exit_code(request["poll"])
            if code is not None:
                children.discard(request["poll"])
            _answer({"code": code})
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _answer(answer: Request) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _exit_code(pid: int) -> int | None:
    """As subprocess gives it: negative for a signal; None while the process lives."""
    done, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def _fork(options: Request) -> int:
    pid = os.fork()
    if not pid:
        _become_engine(options)
    return pid


def _become_engine(options: Request) -> NoReturn:
    code = 1
    try:
        log = os.open(options.pop("log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        null = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, null), (1, log), (2, log)):
            os.dup2(source, target)
        options["socket_path"] = Path(options["socket_path"])
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_engine(EngineOptions(**options), SystemClock()))
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
