"""kill -9 of every process of a whole portal, one after another, while programs trade over HTTP."""

from collections import Counter
from typing import Any

import pytest

from tests.faults.harms import VICTIMS, kill_amid_requests
from tests.faults.programs import (
    in_flight,
    judge_programs,
    programs_trading,
    wait_until_acknowledged,
    wait_until_ready,
)
from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]


def test_every_process_may_be_killed_under_load_and_nothing_is_lost(
    live_portal: LivePortal,
    record_property: Any,  # Any: pytest's function
) -> None:
    assert {service["name"] for service in live_portal.status()["services"]} == set(VICTIMS)
    met: dict[str, int] = {}

    with programs_trading(live_portal) as programs:
        for name in VICTIMS:
            before = in_flight(programs)
            kill_amid_requests(live_portal, name, programs)
            wait_until_ready(live_portal)
            wait_until_acknowledged(programs)
            met[name] = in_flight(programs) - before

        answers = sum((program.answers for program in programs), Counter())
        record_property("answers", dict(answers))  # a plain dict: xdist carries no other mapping
        record_property("met", met)
        assert sum(met.values()) > 0, "no kill met a request on its way: the test has shown nothing"
        judge_programs(live_portal, programs)
