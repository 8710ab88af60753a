"""`python -m benchmarks.sockets.publish`: publishes quotes at a fixed rate, as the feed would.

The bid size is the instant of publication in microseconds of the machine's monotonic clock.
"""

import sys
import time

import msgspec
from redis import Redis

from benchmarks.sockets.spec import PublisherSpec

FRAME = (
    '{{"op":"event","topic":"{topic}","epoch":"bench-{epoch}","seq":{seq},"data":{{"bid":"187.12",'
    '"bid_size":"{now}","ask":"187.13","ask_size":"300","t":"2026-03-02T15:30:00.000000Z"{padding}}}}}'
)


def publish(spec: PublisherSpec) -> int:
    """Publish until the time is over; how many updates went out."""
    redis = Redis.from_url(spec.redis_url)
    begin = time.monotonic()
    count = 0
    padding = f',"padding":"{"x" * spec.padding}"' if spec.padding else ""
    while (due := begin + count / spec.rate) < begin + spec.seconds:
        pause = due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        count += 1
        now = time.monotonic_ns() // 1000
        frame = FRAME.format(
            topic=spec.topic, epoch=int(begin), seq=count, now=now, padding=padding
        )
        redis.publish(spec.channel, frame)
    redis.close()
    return count


if __name__ == "__main__":
    published = publish(msgspec.json.decode(sys.stdin.buffer.read(), type=PublisherSpec))
    sys.stdout.write(f"{published}\n")
