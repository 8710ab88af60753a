"""The command line: --data-dir anywhere, manage untouched, clear exit codes."""

import json
from pathlib import Path

import pytest

from tradeportal.supervisor import cli, testrun
from tradeportal.supervisor.errors import PortalError


@pytest.mark.parametrize(
    ("arguments", "rest", "data_dir"),
    [
        (["--data-dir", "/x", "up", "--detach"], ["up", "--detach"], "/x"),
        (["up", "--data-dir", "/x", "--detach"], ["up", "--detach"], "/x"),
        (["up", "--detach", "--data-dir=/x"], ["up", "--detach"], "/x"),
        (["status"], ["status"], None),
        (["logs", "engine", "--data-dir", "/x", "-f"], ["logs", "engine", "-f"], "/x"),
        (["test", "--data-dir", "/x", "tests/core"], ["test", "tests/core"], "/x"),
        (["test", "--", "--data-dir", "/x"], ["test", "--", "--data-dir", "/x"], None),
        (["manage", "run", "--data-dir", "/x"], ["manage", "run", "--data-dir", "/x"], None),
        (["logs", "manage", "--data-dir", "/x"], ["logs", "manage"], "/x"),
    ],
)
def test_the_data_directory_is_found_before_or_after_the_other_arguments(
    arguments: list[str], rest: list[str], data_dir: str | None
) -> None:
    found_rest, given = cli.extract_place(arguments)

    assert (found_rest, given.data_dir) == (rest, data_dir)


def test_a_data_directory_without_a_value_is_refused() -> None:
    with pytest.raises(PortalError, match=r"--data-dir needs a value"):
        cli.extract_place(["up", "--data-dir"])


def test_status_of_a_stopped_portal_says_so_with_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["status", "--json", "--data-dir", str(tmp_path)])

    assert code == 3
    assert json.loads(capsys.readouterr().out) == {"url": None, "services": []}
    assert list(tmp_path.iterdir()) == []


def test_down_of_a_stopped_portal_is_no_failure(tmp_path: Path) -> None:
    assert cli.main(["down", "--data-dir", str(tmp_path)]) == 0


def test_manage_needs_a_running_portal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTAL_DATA_DIR", str(tmp_path))

    code = cli.main(["manage", "verify_ledger"])

    assert code == 3
    assert "not running" in capsys.readouterr().err


def test_up_refuses_a_market_that_is_not_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["up", "--market", "replay", "--data-dir", str(tmp_path)])

    assert code == 1
    complaint = capsys.readouterr().err
    assert "replay market is not available" in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([], ["-n", "2", "--dist", "loadgroup"]),
        (["tests/core", "-x"], ["-n", "2", "--dist", "loadgroup", "tests/core", "-x"]),
        (["-n", "0"], ["-n", "0"]),
        (["-n4"], ["-n4"]),
        (["--numprocesses=1"], ["--numprocesses=1"]),
        (["-p", "no:xdist"], ["-p", "no:xdist"]),
        (["--pdb"], ["--pdb"]),
    ],
)
def test_pytest_runs_in_two_processes_unless_told_otherwise(
    given: list[str], passed: list[str]
) -> None:
    assert testrun.pytest_arguments(given) == passed
