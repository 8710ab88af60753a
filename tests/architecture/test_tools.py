"""The checks that tools make, run as tests so that `./portal test` is the one gate."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
APPS = [
    "core", "accounts", "marketdata", "portfolio", "risk", "orders", "strategies",
    "notifications", "tradeportal", "benchmarks",
]  # fmt: skip


def run(*command: str) -> None:
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
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


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    out = io.StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=out)

    assert "No changes detected" in out.getvalue()


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-node.txt"]
)
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
