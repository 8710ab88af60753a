"""Starts the processes at the other end of sockets: each reads a spec and says "ready"."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

import msgspec

from benchmarks.processes import PROJECT, BenchmarkError

STOP_SECONDS = 15


@contextlib.contextmanager
def helper(module: str, spec: msgspec.Struct) -> Iterator[subprocess.Popen[bytes]]:
    """A helper process that has said that it is ready; it is gone at the end of the block."""
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(msgspec.json.encode(spec) + b"\n")
        child.stdin.flush()
        if child.stdout.readline() != b"ready\n":
            raise BenchmarkError(f"{module} did not get ready")
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
        child.wait(STOP_SECONDS)
