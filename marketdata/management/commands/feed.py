"""`manage.py feed`: lists, adds, changes and tries feeds, and says which instruments follow them.

feed list --json
feed add alpaca-live --adapter alpaca --option feed=iex --key-stdin
feed route alpaca-live AAPL --rank 1 --as AAPL
feed test alpaca-live --seconds 10
"""

import asyncio
import getpass
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from core.domain.clock import SystemClock, wire_time
from core.domain.decimals import to_wire
from core.domain.origin import Origin
from core.encryption import EncryptionError
from marketdata.domain.plan import Credentials, FeedOptionError
from marketdata.domain.values import Level
from marketdata.feeds import FEEDS, MARKETS
from marketdata.feeds.trying import Heard, Trial, try_feed
from marketdata.models import Feed
from marketdata.selectors.feed_setup import feed_setup
from marketdata.services import feeds as services

Options = dict[str, Any]  # Any: argparse's values
LONGEST_TRIAL_SECONDS = 600


class Command(BaseCommand):
    help = "Configure the sources of prices, and try them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        listed = acts.add_parser("list", help="what is configured")
        listed.add_argument("--json", action="store_true")
        added = _named(acts, "add", "a new feed")
        added.add_argument("--adapter", required=True, help=", ".join(sorted(FEEDS)))
        _with_options(added)
        _with_key(added)
        _with_options(_named(acts, "change", "other options, in the place of all there are"))
        key = _named(acts, "key", "set the key and secret, or remove them")
        _with_key(key)
        key.add_argument("--remove", action="store_true")
        route = _named(acts, "route", "let an instrument follow the feed")
        route.add_argument("symbol")
        route.add_argument(
            "--rank", type=int, default=1, help="1 is followed first; feeds there move down"
        )
        route.add_argument("--as", dest="there", default="", help="what the feed calls it")
        _named(acts, "unroute", "let an instrument follow it no more").add_argument("symbol")
        _named(acts, "enable", "let the feed process run it")
        _named(acts, "disable", "let the feed process leave it out")
        _named(acts, "remove", "take it out of use: no key, no instruments; its name stays")
        tried = _named(acts, "test", "open it and say what it tells")
        tried.add_argument("--seconds", type=int, default=10)
        tried.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: argparse's values
        acts: dict[str, Callable[[Options], None]] = {
            "list": self._list,
            "add": self._add,
            "test": self._test,
        }
        try:
            acts.get(options["act"], self._change)(options)
        except (ValidationError, EncryptionError, FeedOptionError) as error:
            texts = error.messages if isinstance(error, ValidationError) else [str(error)]
            raise CommandError(" ".join(texts)) from error

    def _list(self, options: Options) -> None:
        rows = [_row(feed) for feed in Feed.objects.prefetch_related("routes__instrument")]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            state = "" if row["is_enabled"] else ", disabled"
            key = ", with a key" if row["has_key"] else ""
            self.stdout.write(f"{row['name']} ({row['adapter']}{key}{state}) {row['options']}")
            for route in row["routes"]:
                there = f" as {route['as']}" if route["as"] else ""
                self.stdout.write(f"  {route['symbol']}, rank {route['rank']}{there}")

    def _add(self, options: Options) -> None:
        credentials = _read_key() if options["key_stdin"] else None
        feed = services.add_feed(
            name=options["name"],
            adapter=options["adapter"],
            options=_options(options["option"]),
            act=_act(),
        )
        if credentials is not None:
            services.set_key(feed=feed, credentials=credentials, act=_act())
        self._said(f"{feed.name} was added. Say which instruments follow it with `feed route`.")

    def _change(self, options: Options) -> None:
        feed, act = _feed(options["name"]), _act()
        match options["act"]:
            case "change":
                given = _options(options["option"])
                loses_key = services.change_options(feed=feed, options=given, act=act)
                went = f" {services.KEY_WENT}" if loses_key else ""
                self._said(f"{feed.name} has other options.{went}")
            case "key":
                if not options["remove"] and not options["key_stdin"]:
                    raise CommandError("Say --key-stdin to set the key, or --remove.")
                credentials = None if options["remove"] else _read_key()
                services.set_key(feed=feed, credentials=credentials, act=act)
                self._said(f"The key of {feed.name} was {'set' if credentials else 'removed'}.")
            case "enable" | "disable":
                services.set_enabled(feed=feed, is_enabled=options["act"] == "enable", act=act)
                self._said(f"{feed.name} is {options['act']}d.")
            case "remove":
                services.retire_feed(feed=feed, act=act)
                self._said(f"{feed.name} is out of use; its name stays with the stored prices.")
            case _:
                self._route(feed, options)

    def _route(self, feed: Feed, options: Options) -> None:
        symbol, act = options["symbol"], _act()
        if options["act"] == "unroute":
            if not services.remove_route(feed=feed, symbol=symbol, act=act):
                raise CommandError(f"{symbol} does not follow {feed.name}.")
            self._said(f"{symbol} follows {feed.name} no more.")
            return
        moved = services.set_route(
            feed=feed, symbol=symbol, rank=options["rank"], symbol_there=options["there"], act=act
        ).moved
        words = [f"{name} is at rank {rank} now." for name, rank in moved.items()]
        self._said(" ".join([f"{symbol} follows {feed.name} at rank {options['rank']}.", *words]))
        if feed.adapter not in MARKETS.get(settings.MARKET, ()):
            self.stdout.write(
                f"The portal runs the market {settings.MARKET}, which leaves {feed.name} out:"
                " run ./portal down, then ./portal up --market configured."
            )

    def _test(self, options: Options) -> None:
        feed = _feed(options["name"])
        seconds = min(max(options["seconds"], 1), LONGEST_TRIAL_SECONDS)
        setup = feed_setup(feed, SystemClock())
        if not setup.instruments:
            raise CommandError(f"No instrument follows {feed.name}: see `feed route`.")
        trial = asyncio.run(try_feed(feed.adapter, setup, seconds))
        if options["json"]:
            self.stdout.write(json.dumps(_trial(trial)))
        else:
            for symbol, heard in trial.heard.items():
                self.stdout.write(f"{symbol}: {_words(heard)}")
        if trial.error:
            raise CommandError(f"{feed.name} is away: {trial.error}")
        if not any(heard.quotes or heard.trades for heard in trial.heard.values()):
            raise CommandError(f"{feed.name} was open for {seconds} s and told nothing.")

    def _said(self, sentence: str) -> None:
        self.stdout.write(f"{sentence} {services.TAKES_EFFECT}")


