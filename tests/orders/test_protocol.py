"""Frames on the engine's socket: read however they are cut, refused when they are none of ours."""

from decimal import Decimal
from uuid import UUID

import pytest

from orders.domain import commands
from orders.domain.values import OrderType, Side, TimeInForce
from orders.engine.protocol import (
    MAX_FRAME_BYTES,
    FrameBuffer,
    FrameError,
    decode_command,
    encode,
)
from tests.orders.broken_frames import BROKEN, ID


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frame_is_refused(name: str) -> None:
    with pytest.raises(FrameError):
        for frame in FrameBuffer().feed(BROKEN[name]):
            decode_command(frame)


def test_frame_is_read_however_it_is_cut() -> None:
    command = commands.CancelAllOrders(7, "r")
    data = encode(1, command) + encode(2, command)

    for size in (1, 2, 3, 5, 7, 1000):
        buffer, found = FrameBuffer(), []
        for start in range(0, len(data), size):
            found += [decode_command(frame) for frame in buffer.feed(data[start : start + size])]
        assert found == [(1, command), (2, command)]


def test_frame_may_be_as_large_as_its_bound() -> None:
    size = MAX_FRAME_BYTES.to_bytes(4, "big")

    assert [len(frame) for frame in FrameBuffer().feed(size + bytes(MAX_FRAME_BYTES))] == [
        MAX_FRAME_BYTES
    ]
    with pytest.raises(FrameError):
        list(FrameBuffer(MAX_FRAME_BYTES - 1).feed(size))


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1E41", "1E-41", "0." + "1" * 41])
def test_command_with_an_unworkable_number_cannot_be_made(number: str) -> None:
    with pytest.raises(ValueError, match="a number is"):
        commands.PrintStreetTrade("AAPL", Decimal(number), Decimal(1), Side.BUY)


def test_values_travel_unchanged() -> None:
    command = commands.SubmitOrder(
        order_id=UUID(ID),
        account_id=1,
        symbol="BTC/USD",
        client_order_id="ü 😀",
        side=Side.SELL,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.FOK,
        quantity=Decimal("0.0001"),
        limit_price=Decimal("100.10"),
        submitted_by_id=5,
        request_id="r",
    )

    assert decode_command(encode(9, command)[4:]) == (9, command)
