"""The data directory of one portal: its places, its rights and its secrets.

Everything a portal keeps lies below one directory (`var/` unless told otherwise), so that a second
portal is a second directory. Secrets are made once, at random, and readable by the owner only.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.ports import PortBook
from tradeportal.supervisor.state import StateFile

SOCKET_PATH_MAX = 103  # sun_path is 104 bytes on macOS, 108 on Linux, with the closing zero
LONGEST_SOCKET_NAME = "control.sock"


class DataDir:
    """Places below one data directory."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100  # resolve() would follow links
        self.run = self.root / "run"
        self.logs = self.root / "logs"
        self.secrets = self.root / "secrets"
        self.mail = self.root / "mail"
        self.metrics = self.run / "metrics"
        self.state = StateFile(self.run)
        self.ports = PortBook(self.root / "ports.json")

    def prepare(self) -> None:
        """Make the directories. Raises PortalError naming the one that cannot be made."""
        made = not self.root.exists()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if made:  # others may pass through to their own part as root, and see nothing else
                self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for place in (self.run, self.logs, self.secrets, self.mail, self.metrics):
                place.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise PortalError(
                f"the data directory {self.root} cannot be used ({error.strerror}:"
                f" {error.filename}); choose one of your own with --data-dir"
            ) from error
        for place in (self.root, self.run, self.logs, self.secrets):
            if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
                raise PortalError(
                    f"no right to write in {place}, which belongs to user {place.stat().st_uid};"
                    " choose a directory of your own with --data-dir"
                )
        if self.secrets.stat().st_uid != os.geteuid():
            raise PortalError(
                f"{self.root} belongs to the portal of another user; start as that user or choose a"
                " directory of your own with --data-dir"
            )

    def secret(self, name: str, length_bytes: int = 32) -> str:
        """The secret `name`, made at random the first time it is asked for."""
        path = self.secrets / name
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            value = secrets.token_urlsafe(length_bytes)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(value + "\n")
            return value

    def lock(self) -> int | None:
        """Take the lock of the one supervisor of this directory; None when another holds it.

        The kernel frees it when the process ends, however it ends.
        """
        descriptor = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def socket_directory(self) -> Path:
        """Where the sockets of this run live: `run/`, or a private directory with a short path.

        The kernel refuses socket paths above about 107 characters.
        """
        if len(os.fsencode(self.run / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_MAX:
            return self.run
        short = Path(tempfile.mkdtemp(prefix="portal-"))
        if len(os.fsencode(short / LONGEST_SOCKET_NAME)) > SOCKET_PATH_MAX:
            short.rmdir()
            short = Path(tempfile.mkdtemp(prefix="portal-", dir="/tmp"))  # mode 0700
        return short

    def digest(self) -> str:
        """A short name for this directory, where a path is needed outside it."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
