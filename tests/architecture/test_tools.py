"""The checks that tools make, run as tests so that `./portal test` is the one gate."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.pages import WORKSPACE, find_node

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
APPS = [
    "core", "accounts", "marketdata", "portfolio", "risk", "orders", "strategies",
    "notifications", "tradeportal", "benchmarks",
]  # fmt: skip


def run(*command: str, cwd: Path = ROOT, first_on_path: str = "") -> None:
    path = os.pathsep.join(filter(None, [first_on_path, os.environ["PATH"]]))
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_ruff_finds_nothing() -> None:
    run(str(BIN / "ruff"), "check", "--no-cache", ".")


def test_code_is_formatted() -> None:
    run(str(BIN / "ruff"), "format", "--check", "--no-cache", ".")


def test_types_are_strict() -> None:
    run(str(BIN / "mypy"), *APPS)


def test_imports_go_down_only() -> None:
    run(str(BIN / "lint-imports"), "--no-cache")


@pytest.mark.parametrize(
    "arguments",
    [
        # They write nothing into the project, which may be another user's.
        pytest.param(["test", "--", "--configLoader", "runner", "--no-cache"], id="unit tests"),
        pytest.param(["exec", "--offline", "--", "tsc", "--noEmit"], id="types"),
    ],
)
def test_the_pages_scripts_pass_their_own_tests(arguments: list[str], tmp_path: Path) -> None:
    """With the Node that builds the pages; their tidy test stands among the unit tests."""
    assert (WORKSPACE / "node_modules" / "vitest").is_dir(), "not installed: run npm ci in static/"
    data = DataDir(tmp_path / "data")
    data.prepare()
    node = find_node(data)

    run(*node.npm, *arguments, cwd=WORKSPACE, first_on_path=node.path)


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    out = io.StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=out)

    assert "No changes detected" in out.getvalue()


REQUIREMENTS = sorted(path.name for path in ROOT.glob("requirements*.txt"))


def test_each_requirements_file_is_known() -> None:
    assert REQUIREMENTS == [
        "requirements-dev.txt", "requirements-node.txt", "requirements-uv.txt", "requirements.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = re.findall(r"^[a-zA-Z0-9].*?(?=^[a-zA-Z0-9]|\Z)", text, flags=re.M | re.S)

    assert entries
    for entry in entries:
        assert "==" in entry.splitlines()[0], entry
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text


def test_the_npm_lock_names_no_host() -> None:
    assert '"resolved"' not in (ROOT / "static" / "package-lock.json").read_text()
