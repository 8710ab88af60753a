"""Writes `docs/configuration.md` from the configuration's own definition.

Run `python -m tradeportal.supervisor.configdoc` after a change; a test compares the two.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from typing import get_type_hints

from tradeportal.supervisor.catalog import PROJECT
from tradeportal.supervisor.config import FILE_NAME, Configuration
from tradeportal.supervisor.options import rule_of

PATH = PROJECT / "docs" / "configuration.md"
HEAD = f"""\
# Configuration

Everything has a default; a portal needs no configuration file. To change something, write the keys
below into `<data-dir>/{FILE_NAME}` (or name a file with `--config FILE`) and run
`./portal restart`. A wrong key or value stops with one line that names it; what runs goes on.
`--port`, `--market` and `--workers` of `./portal up` win over the file, also after a restart. A
restart keeps its port unless the file or the command line names another; `restart --config FILE`
goes over to that file.

    [server]
    port = 8443

    [start_timeout_seconds]
    engine = 300

This page is made from `tradeportal/supervisor/config.py`.
"""
VARIABLES = {
    "PORTAL_DATA_DIR": "the data directory when `--data-dir` is not given (which stands before"
    " `manage`, because what follows `manage` belongs to Django)",
    "DATABASE_URL": "`postgres://user:password@host:port/name`: use this PostgreSQL (15 or newer)"
    " and start none",
    "REDIS_URL": "`redis://:password@host:port/0`: use this Redis or Valkey and start none",
    "PORTAL_PG_BIN": "directory with `postgres` and `initdb` to use instead of the embedded ones",
    "PORTAL_REDIS_BIN": "Redis or Valkey server program to use instead of the embedded one",
    "PORTAL_REDIS_PREFIX": "first part of every Redis key and channel (`portal:`), for portals that"
    " share a server",
    "PORTAL_SECRET_KEY": "signing key of sessions and of the audit trail's chain; made at random"
    " into `<data-dir>/secrets` when not set",
    "PORTAL_SECRET_KEY_FALLBACKS": "keys of before, separated by commas: sessions that they signed"
    " go on, and `verify_audit` proves what they sealed",
    "PORTAL_ENCRYPTION_KEYSET": "file with the keys of stored secrets (docs/encryption.md); made at"
    " random in `<data-dir>/secrets` when not set",
    "PORTAL_CHROMIUM": "the Chromium of the browser tests",
}


def reference() -> str:
    """The whole page."""
    lines = [HEAD]
    for section, kind in get_type_hints(Configuration).items():
        title = _escaped((kind.__doc__ or "").strip())
        lines += [f"## [{section}]", "", title, "", "| key | default | allowed | why |"]
        lines.append("|---|---|---|---|")
        hints = get_type_hints(kind)
        for item in dataclasses.fields(kind):
            default = f'"{item.default}"' if hints[item.name] is str else f"{item.default}"
            lines.append(
                f"| `{item.name}` | `{default}` | {_allowed(item, hints[item.name])} |"
                f" {_escaped(rule_of(item).why)} |"
            )
        lines.append("")
    lines += ["## Environment variables", "", "Read from the environment of `./portal`:", ""]
    lines += ["| variable | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in [*VARIABLES.items(), *_stand_ins()]]
    lines += ["", "What the processes of the portal themselves read is set by the supervisor, in"]
    lines += ["`tradeportal/supervisor/catalog.py`, and read in `tradeportal/settings/env.py`."]
    return "\n".join(lines) + "\n"


def _allowed(item: dataclasses.Field[object], hint: type) -> str:
    rule = rule_of(item)
    if rule.choices:
        return ", ".join(rule.choices)
    if hint is str:
        return rule.shape.says if rule.shape else "text"
    return f"{'whole number, ' if hint is int else ''}{rule.low} to {rule.high}"


def _stand_ins() -> Iterator[tuple[str, str]]:
    for section, kind in get_type_hints(Configuration).items():
        for item in dataclasses.fields(kind):
            if variable := rule_of(item).variable:
                key = f"{section}.{item.name}"
                yield variable, f"`{key}` where that is empty: keeps the secret out of the file"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;")


def main() -> int:
    """Write the page."""
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(reference(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
