"""The whole supervisor as a process: order, control, and no orphans however it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from tests.supervisor import small_portal
from tests.supervisor.small_portal import journal
from tradeportal.supervisor import cli
from tradeportal.supervisor.catalog import PROJECT
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.identity import ProcessId, boot_id, identify, started_at, wait_gone
from tradeportal.supervisor.ports import any_free
from tradeportal.supervisor.postgres import KEPT_LOG_MB, LOG_FILE_MB
from tradeportal.supervisor.privileges import recorded_storage
from tradeportal.supervisor.recovery import clean_up
from tradeportal.supervisor.state import InstanceState, ServiceState

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("supervisor")]

Start = Callable[..., tuple[subprocess.Popen[bytes], DataDir]]
WAIT_SECONDS = 60.0


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)


def running(data: DataDir) -> InstanceState:
    def is_running() -> bool:
        state = data.state.read_running()
        return state is not None and state.phase == "running"

    wait_for(is_running)
    state = data.state.read_running()
    assert state is not None
    return state


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    processes: list[subprocess.Popen[bytes]] = []
    places: list[DataDir] = []
    given = {"DATABASE_URL", "REDIS_URL"}
    own_servers = {key: value for key, value in os.environ.items() if key not in given}

    def begin(name: str, *arguments: str) -> tuple[subprocess.Popen[bytes], DataDir]:
        data = DataDir(tmp_path / name)
        process = subprocess.Popen(
            [sys.executable, small_portal.__file__, "up", "--data-dir", str(data.root), *arguments],
            cwd=PROJECT,
            env={**own_servers, "PYTHONPATH": str(PROJECT)},
            stdout=subprocess.DEVNULL,
        )
        processes.append(process)
        places.append(data)
        return process, data

    yield begin
    for process in processes:
        if process.poll() is None:
            process.terminate()
            process.wait(WAIT_SECONDS)
    for data in places:
        storage = recorded_storage(data)
        if storage is not None and storage != data.root:
            shutil.rmtree(storage, ignore_errors=True)


def order(data: DataDir) -> list[str]:
    return [" ".join(line.split()[:2]) for line in journal(data)]


def test_services_start_in_order_and_stop_in_reverse(start: Start) -> None:
    process, data = start("one")
    running(data)

    process.terminate()

    assert process.wait(WAIT_SECONDS) == 0
    assert order(data) == [
        "alpha start", "beta start", "gamma start", "gamma stop", "beta stop", "alpha stop",
    ]  # fmt: skip
    assert data.state.read() is None
    assert not (data.run / "control.sock").exists()


def test_a_failing_start_stops_what_had_started(start: Start) -> None:
    process, data = start("one", "--services", "alpha,broken,gamma")

    assert process.wait(WAIT_SECONDS) == 1
    assert order(data) == ["alpha start", "alpha stop"]
    assert "it has no bottom" in (data.logs / "broken.log").read_text()


def test_killing_the_supervisor_leaves_no_orphans(start: Start) -> None:
    process, data = start("one", "--services", "alpha,parent")
    state = running(data)
    child = next(int(line.split()[-1]) for line in journal(data) if " child " in line)
    all_of_them = [item.process for item in state.services if item.process]
    all_of_them.append(ProcessId(child, started_at(child)))

    process.kill()
    process.wait()

    assert wait_gone(all_of_them, WAIT_SECONDS) == []


def test_the_guardian_waits_for_a_supervisor_that_is_still_dying(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "one")
    data.prepare()
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    supervisor = subprocess.Popen(sleep)
    service = subprocess.Popen(sleep, start_new_session=True)
    me, left = identify(supervisor.pid), identify(service.pid)
    data.state.write(
        InstanceState(
            run_id="x", supervisor_pid=me.pid, supervisor_started=me.started, boot=boot_id(),
            phase="running", url=None, control_socket="", short_directory="",
            services=[ServiceState("alpha", "running", pid=left.pid, started=left.started)],
        )
    )  # fmt: skip
    guardian = subprocess.Popen(
        [sys.executable, "-m", "tradeportal.supervisor.guardian", str(data.run)],
        cwd=PROJECT, stdin=subprocess.PIPE,
    )  # fmt: skip
    assert guardian.stdin is not None

    guardian.stdin.close()
    time.sleep(0.5)
    assert service.poll() is None
    supervisor.kill()
    supervisor.wait()

    assert service.wait(WAIT_SECONDS) != 0
    assert guardian.wait(WAIT_SECONDS) == 0


def test_the_next_start_recovers_from_a_killed_supervisor(start: Start) -> None:
    process, data = start("one")
    before = running(data)
    process.kill()
    process.wait()

    _, data = start("one")
    wait_for(lambda: (now := data.state.read()) is not None and now.run_id != before.run_id)
    after = running(data)

    assert {item.name for item in after.services} == {"alpha", "beta", "gamma"}
    assert before.living() == []


def test_a_state_file_whose_pids_now_belong_to_others_ends_nobody(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "one")
    data.prepare()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    document = {
        "run_id": "x", "supervisor_pid": bystander.pid, "supervisor_started": "1", "boot": "",
        "phase": "running", "url": None, "control_socket": "", "short_directory": "",
        "services": [
            {"name": "alpha", "state": "running", "pid": bystander.pid, "started": "1"},
        ],
    }  # fmt: skip
    document["boot"] = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    data.state.path.write_text(json.dumps(document))

    assert data.state.read_running() is None
    assert clean_up(data.state) == []

    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_second_supervisor_of_the_same_directory_does_not_start(start: Start) -> None:
    _, data = start("one")
    state = running(data)

    second, _ = start("one")

    assert second.wait(WAIT_SECONDS) == 0  # it only says what runs
    assert data.state.read_running() == state


def test_two_portals_run_side_by_side(start: Start) -> None:
    first, one = start("one")
    second, two = start("two")

    urls = {running(one).url, running(two).url}

    assert len(urls) == 2
    first.terminate()
    first.wait(WAIT_SECONDS)
    assert cli.main(["status", "--data-dir", str(two.root)]) == 0
    assert cli.main(["status", "--data-dir", str(one.root)]) == 3
    assert second.poll() is None


def test_commands_reach_the_running_portal(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    process, data = start("one")
    before = {item.name: item.pid for item in running(data).services}
    place = ["--data-dir", str(data.root)]

    assert cli.main(["restart", "beta", *place]) == 0
    capsys.readouterr()
    assert cli.main([*place, "status", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert cli.main(["restart", "delta", *place]) == 1
    assert "there is no service 'delta'" in capsys.readouterr().err
    assert cli.main(["down", *place]) == 0

    after = {item["name"]: item["pid"] for item in document["services"]}
    assert document["url"].startswith("http://127.0.0.1:")
    assert after["alpha"] == before["alpha"]
    assert after["beta"] != before["beta"]
    assert process.wait(WAIT_SECONDS) == 0


def test_a_restart_with_a_wrong_configuration_is_refused_and_stops_nothing(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process, data = start("one")
    before = running(data)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[server]\nport = 99999")
    place = ["--data-dir", str(data.root)]

    codes = [cli.main(["restart", "--config", str(wrong), *place])]
    (data.root / "portal.toml").write_text("[sever]")
    codes.append(cli.main(["restart", *place]))

    assert codes == [1, 1]
    complaints = capsys.readouterr().err.splitlines()
    assert len(complaints) == 2
    assert f"{wrong}: server.port must be between 0 and 65535, not 99999" in complaints[0]
    assert "unknown section [sever]" in complaints[1]
    assert data.state.read_running() == before
    assert process.poll() is None


def test_a_restart_of_the_portal_takes_the_port_of_the_file_that_it_reads_again(
    start: Start, tmp_path: Path
) -> None:
    process, data = start("one")
    before = running(data)
    place = ["--data-dir", str(data.root)]

    assert cli.main(["restart", *place]) == 0
    same = running(data)
    ports = [any_free(), any_free()]
    (data.root / "portal.toml").write_text(f"[server]\nport = {ports[0]}")
    assert cli.main(["restart", *place]) == 0
    of_the_file = running(data)
    other = tmp_path / "other.toml"
    other.write_text(f"[server]\nport = {ports[1]}")
    assert cli.main(["restart", "--config", str(other), *place]) == 0
    of_another = running(data)
    assert cli.main(["restart", *place]) == 0

    assert same.url == before.url
    assert of_the_file.url == f"http://127.0.0.1:{ports[0]}"
    assert of_another.url == running(data).url == f"http://127.0.0.1:{ports[1]}"
    assert running(data).supervisor_pid == process.pid
    assert len({item.pid for state in (before, same, of_the_file) for item in state.services}) == 9
    assert of_another.living() == []


def test_a_long_data_directory_gets_short_socket_paths(start: Start) -> None:
    process, data = start("d" * 120)
    state = running(data)

    assert state.short_directory != ""
    assert len(state.control_socket) < 100
    process.terminate()
    process.wait(WAIT_SECONDS)
    assert not Path(state.short_directory).exists()


def test_real_databases_and_what_is_in_them_survive_kill_9_of_each_and_of_the_supervisor(
    start: Start,
) -> None:
    process, data = start("one", "--real-databases", "--services", "alpha")
    before = {item.name: item for item in running(data).services}
    database_url, redis_url = urls_of(data)
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('acknowledged')")
    with Redis.from_url(redis_url) as redis:
        redis.set("kept", "queued")
        redis.execute_command("WAITAOF", 1, 0, 5000)

    for name in ("postgres", "valkey"):
        pid = before[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def both_are_back() -> bool:
        state = data.state.read_running()
        now = {item.name: item for item in state.services} if state else {}
        return all(
            now[name].state == "running" and now[name].pid != before[name].pid
            for name in ("postgres", "valkey")
        )

    wait_for(both_are_back)
    assert what_is_kept(data) == ("acknowledged", b"queued")
    process.kill()
    process.wait()
    process, data = start("one", "--real-databases", "--services", "alpha")
    wait_for(lambda: (now := data.state.read_running()) is not None and now.phase == "running")
    again = {item.name: item for item in running(data).services}

    assert again["postgres"].port == before["postgres"].port
    assert again["postgres"].state == again["valkey"].state == "running"
    assert what_is_kept(data) == ("acknowledged", b"queued")


def urls_of(data: DataDir) -> tuple[str, str]:
    """DATABASE_URL and REDIS_URL of the portal's own servers."""
    port = {item.name: item.port for item in running(data).services}
    password = {name: data.secret(name) for name in ("postgres-portal", "valkey")}
    return (
        f"postgres://portal:{password['postgres-portal']}@127.0.0.1:{port['postgres']}/portal",
        f"redis://:{password['valkey']}@127.0.0.1:{port['valkey']}/0",
    )


