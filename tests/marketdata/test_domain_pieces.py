"""Small rules: numbering, conflation, topics and timeframes."""

import pytest

from marketdata.domain.conflation import ConflatingQueue
from marketdata.domain.sequence import SequenceCheck, Step
from marketdata.domain.timeframes import parse_timeframe
from marketdata.domain.topics import Topic, parse_topic


def test_numbers_tell_old_next_and_missing() -> None:
    check = SequenceCheck()

    steps = [check.take("a", 5), check.take("a", 6), check.take("a", 6), check.take("a", 8)]

    assert steps == [Step.NEXT, Step.NEXT, Step.OLD, Step.GAP]


def test_new_epoch_is_a_gap_whatever_its_number() -> None:
    check = SequenceCheck()
    check.take("a", 5)

    assert check.take("b", 1) is Step.GAP
    assert check.take("b", 2) is Step.NEXT


def test_newest_state_keeps_the_place_of_the_first() -> None:
    queue: ConflatingQueue[str] = ConflatingQueue(limit=10)
    queue.put_state("quote", "old")
    queue.put_log("fact")
    queue.put_state("quote", "new")

    assert [queue.pop(), queue.pop()] == ["new", "fact"]
    assert queue.conflated == 1
    assert len(queue) == 0


def test_full_line_refuses_facts_but_takes_states() -> None:
    queue: ConflatingQueue[str] = ConflatingQueue(limit=2)

    assert [queue.put_log(text) for text in ("a", "b", "c")] == [True, True, False]
    queue.put_state("quote", "state")

    assert [queue.pop() for _ in range(3)] == ["a", "b", "state"]
    assert queue.put_log("d") is True


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("quote:AAPL", Topic("quote", "AAPL")),
        ("book:BTC/USD", Topic("book", "BTC/USD")),
        ("bar:BTC/USD:1Min", Topic("bar", "BTC/USD", "1Min")),
        ("bar:AAPL:1Sec", Topic("bar", "AAPL", "1Sec")),
        ("bar:AAPL:1Day", Topic("bar", "AAPL", "1Day")),
        ("bar:AAPL:5Min", None),
        ("bar:AAPL", None),
        ("quote", None),
        ("quote:", None),
        (":AAPL", None),
        ("quote:" + "A" * 100, None),
    ],
)
def test_topic_names(text: str, topic: Topic | None) -> None:
    assert parse_topic(text) == topic


@pytest.mark.parametrize(
    ("spelling", "meaning"),
    [
        ("1Min", "1Min"),
        ("1min", "1Min"),
        ("5T", "5Min"),
        ("1H", "1Hour"),
        ("1Hour", "1Hour"),
        ("1D", "1Day"),
        ("1W", "1Week"),
        ("1w", "1Week"),
        ("1M", "1Month"),
        ("3Month", "3Month"),
        ("1m", None),
        ("0Min", None),
        ("60Min", None),
        ("2Day", None),
        ("5Month", None),
        ("Min", None),
        ("١Min", None),
    ],
)
def test_timeframe_spellings(spelling: str, meaning: str | None) -> None:
    timeframe = parse_timeframe(spelling)

    assert (str(timeframe) if timeframe else None) == meaning
