"""Ids that come from another id: the same each time, different from one another, of its time."""

from core.domain.ids import derived_id, new_id

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
