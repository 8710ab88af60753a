"""Runs a relay by hand, as far as the log reaches.

Other databases of a shared test server may hold transactions open for a moment, and the log is read
only up to the oldest: so wait for it instead of stepping once.
"""

import time

from core.selectors.outbox import is_behind
from tradeportal.relay import READER, Relay, Step

PATIENCE_SECONDS = 60


def drain(relay: Relay, reader: str = READER) -> list[Step]:
    """Step until nothing stands behind the reader; the steps that did something."""
    steps: list[Step] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_behind(reader):
        assert time.monotonic() < deadline, "the relay does not get through the log"
        step = relay.step()
        if step in {Step.ADVANCED, Step.FAILED}:
            steps.append(step)
        else:
            time.sleep(0.02)
    return steps
