"""Which open orders a cancel of all takes (docs/matching.md C3)."""

from orders.domain.commands import CancelAllOrders
from orders.engine.state import OrderState
from orders.engine.step import Step
from risk.domain.reasons import Denial, DenialReason


def orders_to_cancel(step: Step, command: CancelAllOrders) -> list[OrderState] | Denial:
    """The account's open orders that the command names, in the order of acceptance; a Denial for a
    symbol that nobody knows.
    """
    instruments: set[int] = set()
    for symbol in command.symbols:
        instrument = step.state.instrument(symbol)
        if instrument is None:
            return Denial(DenialReason.INSTRUMENT_UNKNOWN, {"symbol": symbol})
        instruments.add(instrument.id)
    account = step.state.accounts.get(command.account_id)
    return [
        order
        for order in (account.open_orders.values() if account else ())
        if (not instruments or order.instrument.id in instruments)
        and (command.side is None or order.side is command.side)
    ]
