"""Which feed an instrument follows: rules P1 to P5 of docs/feeds.md."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from marketdata.domain.provider_chain import RETURN_AFTER_NS, Change, ProviderChain, Route

LIMIT_NS = 5 * SECOND
START_NS = 1_000 * SECOND


def chain(*feeds: str) -> ProviderChain:
    return ProviderChain({"AAPL": [Route(feed, LIMIT_NS) for feed in feeds]}, START_NS)


def offer(asked: ProviderChain, feed: str, seconds: float) -> bool:
    """A tick of `feed` that happens and comes so many seconds after the start."""
    at_ns = START_NS + int(seconds * SECOND)
    return asked.offer(feed, "AAPL", at_ns, at_ns)


def test_best_feed_is_followed_from_its_first_tick() -> None:
    asked = chain("first", "second")

    assert asked.feed_of("AAPL") is None
    assert offer(asked, "first", 0) is True
    assert offer(asked, "second", 0.1) is False
    assert asked.feed_of("AAPL") == "first"
    assert asked.changes == [Change("AAPL", "", "first", START_NS)]


def test_second_feed_waits_at_the_start_as_long_as_the_first_may_be_silent() -> None:
    asked = chain("first", "second")

    assert offer(asked, "second", 5) is False
    assert offer(asked, "second", 5.1) is True


def test_silent_feed_is_left_after_its_limit_and_not_before() -> None:
    asked = chain("first", "second")
    offer(asked, "first", 0)

    assert offer(asked, "second", 5) is False
    assert offer(asked, "second", 5.1) is True
    assert [(change.before, change.now) for change in asked.changes] == [
        ("", "first"),
        ("first", "second"),
    ]


def test_third_feed_waits_for_the_second() -> None:
    asked = chain("first", "second", "third")
    offer(asked, "first", 0)
    offer(asked, "second", 3)

    assert offer(asked, "third", 6) is False
    assert offer(asked, "second", 6) is True
    assert offer(asked, "third", 11.1) is True


def test_better_feed_is_followed_again_when_it_has_told_for_a_while() -> None:
    asked = chain("first", "second")
    offer(asked, "first", 0)
    offer(asked, "second", 6)

    answers = []
    for second in range(7, 19):
        offer(asked, "second", second)
        answers.append(offer(asked, "first", second + 0.5))

    assert answers == [False] * 10 + [True, True]
    assert RETURN_AFTER_NS == 10 * SECOND


def test_better_feed_that_pauses_again_begins_its_while_anew() -> None:
    asked = chain("first", "second")
    offer(asked, "first", 0)
    for second in range(6, 40):
        offer(asked, "second", second)
        if second in {7, 8, 9, 16, 17, 18, 19, 20}:
            assert offer(asked, "first", second + 0.5) is False


def test_better_feed_is_followed_at_once_when_the_worse_one_falls_silent() -> None:
    asked = chain("first", "second")
    offer(asked, "first", 0)
    offer(asked, "second", 6)

    assert offer(asked, "first", 10) is False
    assert offer(asked, "first", 11.1) is True


def test_change_never_goes_back_in_time() -> None:
    asked = chain("first", "second")
    offer(asked, "first", 0)

    late_ns = START_NS + 6 * SECOND
    assert asked.offer("second", "AAPL", START_NS - 1, late_ns) is False
    assert asked.offer("second", "AAPL", START_NS, late_ns) is True
    # A late trade of the feed that is followed now, from before the change, belongs to the other.
    assert asked.offer("second", "AAPL", START_NS - 1, late_ns) is False


def test_late_tick_of_the_followed_feed_stays_followed() -> None:
    asked = chain("first")
    offer(asked, "first", 3)

    assert asked.offer("first", "AAPL", START_NS, START_NS + 3 * SECOND) is True


def test_feed_that_was_away_must_tell_for_a_while_again() -> None:
    asked = chain("first", "second")
    offer(asked, "first", 0)
    for second in range(6, 12):
        offer(asked, "second", second)
        offer(asked, "first", second)
    asked.lose("first")
    for second in range(12, 18):
        offer(asked, "second", second)

        assert offer(asked, "first", second) is False


def test_feed_without_a_route_is_never_followed() -> None:
    asked = chain("first")

    assert offer(asked, "stranger", 100) is False
    assert asked.offer("first", "IBM", START_NS, START_NS) is False


ticks = st.lists(
    st.tuples(
        st.sampled_from(("first", "second", "third")),
        st.integers(0, 6),
        st.integers(-3, 0),
    ),
    max_size=80,
)


@given(ticks)
def test_feeds_never_mix_and_a_change_never_goes_back(
    told: list[tuple[str, int, int]],
) -> None:
    asked = chain("first", "second", "third")
    now, newest, followed = 0, 0, ""
    for feed, wait, lag in told:
        now += wait
        t_ns = START_NS + (now + lag) * SECOND
        before = asked.feed_of("AAPL")
        if not asked.offer(feed, "AAPL", t_ns, START_NS + now * SECOND):
            assert asked.feed_of("AAPL") == before
            continue
        assert asked.feed_of("AAPL") == feed
        if feed != followed:
            assert t_ns >= newest
            followed = feed
        newest = max(newest, t_ns)
    changes = asked.changes
    assert all(one.now == later.before for one, later in pairwise(changes))
