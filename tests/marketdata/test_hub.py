"""The hub between Redis and the sockets: order, pace, gaps and reconnection, on a real Valkey."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from redis.exceptions import TimeoutError as RedisTimeoutError

from marketdata.domain.frames import event_frame
from marketdata.hub import QUEUE_LIMIT, TOPIC_LIMIT, Hub, Outgoing, TooManyTopicsError
from marketdata.hub.listener import STUCK_SECONDS
from tests.marketdata.sockets import PREFIX, FakeSocket, Publisher, attached, until, with_hub
from tests.marketdata.valkey import ValkeyServer

QUOTE = "quote:AAPL"
TRADE = "trade:AAPL"


def test_snapshot_comes_first_and_events_are_forwarded_byte_for_byte(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        await publisher.state(QUOTE, 7, {"bid": "1"})
        socket = attached(hub)

        hub.subscribe(socket.listener, QUOTE)
        await until(lambda: len(socket.of(QUOTE)) == 1)
        sent = await publisher.state(QUOTE, 8, {"bid": "2"})
        await until(lambda: len(socket.of(QUOTE)) == 2)

        assert socket.of(QUOTE)[0] == {
            "op": "snapshot",
            "topic": QUOTE,
            "epoch": "e1",
            "seq": 7,
            "data": {"bid": "1"},
        }
        assert socket.frames[-1].encode() == sent

    with_hub(valkey.url, scenario)


def test_topic_without_a_past_starts_with_an_empty_snapshot(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)

        hub.subscribe(socket.listener, QUOTE)
        hub.subscribe(socket.listener, TRADE)
        await until(lambda: len(socket.frames) >= 2)

        assert socket.of(QUOTE)[0]["data"] is None
        assert socket.of(TRADE)[0]["data"] == {"trades": []}

    with_hub(valkey.url, scenario)


def test_trade_snapshot_holds_the_newest_first(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        for seq in (1, 2, 3):
            await publisher.trade(TRADE, seq)
        socket = attached(hub)

        hub.subscribe(socket.listener, TRADE)
        await until(lambda: bool(socket.of(TRADE)))

        snapshot = socket.of(TRADE)[0]
        assert snapshot["seq"] == 3
        assert snapshot["data"] == {"trades": [{"id": 3}, {"id": 2}, {"id": 1}]}

    with_hub(valkey.url, scenario)


def test_redis_is_asked_once_per_topic_and_left_when_nobody_listens(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        first, second = attached(hub), attached(hub)

        hub.subscribe(first.listener, QUOTE)
        hub.subscribe(second.listener, QUOTE)
        await until(lambda: bool(first.of(QUOTE) and second.of(QUOTE)))

        assert await publisher.redis.pubsub_numsub(PREFIX + QUOTE) == [
            ((PREFIX + QUOTE).encode(), 1)
        ]

        hub.detach(first.listener)
        hub.unsubscribe(second.listener, QUOTE)
        async with asyncio.timeout(60):
            while await publisher.redis.pubsub_channels():
                await asyncio.sleep(0.01)

    with_hub(valkey.url, scenario)


def test_slow_reader_gets_the_newest_state_and_holds_up_nobody(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        slow, fast = attached(hub), attached(hub)
        for socket in (slow, fast):
            hub.subscribe(socket.listener, QUOTE)
        await until(lambda: bool(slow.of(QUOTE) and fast.of(QUOTE)))
        slow.stop_reading()

        for seq in range(1, 101):
            await publisher.state(QUOTE, seq, {"bid": str(seq)})
            # Two at once would be conflated before they reach any socket.
            await until(lambda: fast.told(QUOTE)[-1] == ("event", seq))  # noqa: B023 - at once
        assert slow.told(QUOTE) == [("snapshot", 0)]
        slow.read_on()
        await until(lambda: bool(slow.told(QUOTE)) and slow.told(QUOTE)[-1] == ("event", 100))

        # The one whose send was waiting, and the newest: all between were conflated.
        assert slow.told(QUOTE) == [("snapshot", 0), ("event", 1), ("event", 100)]

    with_hub(valkey.url, scenario)


def test_finished_frames_give_way_to_sends_while_a_reader_is_slow(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket, twin = FakeSocket(takes_frames=True), FakeSocket(takes_frames=True)
        for each in (socket, twin):
            hub.attach(each.listener)
            hub.subscribe(each.listener, QUOTE)
        await until(lambda: len(socket.finished) == len(twin.finished) == 1)
        first = await publisher.state(QUOTE, 1, {"bid": "1"})
        await until(lambda: len(socket.finished) == len(twin.finished) == 2)
        socket.stop_reading()

        for seq in range(2, 11):
            await publisher.state(QUOTE, seq, {"bid": str(seq)})
            await until(lambda: len(twin.finished) == seq + 1)  # noqa: B023 - at once
        socket.read_on()
        await until(lambda: socket.told(QUOTE) == [("event", 2), ("event", 10)])
        last = await publisher.state(QUOTE, 11, {"bid": "11"})
        await until(lambda: len(socket.finished) == 3)

        # A text frame (0x81) of less than 126 bytes, its length, and the publisher's bytes.
        assert socket.finished[1:] == [bytes([0x81, len(f)]) + f for f in (first, last)]
        assert socket.finished[1] is twin.finished[1]
        assert twin.frames == []

    with_hub(valkey.url, scenario)


def test_a_listener_counts_what_it_delivered_and_conflated() -> None:
    async def scenario() -> None:
        socket = FakeSocket()
        outgoing = Outgoing({"type": "websocket.send", "text": "{}"})
        socket.listener.put_state(QUOTE, outgoing)
        socket.stop_reading()
        for _ in range(10):  # one whose send waits, one that is kept, eight that give way to it
            socket.listener.put_state(QUOTE, outgoing)
        socket.read_on()
        await until(lambda: len(socket.frames) == 3)

        assert socket.listener.take_counts() == (3, 8)
        assert socket.listener.take_counts() == (0, 0)

    asyncio.run(scenario())


def test_overflowing_log_topic_starts_over_from_a_snapshot(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        slow = attached(hub)
        hub.subscribe(slow.listener, TRADE)
        await until(lambda: bool(slow.of(TRADE)))
        slow.stop_reading()
        count = QUEUE_LIMIT + 100

        for seq in range(1, count + 1):
            await publisher.trade(TRADE, seq)
        await until(lambda: TRADE in slow.listener.paused)
        await asyncio.sleep(0.2)
        slow.read_on()
        await until(lambda: slow.told(TRADE)[-1] == ("snapshot", count))
        await publisher.trade(TRADE, count + 1)
        await until(lambda: slow.told(TRADE)[-1] == ("event", count + 1))

        # One was being sent, QUEUE_LIMIT waited in order, the rest is told by the snapshot.
        events = [("event", seq) for seq in range(1, QUEUE_LIMIT + 2)]
        assert slow.told(TRADE) == [
            ("snapshot", 0),
            *events,
            ("snapshot", count),
            ("event", count + 1),
        ]

    with_hub(valkey.url, scenario)


def test_gap_in_a_log_topic_is_repaired_by_a_snapshot(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, TRADE)
        await until(lambda: bool(socket.of(TRADE)))

        await publisher.trade(TRADE, 1)
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
        ids = [trade["id"] for trade in socket.of(TRADE)[2]["data"]["trades"]]
        assert ids == [3, 2, 1]

    with_hub(valkey.url, scenario)


def test_message_published_twice_is_delivered_once(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, TRADE)
        await until(lambda: bool(socket.of(TRADE)))

        for seq in (1, 2, 2, 1, 3):
            await publisher.trade(TRADE, seq)
        await until(lambda: socket.told(TRADE)[-1] == ("event", 3))

        assert socket.told(TRADE) == [
            ("snapshot", 0),
            ("event", 1),
            ("event", 2),
            ("event", 3),
        ]

    with_hub(valkey.url, scenario)


def test_events_of_one_message_are_taken_line_by_line(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, TRADE)
        await until(lambda: bool(socket.of(TRADE)))
        first, second = (
            event_frame(TRADE, epoch="e1", seq=seq, data={"id": seq}) for seq in (1, 2)
        )

        await publisher.redis.publish(PREFIX + TRADE, b"\n".join([first, b"no frame", second]))
        await until(lambda: socket.told(TRADE)[-1] == ("event", 2))

        assert socket.told(TRADE) == [("snapshot", 0), ("event", 1), ("event", 2)]
        assert [frame.encode() for frame in socket.frames[-2:]] == [first, second]

    with_hub(valkey.url, scenario)


def test_joining_while_events_flow_misses_and_repeats_nothing(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        async def publish() -> None:
            for seq in range(1, 301):
                await publisher.trade(TRADE, seq)

        publishing = asyncio.create_task(publish())
        sockets = []
        while not publishing.done():
            socket = attached(hub)
            hub.subscribe(socket.listener, TRADE)
            sockets.append(socket)
            await asyncio.sleep(0.01)
        await until(lambda: all(s.told(TRADE) and s.told(TRADE)[-1][1] == 300 for s in sockets))

        assert len(sockets) > 3
        for socket in sockets:
            told = socket.told(TRADE)
            first = told[0][1]
            assert told == [("snapshot", first), *(("event", n) for n in range(first + 1, 301))]

    with_hub(valkey.url, scenario)


def test_redis_restart_gives_every_listener_a_fresh_snapshot(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, QUOTE)
        hub.subscribe(socket.listener, TRADE)
        await until(lambda: bool(socket.of(QUOTE) and socket.of(TRADE)))
        await publisher.state(QUOTE, 1, {"bid": "1"})
        await until(lambda: socket.told(QUOTE)[-1] == ("event", 1))

        valkey.kill()
        await asyncio.sleep(0.3)
        valkey.start()
        await until(lambda: len(socket.of(QUOTE)) == 3 and len(socket.of(TRADE)) == 2)
        await publisher.state(QUOTE, 2, {"bid": "2"})
        await until(lambda: socket.told(QUOTE)[-1] == ("event", 2))

        assert socket.told(QUOTE) == [
            ("snapshot", 0),
            ("event", 1),
            ("snapshot", 0),
            ("event", 2),
        ]
        assert socket.stuck_count == 0

    with_hub(valkey.url, scenario)


def test_idle_hub_outlives_the_clients_default_read_timeout(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, QUOTE)
        await until(lambda: bool(socket.of(QUOTE)))

        await asyncio.sleep(6)  # redis-py ends reads after 5 s unless told otherwise
        await publisher.state(QUOTE, 1, {"bid": "1"})
        await until(lambda: len(socket.of(QUOTE)) == 2)

        assert socket.told(QUOTE) == [("snapshot", 0), ("event", 1)]
        clients = await publisher.redis.client_list(_type="pubsub")
        assert [int(client["age"]) >= 5 for client in clients] == [True]

    with_hub(valkey.url, scenario)


def test_socket_that_takes_nothing_for_ten_seconds_is_reported_once(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, QUOTE)
        await until(lambda: bool(socket.of(QUOTE)))
        socket.stop_reading()
        await publisher.state(QUOTE, 1, {})
        await asyncio.sleep(0.1)
        now = asyncio.get_running_loop().time()

        socket.listener.check_progress(now + STUCK_SECONDS - 1)
        assert socket.stuck_count == 0
        socket.listener.check_progress(now + STUCK_SECONDS + 1)
        await asyncio.sleep(0.05)
        socket.listener.check_progress(now + STUCK_SECONDS + 2)

        assert socket.stuck_count == 1

    with_hub(valkey.url, scenario)


def test_topics_of_a_socket_are_limited(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        for number in range(TOPIC_LIMIT):
            hub.subscribe(socket.listener, f"quote:S{number}")

        with pytest.raises(TooManyTopicsError):
            hub.subscribe(socket.listener, "quote:ONE_MORE")

        assert "quote:ONE_MORE" not in socket.listener.topics

    with_hub(valkey.url, scenario)


def test_the_way_from_the_source_is_measured_once_a_message(valkey: ValkeyServer) -> None:
    def measured() -> float:
        return REGISTRY.get_sample_value("portal_tick_to_socket_seconds_count") or 0

    async def scenario(hub: Hub, publisher: Publisher) -> None:
        sockets = [attached(hub), attached(hub)]
        for socket in sockets:
            hub.subscribe(socket.listener, QUOTE)
        await until(lambda: all(socket.of(QUOTE) for socket in sockets))
        before = measured()

        frame = event_frame(QUOTE, epoch="e1", seq=1, data={"bid": "1"}, at=1_772_465_400_000_000)
        await publisher.redis.set(f"{PREFIX}latest:{QUOTE}", frame)
        await publisher.redis.publish(PREFIX + QUOTE, frame)
        await publisher.redis.publish(
            PREFIX + QUOTE, event_frame(QUOTE, epoch="e1", seq=2, data={"bid": "2"})
        )
        await until(lambda: all(len(socket.of(QUOTE)) == 3 for socket in sockets))
        late = attached(hub)
        hub.subscribe(late.listener, QUOTE)
        await until(lambda: bool(late.of(QUOTE)))

        assert measured() == before + 1
        assert late.of(QUOTE)[0]["at"] == 1_772_465_400_000_000

    with_hub(valkey.url, scenario)


def test_heartbeat_says_what_engine_and_feed_last_said(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        await publisher.redis.set(f"{PREFIX}engine:alive", "1")
        socket = attached(hub)

        await until(lambda: bool(socket.beats))

        assert '"engine":"live","feed_age_ms":null' in socket.beats[0]
        # Who comes later hears the newest at once, not within a second.
        assert attached(hub).beats == socket.beats[-1:]

    with_hub(valkey.url, scenario)


def test_a_hub_ends_though_redis_answers_the_cancellation_with_an_error(
    valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        asked = asyncio.Event()

        async def answer_late(keys: list[str]) -> None:
            is_first = not asked.is_set()
            asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if is_first:
                    raise RedisTimeoutError("Timed out closing connection") from None
                raise

        monkeypatch.setattr(hub._pulse._redis, "mget", answer_late)
        await asked.wait()

        async with asyncio.timeout(60):
            await hub.close()

    with_hub(valkey.url, scenario)
