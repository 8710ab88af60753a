"""How soon an engine that was killed acknowledges orders again, and what its open orders weigh."""

from dataclasses import dataclass, field

from benchmarks.killing import Outage, kill_engine
from benchmarks.options import SYMBOLS, Options
from benchmarks.portal import Portal, TraderSpec
from benchmarks.processes import resident_mib
from benchmarks.report import Row, Section

BAR = "≤ 5"
PER_ORDERS = 100_000


@dataclass(slots=True)
class Level:
    """What was measured with that many open orders."""

    open_orders: int
    placed_mib: float
    """The engine's memory once they were placed."""

    outages: list[Outage] = field(default_factory=list)
    loaded_mib: list[float] = field(default_factory=list)
    """Its memory after each restart."""


def measure(portal: Portal, options: Options) -> Section:
    (trader,) = portal.make_traders([TraderSpec(SYMBOLS[0], "buy")])
    kill_engine(portal, trader)  # so that none is compared with the one that made the accounts
    levels: list[Level] = []
    for count in (0, options.open_orders, 2 * options.open_orders):
        if levels:
            portal.rest_orders(count - levels[-1].open_orders)
        level = Level(count, resident_mib(portal.pid("engine")))
        for _ in range(options.rounds):
            level.outages.append(kill_engine(portal, trader))
            level.loaded_mib.append(resident_mib(portal.pid("engine")))
        levels.append(level)
    return section_of(levels)


def section_of(levels: list[Level]) -> Section:
    """`levels`: with no open orders, with some, and with twice as many."""
    none, some, most = levels
    rows: list[Row] = []
    for level in levels:
        at = f"{level.open_orders:,} open"
        bar = BAR if level is some else ""
        rows += [
            Row(f"first ack, {at}", "s", [each.seconds for each in level.outages], bar),
            Row(f"of that, recovery, {at}", "s", [each.recovery_seconds for each in level.outages]),
            Row(f"engine's memory, {at}, placed", "MiB", [level.placed_mib]),
            Row(f"engine's memory, {at}, restarted", "MiB", level.loaded_mib),
        ]
    share = PER_ORDERS / some.open_orders
    name = f"memory of {PER_ORDERS:,} open orders"
    placed = (some.placed_mib - none.loaded_mib[-1]) * share
    loaded = [
        (after - before) * share / 2
        for after, before in zip(most.loaded_mib, none.loaded_mib, strict=True)
    ]
    rows += [Row(f"{name}, placed", "MiB", [placed]), Row(f"{name}, restarted", "MiB", loaded)]
    return Section(
        name="restart",
        title="An engine that is killed, until an order over HTTP is acknowledged again",
        rows=rows,
        notes=[
            "kill -9; the supervisor sees it, waits 0.2 s and starts it again",
            "recovery: from the lease to a complete memory; before it, Python starts",
        ],
    )
