"""The picture of an order's life: where lanes, steps and marks stand."""

from decimal import Decimal

from orders.domain.picture import LANE_HEIGHT, Box, Life, Moment, draw

SECOND = 10**9


def life(*moments: Moment, start: int = 0, end: int | None = None) -> Life:
    return Life("x", True, start * SECOND, None if end is None else end * SECOND, moments)


def moment(at: int, kind: str = "fill", filled: str = "0") -> Moment:
    return Moment(at * SECOND, kind, kind, Decimal(filled))


def test_time_runs_over_the_whole_width() -> None:
    lane = draw([life(moment(0, "begin"), moment(5), moment(10, "end"), end=10)], 99).lanes[0]

    assert [mark.x for mark in lane.marks] == ["1.2%", "50.0%", "98.8%"]
    assert (lane.bar.x, lane.bar.width) == ("1.2%", "97.6%")


def test_an_open_order_reaches_to_now() -> None:
    lanes = draw([life(end=5), life(start=5)], 10 * SECOND).lanes

    assert [(lane.bar.x, lane.bar.width, lane.is_open) for lane in lanes] == [
        ("1.2%", "48.8%", False),
        ("50.0%", "48.8%", True),
    ]
    assert lanes[1].bar.y - lanes[0].bar.y == LANE_HEIGHT


def test_what_has_filled_stands_as_high_as_its_share() -> None:
    moments = [moment(0, "begin"), moment(2, filled="0.5"), moment(6, filled="1")]

    filled = draw([life(*moments, end=10)], 0).lanes[0].filled

    assert filled == [Box("20.7%", "39.0%", 31, 7), Box("59.7%", "39.1%", 24, 14)]


def test_marks_of_one_instant_stand_apart_in_their_order() -> None:
    lane = draw([life(moment(0, "begin"), moment(0, filled="1"), end=0)], 0).lanes[0]

    assert [(mark.kind, mark.x) for mark in lane.marks] == [("begin", "1.2%"), ("fill", "4.2%")]
    assert lane.bar.width == "3.0%"


def test_marks_that_crowd_at_the_end_stay_within_the_picture() -> None:
    crowd = [moment(0, "begin"), moment(100), moment(100), moment(100, "end")]

    lane = draw([life(*crowd, end=100)], 0).lanes[0]

    assert [mark.x for mark in lane.marks] == ["1.2%", "92.8%", "95.8%", "98.8%"]
