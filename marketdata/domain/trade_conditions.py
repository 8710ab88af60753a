"""What a trade print may move: some count as volume but draw no price, as the tape has it.

The flags are what is stored with every trade (StoredTrade.flags). Each source's own spelling of
conditions is turned into them where its messages are parsed.
"""

from enum import IntFlag


class TradeFlag(IntFlag):
    """No flag: a usual print, which moves everything."""

    NONE = 0
    NO_PRICE = 1
    """Moves neither open, high, low, close nor the newest price: average price, derivatively
    priced, out of sequence, or another print whose price is not the market's at its time.
    """
    NO_VOLUME = 2
    """Counts in no volume: the official open or close, told a second time."""
    EXTENDED = 4
    """Printed outside the regular session."""
    CLOSING = 8
    """The closing print: belongs to the session although it comes after its end."""
    LATE = 16
    """Came too late for its bars ; they do not have it."""
