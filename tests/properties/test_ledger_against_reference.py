"""The whole engine does what the rules say: random histories, compared with the slow engine
(tests/reference) after every step, seed by seed (I1, I4 to I7).

PORTAL_SEEDS calm histories of PORTAL_STEPS steps are run, from PORTAL_FIRST_SEED on, and for five
of them three stormy ones and one full of limits. A failure names its seed, the shortest part of its
history that still fails, and the command that runs it again.
"""

import os
from collections import Counter

import pytest

from tests.properties.ledger_lockstep import Divergence, Lockstep
from tests.properties.ledger_sometimes import SOMETIMES
from tests.properties.shrink import shrink
from tests.simulation.floor import START_NS
from tests.simulation.market_swarm import MarketSwarm, Timed
from tests.simulation.plan_swarm import LIMITED, STORMY

# The last test looks at what the others met.
pytestmark = pytest.mark.xdist_group("ledger against reference")

SEEDS = int(os.environ.get("PORTAL_SEEDS", "225"))
FIRST_SEED = int(os.environ.get("PORTAL_FIRST_SEED", "1"))
STEPS = int(os.environ.get("PORTAL_STEPS", "500"))
GROUPS = 10
THIS_FILE = "tests/properties/test_ledger_against_reference.py"

MARKS: Counter[str] = Counter()
GROUPS_RUN: set[int] = set()


@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_equals_the_slow_one(group: int) -> None:
    kinds = ((0, SEEDS), (STORMY, SEEDS * 3 // 5), (LIMITED, SEEDS // 5))
    firsts = [(FIRST_SEED + first, count) for first, count in kinds]
    for seed in [
        first + number for first, count in firsts for number in range(group, count, GROUPS)
    ]:
        MARKS.update(+run_seed(seed))
    GROUPS_RUN.add(group)


def run_seed(seed: int) -> Counter[str]:
    """Run one seed's history; its marks, or a failure that tells how to see it again."""
    lockstep = Lockstep(seed)
    try:
        lockstep.run(MarketSwarm(seed, START_NS).history(STEPS))
    except Divergence as divergence:
        pytest.fail(report(seed, divergence), pytrace=False)
    return lockstep.marks


def report(seed: int, divergence: Divergence) -> str:
    """The divergence, the shortest part of the history that still has one, and how to run it."""
    history = list(MarketSwarm(seed, START_NS).history(STEPS))
    shortest = shrink(history, lambda part: parting(seed, part) is not None)
    story = "\n".join(f"  {timed.now_ns} {timed.command}" for timed in shortest)
    return (
        f"seed {seed}, {divergence}\n\nshortest history that parts them:\n{story}\n"
        f"{parting(seed, shortest)}\n\nrun it again:\n"
        f"PORTAL_FIRST_SEED={seed} PORTAL_SEEDS=1 PORTAL_STEPS={STEPS} ./portal test {THIS_FILE}"
    )


def parting(seed: int, history: list[Timed]) -> str | None:
    """Where the engines part, if they do."""
    try:
        Lockstep(seed).run(history)
    except Divergence as divergence:
        return str(divergence)
    return None


@pytest.mark.skipif(SEEDS < 225 or STEPS < 500, reason="too few steps to meet everything")
def test_everything_that_must_happen_sometimes_has_happened(
    request: pytest.FixtureRequest,
) -> None:
    asked_for = [item for item in request.session.items if item.path == request.path]
    if len(asked_for) <= GROUPS:
        pytest.skip("only some of the seeds were asked for")

    assert set(range(GROUPS)) == GROUPS_RUN, "a group failed, or ran in another process"
    assert SOMETIMES - MARKS.keys() == set()
