"""The closed vocabularies of an order (FIX tags 54, 40, 59, 39, 851)."""

from core.domain.words import Word


class Side(Word):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(Word):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    TRAILING_STOP = "TRAILING_STOP"

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a trade that reaches its stop price."""
        return self in _STOPS

    @property
    def names_limit(self) -> bool:
        """Whether whoever places it names a limit price."""
        return self is OrderType.LIMIT or self is OrderType.STOP_LIMIT


_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})


class TimeInForce(Word):
    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"
    OPG = "OPG"
    CLS = "CLS"


class StpMode(Word):
    """What self-trade prevention does when a taker meets an own order (docs/matching.md O1, O2)."""

    REJECT = "REJECT"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"

    @property
    def ends_taker(self) -> bool:
        return self is StpMode.EXPIRE_TAKER or self is StpMode.EXPIRE_BOTH

    @property
    def ends_maker(self) -> bool:
        return self is StpMode.EXPIRE_MAKER or self is StpMode.EXPIRE_BOTH


class OrderStatus(Word):
    INITIALIZED = "INITIALIZED"
    DENIED = "DENIED"
    HELD = "HELD"
    QUEUED = "QUEUED"
    ACCEPTED = "ACCEPTED"
    TRIGGERED = "TRIGGERED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REPLACED = "REPLACED"


OPEN_STATUSES = frozenset(
    {
        OrderStatus.HELD,
        OrderStatus.QUEUED,
        OrderStatus.ACCEPTED,
        OrderStatus.TRIGGERED,
        OrderStatus.PARTIALLY_FILLED,
    }
)


class Liquidity(Word):
    MAKER = "MAKER"
    TAKER = "TAKER"
