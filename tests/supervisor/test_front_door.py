"""`portal` itself: old syntax, commands that install nothing, the choice of the environment."""

import ast
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tradeportal.supervisor.catalog import PROJECT


@pytest.fixture
def portal() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("portal", str(PROJECT / "portal"))
    spec = importlib.util.spec_from_loader("portal", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def empty_copy(tmp_path: Path) -> Path:
    """A project in which nothing is installed."""
    for name in ("portal", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def test_an_old_python_can_read_it_as_far_as_the_message() -> None:
    ast.parse((PROJECT / "portal").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["up"], "up"),
        (["--data-dir", "/x", "test", "up"], "test"),
        (["--data-dir=/x", "status"], "status"),
        (["--config", "c.toml", "bench"], "bench"),
        ([], ""),
        (["--help"], ""),
    ],
)
def test_the_command_is_found_behind_the_common_options(
    portal: ModuleType, arguments: list[str], command: str
) -> None:
    assert portal.command_in(arguments) == command


def test_what_a_process_compiles_is_kept_also_where_an_image_forbids_it(
    portal: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, str]] = []
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(portal.os, "execve", lambda *given: started.append(given[2]))

    portal.main(["doctor"])

    assert len(started) == 1
    assert "PYTHONDONTWRITEBYTECODE" not in started[0]


def test_status_of_an_empty_clone_installs_nothing(empty_copy: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "portal", "status", "--json"],
        cwd=empty_copy, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert answer.returncode == 3
    assert answer.stdout == '{"url": null, "services": []}\n'
    assert not (empty_copy / ".venv").exists()


def test_a_machine_without_a_suitable_python_is_told_so(
    portal: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal, "is_suitable", lambda python: False)

    with pytest.raises(portal.Stop, match=r"Python 3.11, 3.12 or 3.13 is needed"):
        portal.find_python()


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({"present": 1.0, "other": 0.7}, "other"),
        ({"present": 1.0, "other": 0.95}, "present"),
        ({"present": 1.0, "other": 0.7, "without-venv": 0.1}, "other"),
        ({"present": 1.0, "breaks": float("inf")}, "present"),
    ],
)
def test_of_several_pythons_it_runs_on_one_that_is_clearly_faster(
    portal: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    seconds: dict[str, float],
    chosen: str,
) -> None:
    monkeypatch.setattr(portal, "suitable_pythons", lambda: list(seconds))
    monkeypatch.setattr(portal, "has_modules", lambda python, *names: python != "without-venv")
    monkeypatch.setattr(portal, "seconds_for_a_loop", seconds.__getitem__)

    assert portal.find_python() == chosen


def test_every_suitable_python_on_the_path_is_found_once_the_present_one_first(
    portal: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    (first / "python3").symlink_to(sys.executable)  # the present one by another name
    # One program behind every name, which goes by the name: as version managers have it.
    manager = second / "manager"
    manager.write_text(
        f'#!/bin/sh\ncase "$0" in *3.12) exec {sys.executable} "$@";; *) exit 1;; esac\n'
    )
    manager.chmod(0o755)
    for name in ("python3.13", "python3.12", "python3.11"):
        (second / name).symlink_to(manager)
    (second / "python").write_text("not a program")
    monkeypatch.setenv("PATH", f"{first}:{second}")

    assert portal.suitable_pythons() == [sys.executable]
    monkeypatch.setattr(portal.sys, "executable", "")
    assert portal.suitable_pythons() == [str(second / "python3.12")]


def test_a_python_that_hangs_or_fails_is_passed_over(
    portal: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hanging, failing = tmp_path / "hanging", tmp_path / "failing"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    failing.write_text("#!/bin/sh\nexit 1\n")
    for program in (hanging, failing):
        program.chmod(0o755)
    monkeypatch.setattr(portal, "ANSWER_SECONDS", 0.2)

    for program in (hanging, failing):
        assert not portal.is_suitable(str(program))
        assert portal.seconds_for_a_loop(str(program)) == float("inf")


def test_a_stamp_is_void_when_the_requirements_change(
    portal: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal, "PROJECT", tmp_path)
    monkeypatch.setattr(portal, "is_suitable", lambda python: True)
    (tmp_path / "requirements.txt").write_text("one==1\n")
    environment = tmp_path / ".venv"
    environment.mkdir()
    digest = portal.digest("requirements.txt")
    (environment / portal.STAMP).write_text(f'{{"requirements.txt": "{digest}"}}')

    assert portal.is_current(environment, "requirements.txt")
    (tmp_path / "requirements.txt").write_text("one==2\n")
    assert not portal.is_current(environment, "requirements.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_project_of_somebody_else_gets_its_environment_below_the_data_directory(
    portal: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.txt").touch()
    monkeypatch.setattr(portal, "PROJECT", project)
    project.chmod(0o555)

    chosen = portal.choose_environment(["up", "--data-dir", str(tmp_path)], "requirements.txt")

    assert chosen == tmp_path / "venv"
