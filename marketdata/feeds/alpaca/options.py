"""What an operator may say about a source that speaks the Alpaca dialect. Light: loads no SDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketdata.domain.feed_options import HTTP, SOCKET, OptionReader

VENDOR_STREAM = "wss://stream.data.alpaca.markets"
VENDOR_DATA = "https://data.alpaca.markets"
NAMES = ("base_url", "stream_url", "data_url", "feed", "adjustment", "quote_lot")
ROUND_LOT_MAX = 1000


@dataclass(frozen=True, slots=True)
class AlpacaOptions:
    """`quote_lot` is how many shares one unit of a stock quote's size stands for: 100 at a source
    that counts in round lots.
    """

    stream_url: str
    data_url: str
    feed: str
    adjustment: str
    quote_lot: int

    @property
    def stock_stream(self) -> str:
        return f"{self.stream_url}/v2/{self.feed}"

    @property
    def crypto_stream(self) -> str:
        return f"{self.stream_url}/v1beta3/crypto/us"


def read_options(options: Mapping[str, Any]) -> AlpacaOptions:  # Any: JSON
    """The options with their defaults; FeedOptionError names the one at fault.

    `base_url` is one server for streams and data, such as another portal; `stream_url` and
    `data_url` say it apart. Without them it is the vendor.
    """
    read = OptionReader(options, NAMES)
    base = read.url("base_url", HTTP)
    stream = "ws" + base.removeprefix("http") if base else VENDOR_STREAM
    return AlpacaOptions(
        stream_url=read.url("stream_url", SOCKET, stream),
        data_url=read.url("data_url", HTTP, base or VENDOR_DATA),
        feed=read.choice("feed", ("iex", "sip"), "iex"),
        adjustment=read.choice("adjustment", ("raw", "split", "dividend", "all"), "raw"),
        quote_lot=read.whole("quote_lot", 1, low=1, high=ROUND_LOT_MAX),
    )
