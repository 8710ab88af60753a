"""Small parts of the supervisor: logs, secrets, metrics, Node versions, the demo sign-in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tradeportal.supervisor import logs, pages, up
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.instance import forget_dead_metrics
from tradeportal.supervisor.setup_steps import DemoSignIn, read_demo


def test_a_log_that_grew_too_large_is_rotated_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    for content in ("a", "b", "c"):
        log.write_text(content * (logs.BYTES_PER_MB + 1))

        assert logs.rotate(tmp_path, rotate_at_mb=1, keep=2) == ["engine"]

    assert log.stat().st_size == 0
    assert (tmp_path / "engine.log.1").read_text()[0] == "c"
    assert (tmp_path / "engine.log.2").read_text()[0] == "b"
    assert not (tmp_path / "engine.log.3").exists()


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "engine.log").write_text("line\n")

    assert logs.rotate(tmp_path, rotate_at_mb=1, keep=2) == []


def test_logs_of_an_unknown_service_name_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "engine.log").write_text("line\n")

    with pytest.raises(PortalError, match=r"there is no log of feed; logs: engine"):
        logs.show(tmp_path, "feed", follow=False)


def test_secrets_are_made_once_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    data.prepare()

    first = data.secret("postgres")

    assert DataDir(tmp_path / "data").secret("postgres") == first
    assert data.secret("valkey") != first
    assert (data.secrets / "postgres").stat().st_mode & 0o777 == 0o600
    assert data.secrets.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_data_directory_of_somebody_else_is_refused_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)

    with pytest.raises(PortalError, match=r"choose one of your own with --data-dir"):
        DataDir(tmp_path / "data").prepare()


def test_live_gauges_of_dead_processes_are_dropped_and_counters_are_kept(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, alive = gone.pid, os.getpid()
    names = [f"gauge_livesum_{dead}.db", f"gauge_livesum_{alive}.db", f"counter_{dead}.db"]
    for name in names:
        (tmp_path / name).touch()

    forget_dead_metrics(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [
        ((18, 20), False), ((20, 18), False), ((20, 19), True), ((21, 7), False),
        ((22, 11), False), ((22, 12), True), ((24, 0), True),
    ],
)  # fmt: skip
def test_node_is_as_new_as_the_page_builder_asks(version: tuple[int, int], is_enough: bool) -> None:
    assert pages.is_new_enough(version) is is_enough


def test_the_demo_sign_in_is_found_behind_log_lines() -> None:
    output = '{"event": "seeded"}\n{"created": true, "username": "demo", "password": "pw"}\n'

    assert read_demo(output) == DemoSignIn("demo", "pw")
    assert read_demo("nothing to say\n") is None


def test_passwords_are_shown_only_in_the_start_that_made_them() -> None:
    first = up.sign_in_lines(DemoSignIn("demo", "pw1", "admin", "pw2"))
    later = up.sign_in_lines(DemoSignIn("demo", None, "admin", None))

    assert "  Sign in as demo with password pw1" in first
    assert "  Administer as admin with password pw2" in first
    assert later == ["  Sign in as demo; its password was shown at the first start"]
