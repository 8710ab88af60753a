"""Same commands, same effects, byte for byte: whatever the process, the hashing and the batches."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from orders.engine.core import Core
from orders.engine.writer import _event_rows, _hold_rows
from tests.properties.ledger_lockstep import state_for
from tests.simulation.dump import dump
from tests.simulation.floor import START_NS
from tests.simulation.market_swarm import MarketSwarm

STEPS = 400
ROOT = Path(__file__).parents[2]


def fingerprint(seed: int) -> str:
    """A hash of every reply, row and event that the seed's history leads to, in their order."""
    swarm = MarketSwarm(seed, START_NS)
    core = Core(state_for(swarm))
    found = hashlib.sha256()
    for timed in swarm.history(STEPS):
        if timed.is_new_batch:
            core.begin_batch()
        reply = core.apply(timed.command, timed.now_ns)
        changes = core.changes
        payloads = [msgspec.json.encode(event).decode() for _, event in changes.events]
        rows = (
            [str(order) for order in (*changes.new_orders, *changes.changed_orders)],
            changes.executions,
            changes.transfers,
            list(changes.balances),
            list(changes.positions),
            _hold_rows(changes),
            _event_rows(changes, payloads, timed.now_ns),
        )
        found.update(msgspec.json.encode(reply) + repr(rows).encode())
    found.update(repr(dump(core.state)).encode())
    return found.hexdigest()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_history_has_one_outcome(seed: int) -> None:
    assert fingerprint(seed) == fingerprint(seed)


def test_outcome_does_not_depend_on_the_process() -> None:
    code = "from tests.orders.test_determinism import fingerprint; print(fingerprint(7))"
    outcomes = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }

    assert outcomes == {fingerprint(7)}


def test_batches_do_not_change_what_comes_out() -> None:
    swarm = MarketSwarm(5, START_NS)
    history = list(swarm.history(STEPS))
    states = []
    for size in (1, 7, STEPS * 2):
        core = Core(state_for(swarm))
        for number, timed in enumerate(history):
            if number % size == 0:
                core.begin_batch()
            core.apply(timed.command, timed.now_ns)
        states.append(dump(core.state))

    assert states[0] == states[1] == states[2]
