"""Depth topics: changes that lead from state to state, the same for every reader."""

import asyncio
from random import Random
from typing import Any

import msgspec

from marketdata.domain.ladders import DeltaData, LadderData, applied, checksum
from marketdata.domain.live_requests import Position, Wish
from marketdata.hub import Hub
from tests.marketdata.sockets import FakeSocket, Publisher, attached, until, with_hub
from tests.marketdata.valkey import ValkeyServer

DEPTH = "depth:AAPL"


def ladder(random: Random, t: str) -> dict[str, Any]:
    """Some of many prices, so that levels come, change and go."""
    bids = sorted(random.sample(range(80, 100), 8), reverse=True)
    asks = sorted(random.sample(range(100, 120), 8))
    return {
        "bids": [(f"{price}.5", str(random.randrange(1, 4))) for price in bids],
        "asks": [(f"{price}.5", str(random.randrange(1, 4))) for price in asks],
        "t": t,
    }


def followed(socket: FakeSocket) -> LadderData:
    """The ladder that the socket's reader has now; every step was checked."""
    state = LadderData([], [], "")
    position = -1
    for frame in socket.of(DEPTH):
        data = frame["data"]
        if frame["op"] == "snapshot" and data is not None:
            state = msgspec.convert(data, LadderData)
            assert checksum(state.bids, state.asks) == data["checksum"]
        elif frame["op"] == "event":
            delta = msgspec.convert(data, DeltaData)
            assert delta.base == position
            after = applied(state, delta)
            assert after is not None
            state = after
        position = frame["seq"]
    return state


def test_snapshot_and_changes_give_what_was_published_at_any_pace(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        random = Random(4)
        states = [ladder(random, str(n)) for n in range(1, 201)]
        await publisher.state(DEPTH, 1, states[0])
        sockets = []
        for number in range(2, 201):
            if number % 40 == 0:
                sockets += [attached(hub), attached(hub)]
                hub.subscribe(sockets[-2].listener, DEPTH)
                hub.subscribe(sockets[-1].listener, DEPTH, Wish(every_ms=50))
                await asyncio.sleep(0.03)
            await publisher.state(DEPTH, number, states[number - 1])
        await until(
            lambda: all(s.told(DEPTH)[-1:] and s.told(DEPTH)[-1][1] == 200 for s in sockets)
        )

        last = msgspec.convert(states[-1], LadderData)
        assert [followed(socket) for socket in sockets] == [last] * len(sockets)
        assert len(sockets[1].frames) < len(sockets[0].frames)
        for socket in sockets:
            assert [op for op, _ in socket.told(DEPTH)].count("snapshot") == 1

    with_hub(valkey.url, scenario)


def test_a_new_engine_begins_with_a_snapshot(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        random = Random(5)
        socket = attached(hub)
        hub.subscribe(socket.listener, DEPTH)
        await until(lambda: bool(socket.of(DEPTH)))
        assert socket.of(DEPTH)[0]["data"] is None

        await publisher.state(DEPTH, 8, ladder(random, "a"))
        await until(lambda: socket.told(DEPTH)[-1] == ("snapshot", 8))
        await publisher.state(DEPTH, 9, ladder(random, "b"))
        await until(lambda: socket.told(DEPTH)[-1] == ("event", 9))
        publisher.epoch = "e2"
        newest = ladder(random, "c")
        await publisher.state(DEPTH, 1, newest)
        await until(lambda: socket.told(DEPTH)[-1] == ("snapshot", 1))

        assert followed(socket) == msgspec.convert(newest, LadderData)

    with_hub(valkey.url, scenario)


def test_a_reader_of_depth_goes_on_where_it_stood(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        random = Random(6)
        await publisher.state(DEPTH, 1, ladder(random, "1"))
        stays = attached(hub)
        hub.subscribe(stays.listener, DEPTH)
        await until(lambda: bool(stays.of(DEPTH)))
        for number in range(2, 8):
            await publisher.state(DEPTH, number, ladder(random, str(number)))
            await until(lambda: stays.told(DEPTH)[-1][1] == number)  # noqa: B023
        back, lost = attached(hub), attached(hub)

        hub.subscribe(back.listener, DEPTH, Wish(since=Position("e1", 4)))
        hub.subscribe(lost.listener, DEPTH, Wish(since=Position("e0", 4)))
        await until(lambda: back.told(DEPTH)[-1:] == [("event", 7)] and bool(lost.of(DEPTH)))

        assert back.told(DEPTH) == [("resumed", 4), ("event", 5), ("event", 6), ("event", 7)]
        assert back.frames[1:] == stays.frames[-3:]
        assert lost.told(DEPTH) == [("snapshot", 7)]
        assert followed(lost) == followed(stays)

    with_hub(valkey.url, scenario)