def what_is_kept(data: DataDir) -> tuple[str, object]:
    database_url, redis_url = urls_of(data)
    with psycopg.connect(database_url) as connection, Redis.from_url(redis_url) as redis:
        row = connection.execute("SELECT word FROM kept").fetchone()
        assert row is not None
        return row[0], redis.get("kept")


def test_embedded_postgres_is_durable_private_and_not_run_as_root(start: Start) -> None:
    _, data = start("one", "--real-databases", "--services", "")
    url, _ = urls_of(data)

    with psycopg.connect(url) as connection:

        def show(name: str) -> str:
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            assert row is not None
            return str(row[0])

        durable = [show(name) for name in ("fsync", "synchronous_commit", "full_page_writes")]
        assert durable == ["on", "on", "on"]
        assert show("data_checksums") == "on"
        assert show("wal_segment_size") == "2MB"
        assert show("server_encoding") == "UTF8"
        assert show("listen_addresses") == "127.0.0.1"
        assert show("is_superuser") == "off"
        statistics = connection.execute("SELECT count(*) FROM pg_stat_statements").fetchone()
        assert statistics is not None

    storage = recorded_storage(data) or data.root
    (log_files,) = storage.glob("pg*/pg_wal")
    assert len([*log_files.glob("0*")]) * LOG_FILE_MB >= KEPT_LOG_MB
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(data.secret("postgres-portal"), "wrong"))
    for item in running(data).services:
        assert Path(f"/proc/{item.pid}").stat().st_uid != 0
