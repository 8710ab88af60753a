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
from tests.reference.books import FastBook, PlainBook

SEEDS = int(os.environ.get("PORTAL_SEEDS", "200"))
STEPS = int(os.environ.get("PORTAL_STEPS", "1000"))
FIRST_SEED = int(os.environ.get("PORTAL_FIRST_SEED", "1"))
SHARDS = 8
STEPS_FOR_ALL_MARKS = 20_000


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
    try:
        return run(steps, swarm.resting_max)
    except Divergence as divergence:
        shortest = shrink(steps, lambda part: fails(part, swarm.resting_max))
        story = "\n".join(f"  {step.message}" for step in shortest)
        pytest.fail(
            f"seed {seed}: {divergence}\n\nshortest history that fails:\n{story}\n"
            f"  {shortest[-1].probe}\n  {reason(shortest, swarm.resting_max)}\n\nrun it again:\n"
            f"  PORTAL_FIRST_SEED={seed} PORTAL_SEEDS=1 PORTAL_STEPS={STEPS} pytest {__file__}",
            pytrace=False,
        )


def run(steps: list[Step], resting_max: int) -> Counter[str]:
    """Feed a history to the oracle and the fast book in lockstep; raises Divergence."""
    books: tuple[PlainBook, PlainBook] = ReferenceBook(), FastBook()
    lockstep = Lockstep(*books, resting_max)
    for step in steps:
        lockstep.step(step)
    return lockstep.marks


def reason(steps: list[Step], resting_max: int) -> str | None:
    """Why a history fails, None when it does not."""
    try:
        run(steps, resting_max)
    except Divergence as divergence:
        return str(divergence)
    return None


def fails(steps: list[Step], resting_max: int) -> bool:
    return reason(steps, resting_max) is not None
