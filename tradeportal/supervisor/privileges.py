"""Running the database servers as an ordinary user when the portal was started by root.

PostgreSQL refuses to run as root, and no server should. An existing user is borrowed; no user is
added and the rights of no directory that we did not make are changed. What that user cannot reach
is kept in (or copied to) the system's state directory instead.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError

BORROWED_USERS = ("postgres", "nobody")
STATE_DIRECTORY = Path("/var/lib/tradeportal")
STORAGE_RECORD = "storage.json"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that runs the database servers; ids of None mean the user we already are."""

    name: str
    uid: int | None
    gid: int | None

    @property
    def is_borrowed(self) -> bool:
        return self.uid is not None

    def own(self, path: Path) -> None:
        """Give the account a file or directory that we have made for it."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """Ourselves, or, for root, `postgres` where it exists, else `nobody`."""
    if os.geteuid() != 0:
        return Account(pwd.getpwuid(os.geteuid()).pw_name if _has_name() else "self", None, None)
    for name in BORROWED_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise PortalError(
        "started by root, and there is neither a user postgres nor nobody to run the database as;"
        " start as an ordinary user or set DATABASE_URL and REDIS_URL"
    )


def _has_name() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:  # a container may run under a number without a name
        return False
    return True


def run_as(
    account: Account, command: Sequence[str], *, cwd: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a short command as the account and return its result with the output as text."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        user=account.uid,
        group=account.gid,
        extra_groups=[] if account.is_borrowed else None,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def can_enter(account: Account, directory: Path) -> bool:
    """Whether the account can pass through every directory down to this one."""
    if not account.is_borrowed:
        return os.access(directory, os.X_OK)
    answer = run_as(
        account,
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)],
        cwd=Path("/"),
        environment={"PATH": os.defpath},
    )
    return answer.returncode == 0


def storage_for(data: DataDir, account: Account) -> Path:
    """The directory that holds the servers' files, which the account can reach.

    It is recorded once, so that a later start never overlooks an existing database. Raises
    PortalError when the recorded one is gone or was made for another data directory.
    """
    if not account.is_borrowed:
        return data.root
    if recorded_storage(data) is not None:
        return _checked_storage(data, account)
    if can_enter(account, data.root):
        storage = data.root
    else:
        storage = STATE_DIRECTORY / f"{data.digest()}-{data.secret('instance', 6)}"
        make_public_directory(STATE_DIRECTORY)
        storage.mkdir(mode=0o711)
    content = {"data_directory": str(data.root), "storage": str(storage)}
    (data.root / STORAGE_RECORD).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return storage


def recorded_storage(data: DataDir) -> Path | None:
    """Where the servers' files of this data directory are kept; None before the first start."""
    record = data.root / STORAGE_RECORD
    if not record.exists():
        return None
    return Path(json.loads(record.read_text(encoding="utf-8"))["storage"])


def storage_elsewhere(data: DataDir) -> Path | None:
    """The directory outside the data directory that holds its database; None when there is none.

    It outlives the data directory: whoever removes the one has to be told of the other.
    """
    storage = recorded_storage(data)
    return storage if storage != data.root else None


def _checked_storage(data: DataDir, account: Account) -> Path:
    content = json.loads((data.root / STORAGE_RECORD).read_text(encoding="utf-8"))
    storage, owner = Path(content["storage"]), Path(content["data_directory"])
    if owner != data.root:
        if storage != owner:
            raise PortalError(
                f"the database of {data.root} was made for {owner} and is kept in {storage};"
                f" move the data directory back to {owner}"
            )
        storage = data.root  # moved as a whole, database included
    if not storage.is_dir():
        raise PortalError(
            f"the database of {data.root} was kept in {storage}, which is gone; restore it, or"
            " choose a new --data-dir to start afresh"
        )
    if not can_enter(account, storage):
        raise PortalError(
            f"user {account.name} can no longer reach {storage}; allow passing through its parent"
            " directories again (chmod o+x)"
        )
    return storage


def make_public_directory(directory: Path) -> None:
    """Make a directory of ours below the system's state directory, which everybody may enter."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)
    except OSError as error:
        raise PortalError(
            f"cannot make {directory} ({error.strerror}); choose a --data-dir below a directory"
            " that every user can enter, or start as an ordinary user"
        ) from error


def reachable_copy(account: Account, parts: Sequence[Path], name: str) -> Path | None:
    """Where the account finds these sibling directories or files; None when they stay in place.

    Programs below root's home cannot be entered by others: they are copied, once per version.
    """
    if all(can_enter(account, part if part.is_dir() else part.parent) for part in parts):
        return None
    shelf = STATE_DIRECTORY / "programs"
    make_public_directory(STATE_DIRECTORY)
    make_public_directory(shelf)
    target = shelf / name
    if not target.exists():
        fresh = shelf / f".{name}.{os.getpid()}"
        fresh.mkdir(mode=0o755)
        for part in parts:
            if part.is_dir():
                shutil.copytree(part, fresh / part.name, symlinks=True)
            else:
                shutil.copy2(part, fresh / part.name)
        _open_to_all(fresh)
        fresh.rename(target)
    return target


def _open_to_all(directory: Path) -> None:
    directory.chmod(0o755)
    for path in directory.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
            if path.stat().st_mode & 0o100:
                path.chmod(path.stat().st_mode | 0o011)
