"""The command line: --data-dir anywhere, manage untouched, clear exit codes."""

import json
from pathlib import Path

import pytest

from tradeportal.supervisor import cli, config, place, testrun
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.privileges import STORAGE_RECORD


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
        (["--data-dir", "/x", "manage", "run"], ["manage", "run"], "/x"),
        (["logs", "manage", "--data-dir", "/x"], ["logs", "manage"], "/x"),
    ],
)
def test_the_data_directory_is_found_before_or_after_the_other_arguments(
    arguments: list[str], rest: list[str], data_dir: str | None
) -> None:
    found_rest, given = place.extract_place(arguments)

    assert (found_rest, given.data_dir) == (rest, data_dir)


def test_a_data_directory_without_a_value_is_refused() -> None:
    with pytest.raises(PortalError, match=r"--data-dir needs a value"):
        place.extract_place(["up", "--data-dir"])


@pytest.mark.parametrize(
    ("typed", "in_file", "port"),
    [
        ([], "", 8002),
        ([], "[server]\nport = 8443", 8443),
        (["--port", "8003"], "[server]\nport = 8443", 8003),
        (["--port", "8003"], "", 8003),
        (["--port", "0"], "[server]\nport = 8443", 8002),
    ],
)
def test_a_restart_keeps_the_port_unless_file_or_command_line_name_one(
    tmp_path: Path, typed: list[str], in_file: str, port: int
) -> None:
    (tmp_path / "portal.toml").write_text(in_file)
    first = ["up", *typed, "--detach", "--data-dir", str(tmp_path), "--detached-child"]

    second = place.arguments_after_restart(first, port=8001, config_file="")
    third = place.arguments_after_restart(second, port=8002, config_file="")

    assert third == ["up", *typed, "--detach", "--detached-child", f"--data-dir={tmp_path}",
                     "--kept-port=8002"]  # fmt: skip
    assert configured(third).server.port == port


def test_a_restart_goes_over_to_another_file_and_stays_with_it(tmp_path: Path) -> None:
    (tmp_path / "portal.toml").write_text("[worker]\nconcurrency = 3")
    other = tmp_path / "other.toml"
    other.write_text("[worker]\nconcurrency = 4")
    first = ["up", "--data-dir", str(tmp_path)]

    second = place.arguments_after_restart(first, port=8001, config_file=str(other))
    third = place.arguments_after_restart(second, port=8001, config_file="")

    assert configured(first).worker.concurrency == 3
    assert configured(second).worker.concurrency == 4
    assert configured(third).worker.concurrency == 4


def configured(arguments: list[str]) -> config.Configuration:
    """The configuration with which the supervisor of these arguments starts."""
    rest, given = place.extract_place(arguments)
    of = place.Place(
        DataDir(Path(given.data_dir or "")), Path(given.config) if given.config else None
    )
    return cli.up_configuration(of, cli.parser().parse_args(rest))


def test_a_configuration_file_for_one_service_alone_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["restart", "engine", "--config", "x.toml", "--data-dir", str(tmp_path)])

    assert code == 1
    assert "--config has no effect on engine alone" in capsys.readouterr().err


def test_status_and_doctor_name_a_database_outside_the_data_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = tmp_path / "elsewhere"
    storage.mkdir()
    data = DataDir(tmp_path / "data")
    data.prepare()
    content = {"data_directory": str(data.root), "storage": str(storage)}
    (data.root / STORAGE_RECORD).write_text(json.dumps(content))

    cli.main(["status", "--data-dir", str(data.root)])
    assert f"the database is kept in {storage}\n" in capsys.readouterr().out
    cli.main(["doctor", "--data-dir", str(data.root)])
    assert f"ok  database files: kept in {storage}," in capsys.readouterr().out
    storage.rmdir()
    cli.main(["doctor", "--data-dir", str(data.root)])
    assert f"!!  database files: {storage} is gone" in capsys.readouterr().out


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


def test_up_refuses_a_market_that_there_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["up", "--market", "lively", "--data-dir", str(tmp_path)])

    assert code == 1
    complaint = capsys.readouterr().err
    assert "--market must be one of simulated, replay, configured, none" in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([], ["-n", "3", "--dist", "loadgroup"]),
        (["tests/core", "-x"], ["-n", "3", "--dist", "loadgroup", "tests/core", "-x"]),
        (["-n", "0"], ["-n", "0"]),
        (["-n4"], ["-n4"]),
        (["--numprocesses=1"], ["--numprocesses=1"]),
        (["-p", "no:xdist"], ["-p", "no:xdist"]),
        (["--pdb"], ["--pdb"]),
    ],
)
def test_pytest_runs_in_a_few_processes_unless_told_otherwise(
    given: list[str], passed: list[str]
) -> None:
    assert testrun.pytest_arguments(given) == passed
