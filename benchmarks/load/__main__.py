"""`python -m benchmarks.load`: reads one LoadSpec as JSON, runs it, writes one LoadResult."""

import asyncio
import gc
import sys

import msgspec

from benchmarks.load.runs import ClosedLoop, OpenLoop
from benchmarks.load.spec import LoadResult, LoadSpec

if sys.platform != "win32":
    import uvloop

    run_loop = uvloop.run
else:
    run_loop = asyncio.run


async def run(spec: LoadSpec) -> LoadResult:
    return await (ClosedLoop(spec) if spec.rate is None else OpenLoop(spec)).run()


def main() -> None:
    spec = msgspec.json.decode(sys.stdin.buffer.read(), type=LoadSpec)
    gc.disable()  # a pause of the client must not count as the server's
    result = run_loop(run(spec))
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")


if __name__ == "__main__":
    main()
