"""Changes of a depth ladder: whatever happened, they lead to the state that was published."""

from random import Random

from marketdata.domain.ladders import (
    DeltaData,
    LadderData,
    TextLevel,
    applied,
    changes_between,
    checksum,
    merged,
)

EMPTY = LadderData([], [], "")


def some_levels(random: Random, *, is_bid: bool) -> list[TextLevel]:
    prices = sorted(random.sample(range(1, 60), random.randrange(0, 51)), reverse=is_bid)
    return [(f"{price / 4:g}", f"{random.randrange(1, 5) / 2:g}") for price in prices]


def history(random: Random, length: int) -> list[LadderData]:
    return [
        LadderData(some_levels(random, is_bid=True), some_levels(random, is_bid=False), str(number))
        for number in range(length)
    ]


def delta(number: int, old: LadderData, new: LadderData) -> DeltaData:
    return DeltaData(number, changes_between(old, new), checksum(new.bids, new.asks), new.t)


def test_snapshot_and_deltas_equal_a_fresh_snapshot_for_any_history() -> None:
    for seed in range(200):
        random = Random(seed)
        states = history(random, 12)
        deltas = [delta(n, states[n], states[n + 1]) for n in range(11)]
        start = random.randrange(11)

        one_by_one: LadderData | None = states[start]
        for change in deltas[start:]:
            assert one_by_one is not None
            one_by_one = applied(one_by_one, change)

        assert one_by_one == states[-1]
        assert applied(states[start], merged(deltas[start:])) == states[-1]
        assert merged(deltas[start:]).base == start


def test_a_delta_on_another_state_is_noticed() -> None:
    before = LadderData([("99", "1")], [("101", "1")], "1")
    other = LadderData([("99", "1"), ("98", "2")], [("101", "1")], "1")
    after = LadderData([("99.5", "1")], [("101", "1")], "2")

    change = delta(1, before, after)

    assert change.changes == [("b", "99", "0"), ("b", "99.5", "1")]
    assert applied(before, change) == after
    assert applied(other, change) is None


def test_the_checksum_is_of_the_text_that_travels() -> None:
    # crc32(b"99.5:1,99:2|100:3") by another program: `printf ... | gzip -c | tail -c8 | od -t u4`.
    assert checksum([("99.5", "1"), ("99", "2")], [("100", "3")]) == 1_513_795_581
    assert checksum([], []) == 2_343_686_810
