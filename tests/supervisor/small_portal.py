"""A small portal for the supervisor's tests: the real supervisor around services of a few lines.

Run as a program: small_portal.py up --data-dir DIR [--real-databases] [--services a,b,c], with the
other options of `./portal up`. Each service writes what happens to it into `DIR/journal`, so that a
test can read the order of events.
"""

import argparse
import sys
from pathlib import Path

from tradeportal.supervisor import cli, databases, probes, up
from tradeportal.supervisor.catalog import Plan
from tradeportal.supervisor.config import Configuration, override
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.instance import Parts
from tradeportal.supervisor.place import Place, extract_place
from tradeportal.supervisor.setup_steps import DemoSignIn
from tradeportal.supervisor.spec import ServiceSpec

SERVICE = """
import os, signal, subprocess, sys, time
name, journal, keep_child = sys.argv[1], sys.argv[2], sys.argv[3] == "child"

def write(what):
    with open(journal, "a") as stream:
        stream.write(f"{name} {what}\\n")

def stop(number, frame):
    write("stop")
    if not name.startswith("stubborn"):
        sys.exit(0)

if name == "broken":
    sys.exit("it has no bottom")
signal.signal(signal.SIGTERM, stop)
if keep_child:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    write(f"child {child.pid}")
write(f"start {os.getpid()}")
print("service is ready", flush=True)
while True:
    time.sleep(0.05)
"""


def service_spec(
    name: str, data: DataDir, *, needs: tuple[str, ...] = (), stop_timeout_seconds: float = 5.0
) -> ServiceSpec:
    """A service that is ready when it says so and journals its start and stop.

    One named `parent` keeps a child process, `stubborn` ignores its stop signal, `broken` dies.
    """
    log = data.logs / f"{name}.log"
    kind = "child" if name == "parent" else "alone"
    return ServiceSpec(
        name=name,
        command=(sys.executable, "-c", SERVICE, name, str(data.root / "journal"), kind),
        environment={"PATH": "/usr/bin:/bin"},
        directory=data.root,
        log=log,
        new_probe=lambda: probes.log_line(log, "service is ready", 30),
        start_timeout_seconds=15,
        stop_timeout_seconds=stop_timeout_seconds,
        needs=needs,
    )


def journal(data: DataDir) -> list[str]:
    """What the services have written so far."""
    path = data.root / "journal"
    return path.read_text().splitlines() if path.exists() else []


def no_databases(data: DataDir, configuration: Configuration) -> databases.Databases:
    return databases.Databases("postgres://none", "redis://none", None, [], [], [])


async def no_setup(plan: Plan) -> DemoSignIn | None:
    return None


def main() -> int:
    own = argparse.ArgumentParser()
    own.add_argument("--real-databases", action="store_true")
    own.add_argument("--services", default="alpha,beta,gamma")
    arguments, given = extract_place(sys.argv[1:])
    options, rest = own.parse_known_args(arguments)
    assert given.data_dir is not None
    place = Place(DataDir(Path(given.data_dir)), Path(given.config) if given.config else None)
    names = [name for name in options.services.split(",") if name]
    parts = Parts(
        pages=lambda data: None,
        databases=databases.prepare if options.real_databases else no_databases,
        setup=no_setup,
        services=lambda plan: [
            service_spec(name, plan.data, needs=tuple(names[:index][-1:]), stop_timeout_seconds=1.0)
            for index, name in enumerate(names)
        ],
    )
    try:
        configuration = cli.up_configuration(place, cli.parser().parse_args(rest))
        quick = override(configuration, "restart", first_delay_seconds=0.05)
        return up.run(place, quick, parts, (sys.executable, __file__))
    except PortalError as error:
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
