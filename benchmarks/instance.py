"""`python -m benchmarks.instance DATA_DIR`: the portal under measurement, until it is terminated.

The supervisor as `./portal up` runs it, with durable databases and every service, but without a
feed and without building pages: neither is measured.
"""

import asyncio
import sys
from pathlib import Path

from tradeportal.supervisor import console
from tradeportal.supervisor.config import Configuration, override
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.instance import Instance, Parts
from tradeportal.supervisor.recovery import clean_up


def main() -> int:
    data = DataDir(Path(sys.argv[1]))
    data.prepare()
    if data.lock() is None:
        console.complain(f"{data.root} is in use")
        return 1
    clean_up(data.state)
    configuration = override(Configuration(), "market", source="none")
    # Each kill of a benchmark is the first in a long time: none waits longer than the one before.
    configuration = override(configuration, "restart", stable_after_seconds=1)
    try:
        asyncio.run(Instance(data, configuration, Parts(), lambda instance: None).run())
    except PortalError as error:
        console.complain(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
