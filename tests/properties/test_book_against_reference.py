"""The fast book does what the rules say: random histories, compared with the oracle at every step.

PORTAL_SEEDS histories of PORTAL_STEPS steps are run, from PORTAL_FIRST_SEED on. A failure names its
seed, the shortest part of its history that still fails, and the command that runs it again.
"""

import os
from collections import Counter

import pytest

from tests.properties.lockstep import SOMETIMES, Divergence, Lockstep
from tests.properties.shrink import shrink
from tests.properties.swarm import Step, Swarm
from tests.reference.book import ReferenceBook
from tests.reference.books import FastBook

SEEDS = int(os.environ.get("PORTAL_SEEDS", "200"))
STEPS = int(os.environ.get("PORTAL_STEPS", "1000"))
FIRST_SEED = int(os.environ.get("PORTAL_FIRST_SEED", "1"))
SHARDS = 8
STEPS_FOR_ALL_MARKS = 20_000
THIS_FILE = "tests/properties/test_book_against_reference.py"


@pytest.mark.parametrize("shard", range(min(SHARDS, SEEDS)))
def test_fast_book_agrees_with_the_rules_after_every_step(shard: int) -> None:
    seeds = range(FIRST_SEED + shard, FIRST_SEED + SEEDS, SHARDS)

    marks: Counter[str] = Counter()
    for seed in seeds:
        marks += run_seed(seed)

    never = SOMETIMES - marks.keys()
    assert not never or len(seeds) * STEPS < STEPS_FOR_ALL_MARKS, f"never happened: {never}"


def run_seed(seed: int) -> Counter[str]:
    """Run one seed's history; its marks, or a failure that tells how to see it again."""
    swarm = Swarm(seed)
    steps = swarm.steps(STEPS)
    marks, divergence = run(steps, swarm.resting_max)
    if divergence is not None:
        pytest.fail(report(seed, steps, swarm.resting_max, divergence), pytrace=False)
    return marks


def run(steps: list[Step], resting_max: int) -> tuple[Counter[str], str | None]:
    """Feed a history to the oracle and the fast book; its marks, and where they part if they do."""
    lockstep = Lockstep(ReferenceBook(), FastBook(), resting_max)
    for count, step in enumerate(steps, start=1):
        try:
            lockstep.step(step)
        except Divergence as divergence:
            return lockstep.marks, f"step {count}: {divergence}"
    return lockstep.marks, None


def report(seed: int, steps: list[Step], resting_max: int, divergence: str) -> str:
    """The divergence, the shortest part of the history that still has one, and how to run it."""
    shortest = shrink(steps, lambda part: run(part, resting_max)[1] is not None)
    story = "\n".join(f"  {step.message}" for step in shortest)
    _, reason = run(shortest, resting_max)
    return (
        f"seed {seed}, {divergence}\n\nshortest history that parts them:\n{story}\n"
        f"asked: {shortest[-1].probe}\n{reason}\n\nrun it again:\n"
        f"PORTAL_FIRST_SEED={seed} PORTAL_SEEDS=1 PORTAL_STEPS={STEPS} pytest {THIS_FILE}"
    )
