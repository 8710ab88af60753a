"""A whole portal for a test run: started by `./portal up` as a user would, ended by `down`.

The slowest fixture there is, so one session shares it: tests that use it stand in one xdist group.
"""

import fcntl
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tradeportal.supervisor.datadir import DataDir

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 240
RESTART_SECONDS = 120
COMMAND_SECONDS = 120
COMMANDS = ("manage", "shell", "-v", "0", "-c", "from tests.live_commands import serve; serve()")
INHERITED_NO_MORE = (
    "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PORTAL_DATA_DIR", "PORTAL_REDIS_PREFIX",
    "PORTAL_SECRET_KEY", "PORTAL_SERVICE", "PORTAL_LOG_LEVEL", "PORTAL_ENGINE_SOCKET",
    "PROMETHEUS_MULTIPROC_DIR",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignIn:
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Key:
    key_id: str
    secret: str


class LivePortal:
    """Runs commands of the front door against one data directory."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.url = ""
        self.printed = ""
        self._environment = environment or {}
        self._commands: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> None:
        """`up`; what it said is kept in `printed`."""
        with _the_first_alone():
            self._borrow_static_files()
            self.printed = self._portal("up", "--detach", *options, timeout=START_SECONDS)
            self._lend_static_files()
        self.url = self.status()["url"]

    def _borrow_static_files(self) -> None:
        """Take what the first portal of this run has collected: compressing it is half a start."""
        if _lent().exists() and not (self.data_dir / "static").exists():
            self.data_dir.mkdir(mode=0o711, exist_ok=True)
            shutil.copytree(_lent() / "static", self.data_dir / "static")
            shutil.copy(_lent() / "static-stamp", self.data_dir)

    def _lend_static_files(self) -> None:
        if _lent().exists():
            return
        own = _lent().with_name(f"static-of-{self.data_dir.parent.name}")
        shutil.copytree(self.data_dir / "static", own / "static")
        shutil.copy(self.data_dir / "static-stamp", own)
        own.rename(_lent())

    def stop(self) -> None:
        self._end_commands()
        self._portal("down", timeout=120)
        self.url = ""

    def status(self) -> dict[str, Any]:
        """The address and the services; exit code 1 says that not all of them run."""
        status: dict[str, Any] = json.loads(self._portal("status", "--json", accepted=(0, 1)))
        return status

    def services(self) -> dict[str, dict[str, Any]]:
        """By name; read where `status` reads it, which would be a process for each look."""
        state = DataDir(self.data_dir).state.read_running()
        assert state is not None, "the portal does not run"
        return {item.name: msgspec.structs.asdict(item) for item in state.services}

    def service(self, name: str) -> dict[str, Any]:
        return self.services()[name]

    def kill(self, name: str) -> int:
        """kill -9 of a service; the process id that it had."""
        pid: int = self.service(name)["pid"]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until_restarted(self, name: str, killed: int) -> None:
        """Until the supervisor says that the service runs, as another process than the killed."""
        deadline = time.monotonic() + RESTART_SECONDS
        while True:
            service = self.service(name)
            if service["state"] == "running" and service["pid"] != killed:
                return
            assert time.monotonic() < deadline, service
            time.sleep(0.1)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of its processes."""
        return DataDir(self.data_dir).state.read_environment()

    @property
    def database_url(self) -> str:
        """The DATABASE_URL of its processes."""
        return self.environment["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        """The REDIS_URL of its processes."""
        return self.environment["REDIS_URL"]

    def demo(self) -> SignIn:
        """The demo trader, with the password that the first start has printed."""
        found = re.search(r"^  Sign in as (\S+) with password (\S+)$", self.printed, re.MULTILINE)
        assert found is not None, self.printed
        return SignIn(found[1], found[2])

    def manage(self, *arguments: str) -> str:
        """The standard output of a management command; fails with how it failed.

        One process does them all (tests/live_commands.py), started like `./portal manage`.
        """
        if self._commands is None:
            self._commands = subprocess.Popen(
                [sys.executable, str(ROOT / "portal"), *COMMANDS],
                cwd=ROOT,
                env=self._process_environment() | {"PORTAL_DATA_DIR": str(self.data_dir)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        stdin, stdout = self._commands.stdin, self._commands.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(arguments) + "\n")
        stdin.flush()
        assert select.select([stdout], [], [], COMMAND_SECONDS)[0], f"{arguments}: no answer"
        printed, failure = json.loads(stdout.readline())
        assert failure == "", f"{arguments}: {printed}\n{failure}"
        return str(printed)

    def _end_commands(self) -> None:
        if self._commands is not None:
            self._commands.communicate()
            self._commands = None

    def create_trader(self, username: str, cash: str = "100000") -> SignIn:
        made = json.loads(
            self.manage(
                "create_user", "--username", username, "--cash", cash, "--role", "trader",
                "--email", f"{username}@example.com", "--json",
            )
        )  # fmt: skip
        return SignIn(username, made["password"])

    def create_key(
        self, username: str, scopes: str = "trade,read", rate_limit: int = 1_000_000
    ) -> Key:
        made = json.loads(
            self.manage(
                "create_api_key", "--username", username, "--scopes", scopes,
                "--rate-limit", str(rate_limit), "--json",
            )
        )  # fmt: skip
        return Key(made["key_id"], made["secret"])

    def _portal(
        self,
        *arguments: str,
        timeout: float = 120,
        accepted: tuple[int, ...] = (0,),
    ) -> str:
        done = subprocess.run(
            [sys.executable, str(ROOT / "portal"), *arguments, "--data-dir", str(self.data_dir)],
            env=self._process_environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode in accepted, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def _process_environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in INHERITED_NO_MORE}
        return kept | dict(self._environment)


def _lent() -> Path:
    """Where the processes of a test run find the static files that a portal has collected."""
    return Path(os.environ["PORTAL_DATA_DIR"]).parent / "static-of-portals"


@contextmanager
def _the_first_alone() -> Iterator[None]:
    """Whoever starts a portal while none has lent its static files waits for the one that will."""
    with _lent().with_suffix(".lock").open("w") as lock:
        if not _lent().exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
        if _lent().exists():
            fcntl.flock(lock, fcntl.LOCK_UN)
        yield


@dataclass
class Browser:
    """Somebody's browser: cookies, and the hidden token of each form."""

    url: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def token(self, page: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.http.get(page).text)
        assert found is not None, page
        return found[1]

    def send(self, page: str, path: str, **fields: str) -> httpx.Response:
        fields["csrfmiddlewaretoken"] = self.token(page)
        return self.http.post(path, data=fields, headers={"Origin": self.url})

    def sign_in(self, who: SignIn) -> None:
        answer = self.send(
            "/accounts/sign-in", "/accounts/sign-in", username=who.username, password=who.password
        )
        assert answer.status_code == 302, answer.status_code

    def act(self, page: str, action: str, row: str, **fields: str) -> str:
        """An action of the console on one row, confirmed; the page that follows."""
        chosen = {"action": action, "_selected_action": row, "index": "0"}
        asked = self.send(page, page, **chosen)
        act_id = re.search(r'name="act_id" value="([^"]+)"', asked.text)
        assert act_id is not None, asked.status_code
        self.send(
            page,
            page,
            **chosen,
            confirmed="yes",
            act_id=act_id[1],
            reason="asked for by the test",
            **fields,
        )
        return self.http.get(page).text
