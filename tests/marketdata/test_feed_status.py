"""What the feed process writes of a source is what the operators' page reads."""

from datetime import datetime, timedelta

import msgspec
import pytest

from marketdata.domain.feed_states import FeedState
from marketdata.domain.ports import Gap
from marketdata.feeds import runner
from marketdata.selectors import quality
from tests.marketdata.feeding import PREFIX, FeedRun, quote, trade, with_feed
from tests.marketdata.sockets import until
from tests.marketdata.test_feed_sources import at, drain, status_of
from tests.marketdata.valkey import ValkeyServer


def test_operators_page_reads_every_member_that_the_process_writes(
    valkey: ValkeyServer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A default of the reader must not hide a member that is called otherwise by the writer."""
    monkeypatch.setattr(runner, "pause_seconds", lambda failures, random: 0.01)

    async def scenario(run: FeedRun) -> None:
        good, spike = quote("AAPL", "100", at(run)), trade("AAPL", "10000", at(run))
        run.feed.put(good, spike, Gap(3, "AAPL"))
        await drain(run)
        await status_of(run, "hand")
        frame = await run.redis.get(f"{PREFIX}feed:status:hand")
        run.feed.is_away = True
        await until(lambda: run.sources[0].status.error != "")
        away = await status_of(run, "hand")

        written, read = msgspec.json.decode(frame), quality._status.decode(frame)
        assert {field.name for field in msgspec.structs.fields(quality.FeedStatus)} <= set(written)
        assert read == quality.FeedStatus(
            feed="hand",
            state=FeedState.LIVE.value,
            told_at=run.clock.now() - timedelta(seconds=1),
            last_message_at=now,
            messages=3,
            rate=read.rate,  # by how many seconds the process has seen
            gaps=3,
            refused={"SPIKE": 1},
            following=["AAPL"],
        )
        read_away = quality._status.decode(msgspec.json.encode(away))
        assert read_away.error in {"the source hung up", "nobody answers"}

    with_feed(valkey.url, now, scenario)
