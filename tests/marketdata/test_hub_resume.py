"""A reader that comes back: told exactly what it missed where all of it is known, else a
snapshot.
"""

import asyncio

import msgspec

from marketdata.domain.frames import event_frame
from marketdata.domain.live_requests import Position, Wish
from marketdata.hub import Hub
from marketdata.hub.snapshots import RESUME_LIMIT
from tests.marketdata.sockets import PREFIX, FakeSocket, Publisher, attached, until, with_hub
from tests.marketdata.valkey import ValkeyServer

QUOTE = "quote:AAPL"
TRADE = "trade:AAPL"
ACCOUNT = "account:alice"


def since(seq: int, epoch: str = "e1") -> Wish:
    return Wish(since=Position(epoch, seq))


class AliceEvents:
    """A provider whose events are numbered rows."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.asked: list[int] = []

    async def may_subscribe(self, user: object, topic: str) -> bool:
        return True

    async def snapshot(self, topic: str) -> tuple[str, int, object]:
        return "ledger", len(self.rows), {"events": len(self.rows)}

    async def missed(self, topic: str, since: Position, limit: int) -> list[bytes] | None:
        self.asked.append(since.seq)
        if since.epoch != "ledger" or since.seq > len(self.rows):
            return None
        missed = self.rows[since.seq :]
        return missed if len(missed) <= limit else None


async def listening(hub: Hub, topic: str) -> FakeSocket:
    socket = attached(hub)
    hub.subscribe(socket.listener, topic)
    await until(lambda: bool(socket.of(topic)))
    return socket


def test_what_another_reader_heard_is_told_without_asking_redis(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        stays = await listening(hub, TRADE)
        for seq in range(1, 101):
            await publisher.trade(TRADE, seq)
        await until(lambda: stays.told(TRADE)[-1] == ("event", 100))
        await publisher.redis.delete(f"{PREFIX}recent:{TRADE}")  # the hub has them itself

        back = attached(hub)
        hub.subscribe(back.listener, TRADE, since(40))
        await until(lambda: back.told(TRADE)[-1:] == [("event", 100)])
        await publisher.trade(TRADE, 101)
        await until(lambda: back.told(TRADE)[-1] == ("event", 101))

        assert back.of(TRADE)[0] == {
            "op": "resumed",
            "topic": TRADE,
            "epoch": "e1",
            "seq": 40,
            "missed": 60,
        }
        assert back.told(TRADE)[1:] == [("event", n) for n in range(41, 102)]
        assert back.frames[1:] == stays.frames[41:]

    with_hub(valkey.url, scenario)


def test_who_missed_nothing_is_told_so(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        await publisher.state(QUOTE, 5, {"bid": "5"})
        await publisher.trade(TRADE, 7)
        socket = attached(hub)

        hub.subscribe(socket.listener, QUOTE, since(5))
        hub.subscribe(socket.listener, TRADE, since(7))
        await until(lambda: bool(socket.told(QUOTE) and socket.told(TRADE)))
        await publisher.state(QUOTE, 6, {"bid": "6"})
        await publisher.trade(TRADE, 8)
        await until(lambda: len(socket.of(QUOTE)) == len(socket.of(TRADE)) == 2)

        assert socket.told(QUOTE) == [("resumed", 5), ("event", 6)]
        assert socket.told(TRADE) == [("resumed", 7), ("event", 8)]

    with_hub(valkey.url, scenario)


def test_a_hub_that_starts_anew_tells_from_redis_what_was_missed(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        for seq in range(1, 21):
            await publisher.trade(TRADE, seq)
        socket = attached(hub)

        hub.subscribe(socket.listener, TRADE, since(12))
        await until(lambda: socket.told(TRADE)[-1:] == [("event", 20)])

        assert socket.told(TRADE) == [("resumed", 12), *(("event", n) for n in range(13, 21))]

    with_hub(valkey.url, scenario)


def test_a_position_that_nobody_remembers_leads_to_a_snapshot(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        for seq in range(1, 61):  # Redis keeps the last 50
            await publisher.trade(TRADE, seq)
        await publisher.state(QUOTE, 5, {"bid": "5"})
        wishes = [since(5), since(61), since(55, "e0"), since(0, "")]
        sockets = [attached(hub) for _ in wishes]

        for socket, wish in zip(sockets, wishes, strict=True):
            hub.subscribe(socket.listener, TRADE, wish)
        behind = attached(hub)
        hub.subscribe(behind.listener, QUOTE, since(4))
        await until(lambda: all(socket.of(TRADE) for socket in sockets) and bool(behind.of(QUOTE)))

        assert [socket.told(TRADE) for socket in sockets] == [[("snapshot", 60)]] * 4
        assert behind.told(QUOTE) == [("snapshot", 5)]

    with_hub(valkey.url, scenario)


def test_after_a_gap_nobody_goes_on_from_before_it(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        stays = await listening(hub, TRADE)
        await publisher.trade(TRADE, 1)
        await publisher.trade(TRADE, 2, is_lost=True)
        await publisher.trade(TRADE, 3)
        await until(lambda: stays.told(TRADE)[-1] == ("snapshot", 3))
        await publisher.redis.delete(f"{PREFIX}recent:{TRADE}")
        await publisher.trade(TRADE, 4)
        await until(lambda: stays.told(TRADE)[-1] == ("event", 4))

        before, after = attached(hub), attached(hub)
        hub.subscribe(before.listener, TRADE, since(1))
        hub.subscribe(after.listener, TRADE, since(3))
        await until(lambda: bool(before.of(TRADE) and len(after.of(TRADE)) == 2))

        assert before.told(TRADE) == [("snapshot", 4)]
        assert after.told(TRADE) == [("resumed", 3), ("event", 4)]

    with_hub(valkey.url, scenario)


def test_a_lost_redis_is_not_gone_on_from_without_proof(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        stays = await listening(hub, TRADE)
        await publisher.trade(TRADE, 1)
        await until(lambda: stays.told(TRADE)[-1] == ("event", 1))
        valkey.kill()
        await asyncio.sleep(0.3)
        valkey.start()  # empty: whether a trade came meanwhile cannot be known

        back = attached(hub)
        hub.subscribe(back.listener, TRADE, since(1))
        await until(lambda: bool(back.of(TRADE)) and stays.told(TRADE)[-1][0] == "snapshot")

        assert back.told(TRADE) == [("snapshot", 0)]

    with_hub(valkey.url, scenario)


def test_a_provider_tells_what_was_missed_and_many_ask_it_once(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        alice = AliceEvents()
        alice.rows = [b'{"n":%d}' % n for n in range(1, 11)]
        hub.providers = {"account": alice}
        hub._snapshots._providers = hub.providers
        sockets = [attached(hub) for _ in range(20)]

        for socket in sockets:
            hub.subscribe(socket.listener, ACCOUNT, since(7, "ledger"))
        late = attached(hub)
        hub.subscribe(late.listener, ACCOUNT, since(11, "ledger"))
        await until(lambda: all(len(s.of(ACCOUNT)) == 4 for s in sockets) and bool(late.frames))
        frame = event_frame(ACCOUNT, epoch="ledger", seq=11, data={"n": 11})
        await publisher.redis.publish(PREFIX + ACCOUNT, frame)
        await until(lambda: all(s.told(ACCOUNT)[-1] == ("event", 11) for s in sockets))

        for socket in sockets:
            assert socket.told(ACCOUNT)[0] == ("resumed", 7)
            data = [each["data"] for each in socket.of(ACCOUNT)[1:]]
            assert data == [{"n": n} for n in (8, 9, 10, 11)]
        assert late.told(ACCOUNT)[0] == ("snapshot", 10)
        assert sorted(alice.asked) == [7, 11]

    with_hub(valkey.url, scenario)


def test_who_missed_too_much_gets_a_snapshot(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        stays = await listening(hub, TRADE)
        newest = RESUME_LIMIT + 10
        for seq in range(1, newest + 1):
            await publisher.trade(TRADE, seq)
        await until(lambda: stays.told(TRADE)[-1] == ("event", newest))

        far, near = attached(hub), attached(hub)
        hub.subscribe(far.listener, TRADE, since(9))
        hub.subscribe(near.listener, TRADE, since(10))
        await until(lambda: bool(far.of(TRADE)) and len(near.of(TRADE)) == RESUME_LIMIT + 1)

        assert far.told(TRADE) == [("snapshot", newest)]
        assert near.told(TRADE)[0] == ("resumed", 10)

    with_hub(valkey.url, scenario)


def test_coming_back_while_events_flow_misses_and_repeats_nothing(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        await listening(hub, TRADE)
        reader = await listening(hub, TRADE)
        readers = [reader]
        published = 0

        async def publish() -> None:
            nonlocal published
            while len(readers) < 6:
                published += 1
                await publisher.trade(TRADE, published)

        publishing = asyncio.create_task(publish())
        while not publishing.done():
            await asyncio.sleep(0.02)
            hub.detach(reader.listener)
            last = msgspec.json.decode(reader.frames[-1])
            wish = since(last["seq"], last["epoch"]) if last["epoch"] else Wish()
            reader = attached(hub)
            readers.append(reader)
            hub.subscribe(reader.listener, TRADE, wish)
            await until(lambda: bool(reader.of(TRADE)))  # noqa: B023 - waited for at once
        await until(lambda: reader.told(TRADE)[-1][1] == published)

        heard: list[int] = []
        for each in readers:
            for op, seq in each.told(TRADE):
                if op == "snapshot":
                    heard = list(range(1, seq + 1))
                elif op == "event":
                    heard.append(seq)
        assert heard == list(range(1, published + 1))

    with_hub(valkey.url, scenario)
