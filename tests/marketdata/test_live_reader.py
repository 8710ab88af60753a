"""The reader's rules, told as stories that the pages' reader passes too (live_reader.json)."""

import json
from pathlib import Path
from typing import Any

import pytest

from marketdata.domain.live_reader import LATE_FEED_MS, LiveReader
from orders.domain.matching.street import STREET_TTL_NS

STORIES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("live_reader.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("story", [pytest.param(story, id=story["name"]) for story in STORIES])
def test_story(story: dict[str, Any]) -> None:
    reader = LiveReader()
    now = 0
    for step in story["steps"]:
        now = step.get("at", now)
        said: list[dict[str, Any]] = []
        if "want" in step:
            said = reader.want(*step["want"])
        elif "open" in step:
            said = reader.opened(now)
        elif "lost" in step:
            reader.lost()
        elif "take" in step:
            said = reader.take(step["take"], now)

        assert said == step.get("says", []), step
        for topic, standing in step.get("standings", {}).items():
            assert reader.standing(topic, now) == standing, step
        for topic, data in step.get("data", {}).items():
            assert json.loads(json.dumps(reader.data(topic))) == data, step


def test_readers_believe_a_feed_as_long_as_the_engine_does() -> None:
    assert LATE_FEED_MS * 1_000_000 == STREET_TTL_NS
