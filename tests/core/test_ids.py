"""Ids that come from another id: the same each time, different from one another, of its time."""

import os

import pytest

from core.domain.ids import RANDOM_BYTES, derived_id, new_id, random_bytes

NOW_NS = 1_772_465_400_000_000_000


def test_derived_ids_are_the_same_each_time_and_differ_from_one_another() -> None:
    base = new_id(NOW_NS)

    derived = [derived_id(base, number) for number in range(50)]

    assert derived == [derived_id(base, number) for number in range(50)]
    assert len(set(derived)) == 50
    assert derived[0] == base


def test_derived_ids_keep_version_variant_and_time() -> None:
    base = new_id(NOW_NS)

    derived = [derived_id(base, number) for number in range(200)]

    assert {(item.version, item.variant) for item in derived} == {(7, base.variant)}
    assert {item.int >> 80 for item in derived} == {NOW_NS // 1_000_000}


def test_ids_of_different_bases_differ() -> None:
    first, second = new_id(NOW_NS), new_id(NOW_NS)

    assert not {derived_id(first, number) for number in range(50)} & {
        derived_id(second, number) for number in range(50)
    }


def test_random_bytes_never_come_twice() -> None:
    drawn = [random_bytes() for _ in range(2_000)]

    assert {len(each) for each in drawn} == {RANDOM_BYTES}
    assert len(set(drawn)) == len(drawn)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_draws_other_bytes() -> None:
    random_bytes()  # so that there are some that both could give
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(random_bytes() for _ in range(100)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)

    ours = {random_bytes() for _ in range(300)}
    assert len(theirs) == 100 * RANDOM_BYTES
    starts = range(0, len(theirs), RANDOM_BYTES)
    assert not ours & {theirs[start : start + RANDOM_BYTES] for start in starts}
