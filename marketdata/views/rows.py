"""An instrument with its market as templates and scripts show it, on the terminal and elsewhere."""

from decimal import Decimal

from core.domain.decimals import to_wire
from marketdata.selectors.watch import WatchRow


def shown_row(row: WatchRow) -> dict[str, object]:
    """An instrument as templates and scripts show it: decimal strings, None for the unknown."""
    instrument, quote = row.instrument, row.quote
    tick_size = to_wire(instrument.tick_size)
    return {
        "symbol": instrument.symbol,
        "name": instrument.name,
        "asset_class": instrument.asset_class,
        "tick_size": tick_size,
        "lot_size": to_wire(instrument.lot_size),
        "min_notional": to_wire(instrument.min_notional),
        "status": instrument.status,
        "digits": len(tick_size.partition(".")[2]),
        "last": _wire(row.last),
        "previous_close": _wire(row.previous_close),
        "change_percent": _wire(row.change_percent),
        "bid": _wire((quote.bid or None) if quote else None),
        "ask": _wire((quote.ask or None) if quote else None),
    }


def _wire(value: Decimal | None) -> str | None:
    return None if value is None else to_wire(value)
