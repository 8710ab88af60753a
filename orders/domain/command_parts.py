"""What commands are made of: their base, the shapes of their parts, and what no part may be.

Beside orders/domain/commands.py, which has the commands.
"""

from collections.abc import Sequence
from decimal import (
    Clamped,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
)
from typing import Annotated

import msgspec

MAX_QUOTE_LEVELS = 100
"""Levels that a quote may bring to be looked at; the book takes far fewer."""

MAX_BATCH_ORDERS = 50
"""Orders in one batch of a client's: bounds what one request makes others wait for."""
MAX_SYMBOLS = 500
"""Symbols that one cancel of all may name."""

MAX_DEAD_MAN_SECONDS = 3_600
MAX_SESSIONS = 1_000
"""Sessions in one command: four years' trading days."""

Key = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
KeyId = Annotated[str, msgspec.Meta(max_length=32, pattern=r"\A[A-Z0-9]*\Z")]
ClientOrderId = Annotated[str, msgspec.Meta(max_length=128)]
RequestId = Annotated[str, msgspec.Meta(max_length=64)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]
Levels = Annotated[Sequence[tuple[Decimal, Decimal]], msgspec.Meta(max_length=MAX_QUOTE_LEVELS)]
Symbols = Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_SYMBOLS)]
Address = Annotated[str, msgspec.Meta(max_length=45)]
AccountKind = Annotated[str, msgspec.Meta(pattern=r"\A(CASH|STREET|HOUSE)\Z")]
CashKind = Annotated[str, msgspec.Meta(pattern=r"\A(DEPOSIT|ADJUSTMENT)\Z")]
FeeTierCode = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z0-9][A-Z0-9_-]{0,15}\Z")]
NoCode = Annotated[str, msgspec.Meta(pattern=r"\A([A-Z0-9][A-Z0-9_-]{0,15})?\Z")]
StrategyTag = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]
CalendarCode = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z0-9]{2,16}\Z")]
Day = Annotated[str, msgspec.Meta(pattern=r"\A\d{4}-\d\d-\d\d\Z")]
Status = Annotated[str, msgspec.Meta(pattern=r"\A(OPEN|HALTED|CANCEL_ONLY|POST_ONLY|AUCTION)\Z")]

_BOUNDED = Context(
    prec=40,
    Emin=-40,
    Emax=40,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Subnormal],
)
"""Raises for every decimal of more than 40 digits before or after the point."""


def check_number(value: Decimal) -> None:
    """ValueError unless the number is finite and short enough to be worked with."""
    try:
        _BOUNDED.plus(value)
    except DecimalException as error:
        raise ValueError("a number is too long") from error
    if not value.is_finite():
        raise ValueError("a number is not finite")


def check_texts(*texts: str) -> None:
    """ValueError for NUL, which no database text can hold."""
    for text in texts:
        if "\0" in text:
            raise ValueError("a text holds NUL")


class Command(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="command"):
    """Base of every command."""
