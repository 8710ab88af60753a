"""Settings of the test run: those of production, cheap password hashing and fixed secrets."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault(
    "PORTAL_SECRET_KEY", "a-fixed-key-for-tests-only-0123456789-0123456789-0123456789"
)
os.environ.setdefault("PORTAL_SERVICE", "test")
os.environ.setdefault("PORTAL_LOG_LEVEL", "WARNING")
# Parallel test processes share one Valkey and one disk: each keeps to its own keys, channels, files
# and engine socket.
_PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "main")
_SHARED_DIR = os.environ.get("PORTAL_DATA_DIR") or tempfile.mkdtemp(prefix="portal-test-")
os.environ["PORTAL_DATA_DIR"] = str(Path(_SHARED_DIR) / _PROCESS)
os.environ["PORTAL_REDIS_PREFIX"] = f"{os.environ.get('PORTAL_REDIS_PREFIX', 'test:')}{_PROCESS}:"

from tradeportal.settings.base import *  # noqa: E402, F403
from tradeportal.settings.base import DATABASES, DJANGO_VITE, STATIC_ROOT  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
DATABASES["default"]["OPTIONS"].pop("pool")  # the pool's threads would keep the test database open
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a missing one at each request
if not Path(str(DJANGO_VITE["default"]["manifest_path"])).exists():
    DJANGO_VITE["default"]["dev_mode"] = True  # the scripts need not be built
