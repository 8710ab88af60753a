"""A reader that chose an interval: states at most once in it, facts together, nothing lost."""

import asyncio

from marketdata.domain.live_requests import Wish
from marketdata.domain.pacing import INTERVALS_MS, is_interval, next_end
from marketdata.hub import Hub
from tests.marketdata.sockets import Publisher, attached, until, with_hub
from tests.marketdata.valkey import ValkeyServer

QUOTE = "quote:AAPL"
TRADE = "trade:AAPL"
SLOW = Wish(every_ms=500)


def halves(seconds: float) -> int:
    """Ends of SLOW's intervals until then."""
    return int(seconds * 2)


def test_an_interval_ends_within_its_length_and_is_everybodys() -> None:
    assert [is_interval(every) for every in (0, 50, 250, 10_000)] == [True] * 4
    assert [is_interval(every) for every in (1, 49, 251, 60_000, -50)] == [False] * 5
    for every in INTERVALS_MS:
        for now in (0.0, 12.3456, 86_399.999):
            assert 0 < next_end(now, every) - now <= every / 1000 + 1e-9
            assert next_end(now, every) * 1000 % every < 1e-3


def test_a_paced_state_is_the_newest_at_the_end_of_each_interval(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        each, paced = attached(hub), attached(hub)
        hub.subscribe(each.listener, QUOTE)
        hub.subscribe(paced.listener, QUOTE, SLOW)
        await until(lambda: bool(each.of(QUOTE) and paced.of(QUOTE)))
        began = halves(asyncio.get_running_loop().time())

        for seq in range(1, 121):
            await publisher.state(QUOTE, seq, {"bid": str(seq)})
            await asyncio.sleep(0.01)
        await until(lambda: paced.told(QUOTE)[-1] == ("event", 120))

        seqs = [seq for _, seq in paced.told(QUOTE)]
        assert seqs == sorted(set(seqs))
        # At most one message at the end of each interval.
        assert len(seqs) - 1 <= halves(asyncio.get_running_loop().time()) - began
        told_each = [seq for _, seq in each.told(QUOTE)]
        assert told_each == sorted(set(told_each))
        assert len(told_each) > len(seqs)
        assert paced.of(QUOTE)[-1] == each.of(QUOTE)[-1]

    with_hub(valkey.url, scenario)


def test_the_last_state_arrives_though_nothing_follows_it(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, QUOTE, SLOW)
        await until(lambda: bool(socket.of(QUOTE)))

        await publisher.state(QUOTE, 1, {"bid": "1"})
        await publisher.state(QUOTE, 2, {"bid": "2"})
        await until(lambda: socket.told(QUOTE)[-1] == ("event", 2))
        await asyncio.sleep(1.2)

        assert socket.told(QUOTE)[-1] == ("event", 2)
        assert len(socket.told(QUOTE)) <= 3  # two intervals may have begun between the two

    with_hub(valkey.url, scenario)


def test_paced_facts_come_together_all_of_them_in_order(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, TRADE, SLOW)
        await until(lambda: bool(socket.of(TRADE)))

        for seq in range(1, 601):
            await publisher.trade(TRADE, seq)
        await until(lambda: socket.told(TRADE)[-1][1] == 600)

        frames = socket.of(TRADE)
        assert frames[0]["op"] == "snapshot"
        ids: list[int] = []
        for frame in frames[1:]:
            data = frame["data"] if frame["op"] == "events" else [frame["data"]]
            assert frame["seq"] - frame.get("first", frame["seq"]) == len(data) - 1
            ids += [trade["id"] for trade in data]
        assert ids == list(range(1, 601))
        assert len(frames) < 100

    with_hub(valkey.url, scenario)


def test_who_joins_late_gets_nothing_twice(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        async def publish() -> None:
            for seq in range(1, 401):
                await publisher.trade(TRADE, seq)

        publishing = asyncio.create_task(publish())
        sockets = []
        while not publishing.done():
            socket = attached(hub)
            hub.subscribe(socket.listener, TRADE, Wish(every_ms=50))
            sockets.append(socket)
            await asyncio.sleep(0.01)
        await until(lambda: all(s.told(TRADE) and s.told(TRADE)[-1][1] == 400 for s in sockets))

        assert len(sockets) > 3
        for socket in sockets:
            snapshot, *frames = socket.of(TRADE)
            seqs: list[int] = []
            for frame in frames:
                seqs += range(frame.get("first", frame["seq"]), frame["seq"] + 1)
            assert seqs == list(range(snapshot["seq"] + 1, 401))

    with_hub(valkey.url, scenario)


def test_a_gap_leads_paced_readers_to_a_snapshot(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, TRADE, Wish(every_ms=50))
        await until(lambda: bool(socket.of(TRADE)))

        await publisher.trade(TRADE, 1)
        await until(lambda: socket.told(TRADE)[-1] == ("event", 1))
        await publisher.trade(TRADE, 2, is_lost=True)
        await publisher.trade(TRADE, 3)
        await until(lambda: socket.told(TRADE)[-1] == ("snapshot", 3))
        await publisher.trade(TRADE, 4)
        await until(lambda: socket.told(TRADE)[-1] == ("event", 4))

        assert socket.told(TRADE) == [
            ("snapshot", 0),
            ("event", 1),
            ("snapshot", 3),
            ("event", 4),
        ]

    with_hub(valkey.url, scenario)


def test_a_new_choice_replaces_the_old_one(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, QUOTE, Wish(every_ms=10_000))
        await until(lambda: bool(socket.of(QUOTE)))
        hub.subscribe(socket.listener, QUOTE)
        await until(lambda: len(socket.of(QUOTE)) == 2)

        await publisher.state(QUOTE, 1, {"bid": "1"})
        await until(lambda: socket.told(QUOTE)[-1] == ("event", 1))
        hub.unsubscribe(socket.listener, QUOTE)
        await publisher.state(QUOTE, 2, {"bid": "2"})
        await asyncio.sleep(0.1)

        assert socket.told(QUOTE) == [("snapshot", 0), ("snapshot", 0), ("event", 1)]

    with_hub(valkey.url, scenario)
