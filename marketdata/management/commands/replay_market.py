"""`manage.py replay_market pause|resume|speed N|status [--feed NAME]`: steers a recording that runs
as a feed.
"""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis import Redis
from redis.exceptions import RedisError

from marketdata.domain.plan import FeedOptionError
from marketdata.feeds.publisher import FEED_CONTROL_KEY, FEED_STATUS_KEY
from marketdata.feeds.replay.options import check_speed
from marketdata.models import Feed

TIMEOUT_SECONDS = 5


class Command(BaseCommand):
    help = "Pause, resume or speed up a replay while it runs, or say where it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("pause", "resume", "speed", "status"))
        parser.add_argument("speed", nargs="?", type=int, help="times as fast; 0: fastest")
        parser.add_argument("--feed", help="which one, if there are several")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        name = _feed(options["feed"])
        with Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS) as redis:
            try:
                if options["action"] == "status":
                    self.stdout.write(_status(redis, name))
                else:
                    self.stdout.write(_steer(redis, name, options["action"], options["speed"]))
            except RedisError as error:
                raise CommandError(f"Redis does not answer: {error}") from error


def _feed(named: str | None) -> str:
    names = list(
        Feed.objects.filter(adapter="replay").order_by("name").values_list("name", flat=True)
    )
    if named is None and len(names) == 1:
        return names[0]
    if named in names:
        return named
    raise CommandError(
        f"Name the replay with --feed; there are: {', '.join(names)}."
        if names
        else "There is no feed whose adapter is replay."
    )


def _steer(redis: Redis, name: str, action: str, speed: int | None) -> str:
    key = f"{settings.REDIS_PREFIX}{FEED_CONTROL_KEY}{name}"
    asked = json.loads(redis.get(key) or "{}")
    if action == "speed":
        try:
            asked["speed"] = check_speed(speed)
        except FeedOptionError as error:
            raise CommandError(str(error)) from error
    else:
        asked["paused"] = action == "pause"
    redis.set(key, json.dumps(asked))
    return f"{name}: {json.dumps(asked)}; `replay_market status` tells when it obeys"


def _status(redis: Redis, name: str) -> str:
    text = redis.get(f"{settings.REDIS_PREFIX}{FEED_STATUS_KEY}{name}")
    if text is None:
        raise CommandError(f"{name} has told nothing of itself: does the feed process run?")
    status = json.loads(text)
    return json.dumps({key: status.get(key) for key in ("feed", "state", "told_at", "replay")})