def _named(acts: Any, name: str, words: str) -> ArgumentParser:  # Any: argparse's private type
    parser: ArgumentParser = acts.add_parser(name, help=words)
    parser.add_argument("name", help="the feed's name")
    return parser


def _with_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
    )


def _with_key(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--key-stdin",
        action="store_true",
        help="read the key and the secret from standard input, a line each",
    )


def _act() -> services.Act:
    return services.Act(None, "", Origin(now=SystemClock().now()))


def _feed(name: str) -> Feed:
    feed = Feed.objects.filter(name=name).first()
    if feed is None:
        raise CommandError(f"There is no feed named {name}; see `feed list`.")
    return feed


def _options(texts: Sequence[str]) -> dict[str, Any]:  # Any: JSON
    """`name=value`: a value that is JSON (5, true, an object) is that, any other is a text."""
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"--option is NAME=VALUE, not {text!r}.")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


def _read_key() -> Credentials:
    """From standard input, so that no list of processes and no shell history has it."""
    if sys.stdin.isatty():
        return Credentials(getpass.getpass("Key: "), getpass.getpass("Secret: "))
    return Credentials(sys.stdin.readline().strip(), sys.stdin.readline().strip())


def _row(feed: Feed) -> dict[str, Any]:  # Any: JSON
    routes = sorted(feed.routes.all(), key=lambda route: route.instrument.symbol)
    return {
        "name": feed.name,
        "adapter": feed.adapter,
        "options": feed.options,
        "has_key": feed.credentials is not None,
        "is_enabled": feed.is_enabled,
        "routes": [
            {
                "symbol": route.instrument.symbol,
                "rank": route.rank,
                "as": route.symbol_there,
            }
            for route in routes
        ],
    }


def _trial(trial: Trial) -> dict[str, Any]:  # Any: JSON
    return {
        "error": trial.error,
        "heard": {
            symbol: {"quotes": heard.quotes, "trades": heard.trades, "last": _words(heard)}
            for symbol, heard in trial.heard.items()
        },
    }


def _words(heard: Heard) -> str:
    words = f"{heard.quotes} quotes, {heard.trades} trades"
    if heard.quote is not None:
        bid, ask = _best(heard.quote.bids), _best(heard.quote.asks)
        words += f"; bid {bid}, ask {ask} at {wire_time(heard.quote.t_ns)}"
    if heard.trade is not None:
        size, price = to_wire(heard.trade.size), to_wire(heard.trade.price)
        words += f"; traded {size} at {price} at {wire_time(heard.trade.t_ns)}"
    return words


def _best(side: Sequence[Level]) -> str:
    return f"{to_wire(side[0].size)} at {to_wire(side[0].price)}" if side else "none"
