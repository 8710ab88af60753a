"""Whole columns of numbers into units of 10^-8, exactly: the import's counterpart of `to_e8`.

A column comes as an Arrow array of texts, whole numbers, decimals or floats. What does not fit is
told by row, with its reason; nothing is rounded.
"""

from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.domain.units import DECIMALS
from marketdata.domain.e8 import NotStorableError, StoreReason, to_e8
from marketdata.domain.row_refusals import RowRefusal

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WIDEST_PRECISION: Final = 38
"""Digits of Arrow's 128-bit decimals."""
SAFE_DIGITS: Final = 18
"""A text of so many digits at most cannot leave 128 bits, whatever the scale."""
REASONS: Final = {
    StoreReason.NOT_A_NUMBER: RowRefusal.MALFORMED,
    StoreReason.TOO_FINE: RowRefusal.TOO_FINE,
    StoreReason.TOO_LARGE: RowRefusal.TOO_LARGE,
}


class E8Column(NamedTuple):
    """`units` of 10^-8, and by row number why one has none (its unit is 0)."""

    units: Ints
    refused: dict[int, RowRefusal]


def e8_column(array: Any, shift: int = 0) -> E8Column:  # Any: an Arrow array
    """The column in 10^-8; the source counts in 10^-`shift` (4: ten-thousandths)."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_integer(array.type) and not array.null_count:
        return _of_whole(array.to_numpy(zero_copy_only=False).astype(np.int64), shift)
    if not pa.types.is_string(array.type):
        array = pc.cast(array, pa.string())  # a float as the shortest text that reads as it
    return _of_texts(array, shift)


def _of_whole(values: Ints, shift: int) -> E8Column:
    factor = 10 ** (DECIMALS - shift)
    largest = (2**63 - 1) // factor
    large = (values > largest) | (values < -largest)
    refused = dict.fromkeys(np.flatnonzero(large).tolist(), RowRefusal.TOO_LARGE)
    return E8Column(np.where(large, 0, values) * factor, refused)


def _of_texts(texts: Any, shift: int) -> E8Column:  # Any: an Arrow array
    scale = DECIMALS - shift
    plain = rf"^-?[0-9]{{1,{SAFE_DIGITS}}}(\.[0-9]{{0,{scale}}}0*)?$"
    is_plain = pc.fill_null(pc.match_substring_regex(texts, plain), False)
    numbers = pc.cast(pc.if_else(is_plain, texts, "0"), pa.decimal128(WIDEST_PRECISION, scale))
    halves = np.frombuffer(numbers.buffers()[1], dtype="<i8").reshape(-1, 2)
    halves = halves[numbers.offset : numbers.offset + len(numbers)]
    units: Ints = halves[:, 0].copy()
    odd = ~is_plain.to_numpy(zero_copy_only=False) | (halves[:, 1] != units >> 63)
    refused: dict[int, RowRefusal] = {}
    for row in np.flatnonzero(odd).tolist():
        units[row], reason = _of_text(texts[row].as_py(), shift)
        if reason is not None:
            refused[row] = reason
    return E8Column(units, refused)


def _of_text(text: str | None, shift: int) -> tuple[int, RowRefusal | None]:
    try:
        return to_e8(Decimal(text or "").scaleb(-shift)), None
    except InvalidOperation:
        return 0, RowRefusal.MALFORMED
    except NotStorableError as error:
        return 0, REASONS[error.reason]
