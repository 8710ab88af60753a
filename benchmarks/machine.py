"""What a result was measured on; numbers without it mean little."""

import os
import platform
import time
from pathlib import Path

import msgspec


class Machine(msgspec.Struct, frozen=True):
    """The machine at one moment. `load` is its one-minute load average."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str
    load: float
    at: str

    @property
    def text(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gib:.0f} GiB, {self.system}, "
            f"Python {self.python}, load {self.load:.1f} at the start"
        )


def describe() -> Machine:
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_first("/proc/cpuinfo", "model name") or platform.machine(),
        memory_gib=int((_first("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / 2**20,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=os.getloadavg()[0],
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )


def _first(path: str, key: str) -> str:
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""
