"""A trading floor for scenarios: the engine's core in memory, spoken to in short text.

Orders read "BUY 5 @ 101 IOC", "SELL 3 MARKET", "SELL 3 STOP 95" or "BUY 5 @ 106 STOP 105" (GTC
unless said), street levels "101x5 102x8" best first. Alice and Bob share account 3, Charlie has
account 4; the house is 1 and the street 2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from core.domain.clock import to_ns
from core.domain.units import UNITS_PER_ONE, units_to_wire
from orders.domain import commands
from orders.domain.market_commands import SetSessions
from orders.domain.matching.book import Book
from orders.domain.matching.stops import StopBook
from orders.domain.order_class import GroupTerms, Leg, OrderClass, leg_id
from orders.domain.replies import AnyReply, CanceledReply, DeniedReply, OrderReply
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from orders.domain.views import AccountEvent, OrderView
from orders.engine.changes import Changes, ExecutionRow
from orders.engine.core import Core
from orders.engine.state import Account, EngineState, Instrument
from portfolio.domain.balances import BalanceState
from portfolio.domain.rows import TransferRow

HOUSE, STREET, ALICE, CHARLIE = 1, 2, 3, 4
ACCOUNTS = {"alice": ALICE, "bob": ALICE, "charlie": CHARLIE, "alice2": 5}
USERS = {"alice": 11, "bob": 12, "charlie": 13, "alice2": 11}
START_NS = to_ns(datetime(2026, 3, 2, 15, 30, tzinfo=UTC))
SECOND_NS = 1_000_000_000

APPLE = Instrument(
    id=1,
    public_id=str(UUID(int=1)),
    symbol="AAPL",
    asset_class="us_equity",
    currency="USD",
    tick_units=UNITS_PER_ONE // 100,
    lot_units=UNITS_PER_ONE,
    min_notional_units=0,
)
BITCOIN = Instrument(
    id=2,
    public_id=str(UUID(int=2)),
    symbol="BTC/USD",
    asset_class="crypto",
    currency="USD",
    tick_units=UNITS_PER_ONE // 100,
    lot_units=UNITS_PER_ONE // 10_000,
    min_notional_units=UNITS_PER_ONE,
)


def fresh(instrument: Instrument) -> Instrument:
    """The same terms with an empty book."""
    return replace(
        instrument,
        book=Book(),
        stops=StopBook(),
        trails=None,
        last_trade=None,
        queue={},
        closing={},
    )


def account(number: int, kind: str = "CASH", owner: int = 0) -> Account:
    return Account(
        id=number,
        public_id=str(UUID(int=0xACC0 + number)),
        kind=kind,
        currency="USD",
        balance=BalanceState(is_overdraft_allowed=kind != "CASH"),
        owner_id=owner,
    )


def new_state(
    cash_accounts: Iterable[int] = (ALICE, CHARLIE),
    instruments: Iterable[Instrument] = (APPLE, BITCOIN),
    owners: Mapping[int, int] = MappingProxyType({}),
) -> EngineState:
    """An engine's memory with the house, the street, empty cash accounts and empty books."""
    state = EngineState(street_id=STREET, house_id=HOUSE)
    for number, kind in ((HOUSE, "HOUSE"), (STREET, "STREET")):
        state.accounts[number] = account(number, kind)
    for number in cash_accounts:
        state.accounts[number] = account(number, owner=owners.get(number, number))
    for instrument in instruments:
        state.add_instrument(fresh(instrument))
    return state


def order_id_of(name: str) -> UUID:
    """The id of the order that a scenario calls `name`."""
    return uuid5(NAMESPACE_OID, name)


def levels_of(text: str) -> list[tuple[Decimal, Decimal]]:
    """Read "101x5 102x8" as [(101, 5), (102, 8)]."""
    pairs = [level.split("x") for level in text.split()]
    return [(Decimal(price), Decimal(quantity)) for price, quantity in pairs]


def submit_command(
    name: str,
    text: str,
    *,
    symbol: str = "AAPL",
    client_order_id: str = "",
    strategy: str | None = None,
    expires_ns: int | None = None,
) -> commands.SubmitOrder:
    """The command for "BUY 5 @ 101 IOC", "SELL 3 STOP 95 DAY" or "SELL 3 TRAIL 1.5%"; `name`
    begins with who asks.
    """
    side, quantity, *terms = text.split()
    prices: dict[str, Decimal | None] = {"@": None, "STOP": None, "TRAIL": None, "TRAIL%": None}
    while terms and terms[0] in prices:
        prices[terms[0] + "%" * terms[1].endswith("%")] = Decimal(terms[1].rstrip("%"))
        terms = terms[2:]
    is_trailing = prices["TRAIL"] is not None or prices["TRAIL%"] is not None
    if terms and terms[0] == "MARKET":
        terms = terms[1:]
    who = name.split("-")[0]
    return commands.SubmitOrder(
        order_id=order_id_of(name),
        account_id=ACCOUNTS[who],
        symbol=symbol,
        client_order_id=client_order_id,
        side=Side(side),
        type=OrderType.TRAILING_STOP if is_trailing else order_type_of(prices["@"], prices["STOP"]),
        time_in_force=TimeInForce(terms[0] if terms else "GTC"),
        quantity=Decimal(quantity),
        limit_price=prices["@"],
        stop_price=prices["STOP"],
        trail_price=prices["TRAIL"],
        trail_percent=prices["TRAIL%"],
        submitted_by_id=USERS[who],
        request_id=f"request-{name}",
        strategy=strategy,
        expires_ns=expires_ns,
    )


def replace_command(
    old: str, name: str, text: str, client_order_id: str = ""
) -> commands.ReplaceOrder:
    """The command for what `text` names, as "5 @ 101 IOC", "STOP 95", "TRAIL 2" or ""."""
    words = text.split()
    prices: dict[str, Decimal | None] = {"@": None, "STOP": None, "TRAIL": None}
    quantity = Decimal(words.pop(0)) if words and words[0][0].isdigit() else None
    while words and words[0] in prices:
        prices[words[0]] = Decimal(words[1])
        words = words[2:]
    who = name.split("-")[0]
    return commands.ReplaceOrder(
        order_id=order_id_of(name),
        replaces=order_id_of(old),
        account_id=ACCOUNTS[who],
        client_order_id=client_order_id,
        submitted_by_id=USERS[who],
        request_id=f"replace-{old}",
        quantity=quantity,
        limit_price=prices["@"],
        stop_price=prices["STOP"],
        time_in_force=TimeInForce(words[0]) if words else None,
        trail=prices["TRAIL"],
    )


def order_type_of(limit_price: Decimal | None, stop_price: Decimal | None) -> OrderType:
    """The type of an order that names these prices."""
    if stop_price is None:
        return OrderType.MARKET if limit_price is None else OrderType.LIMIT
    return OrderType.STOP if limit_price is None else OrderType.STOP_LIMIT


class Floor:
    """The core under test. After each command `changes` has what that command alone changed."""

    def __init__(self, cash: str = "10000", max_cleared: int = 1_000) -> None:
        self.state = new_state()
        self.core = Core(self.state, max_cleared=max_cleared)
        self.now_ns = START_NS
        self._names: dict[str, str] = {}
        if cash != "0":
            self.deposit("alice", cash)
            self.deposit("charlie", cash)

    # Commands

    def do(self, command: commands.AnyCommand) -> AnyReply:
        """Apply one command as a batch of its own."""
        self.core.begin_batch()
        return self.core.apply(command, self.now_ns)

    def place(
        self,
        name: str,
        text: str,
        *,
        symbol: str = "AAPL",
        client_order_id: str = "",
        strategy: str | None = None,
        stp_mode: str = "",
        ends_after: int | None = None,
        **conditions: Any,  # Any: fields of SubmitOrder
    ) -> str:
        """Submit an order; what became of it, as "FILLED 5/5" or the reason that refused it."""
        self._names[str(order_id_of(name))] = name
        command = submit_command(
            name, text, symbol=symbol, client_order_id=client_order_id, strategy=strategy
        )
        if ends_after is not None:
            conditions["expires_ns"] = self.now_ns + ends_after * SECOND_NS
        if stp_mode:
            command = msgspec.structs.replace(command, stp_mode=StpMode(stp_mode))
        reply = self.do(msgspec.structs.replace(command, **conditions))
        return told(reply.order) if isinstance(reply, OrderReply) else denial(reply)

    def group(
        self, kind: str, name: str, text: str, profit: str = "", loss: str = "", **more: Any
    ) -> str:
        """Submit an order of a class with its legs, called `name`-profit and `name`-loss; a loss
        reads "95" or "95 @ 94".
        """
        for leg, ending in ((Leg.TAKE_PROFIT, "profit"), (Leg.STOP_LOSS, "loss")):
            self._names[str(leg_id(order_id_of(name), leg))] = f"{name}-{ending}"
        stop, _, limit = loss.partition(" @ ")
        terms = GroupTerms(
            OrderClass(kind),
            Decimal(profit) if profit else None,
            Decimal(stop) if stop else None,
            Decimal(limit) if limit else None,
        )
        return self.place(name, text, group=terms, **more)

    def id_of(self, name: str) -> UUID:
        """Of an order, or of a leg that came with one."""
        known = [UUID(key) for key, called in self._names.items() if called == name]
        return known[0] if known else order_id_of(name)

    def cancel(self, name: str, who: str = "") -> str:
        """Cancel the order; what it ended as, or the reason that refused."""
        account_id = ACCOUNTS[who or name.split("-")[0]]
        reply = self.do(commands.CancelOrder(self.id_of(name), account_id, f"cancel-{name}"))
        return told(reply.orders[0]) if isinstance(reply, CanceledReply) else denial(reply)

    def replace(self, old: str, name: str, text: str = "", client_order_id: str = "") -> str:
        """Put the order `name` in the place of `old`; what became of it, or what refused it."""
        self._names[str(order_id_of(name))] = name
        command = replace_command(old, name, text, client_order_id)
        reply = self.do(msgspec.structs.replace(command, replaces=self.id_of(old)))
        return told(reply.order) if isinstance(reply, OrderReply) else denial(reply)

    def amend(self, name: str, quantity: str, who: str = "") -> str:
        """Lower the order's quantity; the order as it is now, or the reason that refused it."""
        account_id = ACCOUNTS[who or name.split("-")[0]]
        request_id = f"amend-{name}"
        reply = self.do(
            commands.AmendOrder(self.id_of(name), account_id, Decimal(quantity), request_id)
        )
        return told(reply.order) if isinstance(reply, OrderReply) else denial(reply)

    def cancel_all(
        self, who: str, *, symbols: tuple[str, ...] = (), side: Side | None = None
    ) -> list[str]:
        """The names of the orders that were open."""
        reply = self.do(commands.CancelAllOrders(ACCOUNTS[who], f"cancel-all-{who}", symbols, side))
        assert isinstance(reply, CanceledReply)
        return [self._names[order.id] for order in reply.orders]

    def expire(self) -> list[str]:
        reply = self.do(commands.ExpireOrders())
        assert isinstance(reply, CanceledReply)
        return [self._names[order.id] for order in reply.orders]

    def deposit(self, who: str, amount: str, kind: str = "DEPOSIT") -> str:
        """Move cash in; the new total, or the reason that refused it."""
        reply = self.do(
            commands.MoveCash(ACCOUNTS[who], Decimal(amount), kind, "a reason", f"cash-{who}")
        )
        return denial(reply) if isinstance(reply, DeniedReply) else self.cash(who)

    def give(self, who: str, quantity: str, price: str, symbol: str = "AAPL") -> None:
        """Let the account buy `quantity` from the street at `price`."""
        self.quote(asks=f"{price}x{quantity}", symbol=symbol)
        name = f"{who}-given-{len(self._names)}"
        outcome = self.place(name, f"BUY {quantity} MARKET", symbol=symbol)
        assert outcome.startswith("FILLED"), outcome
        self.quote(symbol=symbol)

    def quote(self, bids: str = "", asks: str = "", symbol: str = "AAPL") -> None:
        self.do(commands.QuoteStreet(symbol, levels_of(bids), levels_of(asks)))

    def street_trade(self, text: str, symbol: str = "AAPL") -> None:
        """A street trade such as "SELL 5 @ 99": the aggressor's side first."""
        side, quantity, _, price = text.split()
        self.do(commands.PrintStreetTrade(symbol, Decimal(price), Decimal(quantity), Side(side)))

    def open_second(self, who: str = "alice2", owner: int = ALICE, cash: str = "10000") -> None:
        """Open another account of an owner; `who` is how scenarios call its user there."""
        number = ACCOUNTS[who]
        self.do(commands.OpenAccount(number, UUID(int=0xACC0 + number), "CASH", "USD", owner))
        self.deposit(who, cash)

    def set_stp_mode(self, who: str, mode: str) -> None:
        self.do(commands.SetStpMode(ACCOUNTS[who], StpMode(mode), "a reason", "mode"))

    def set_sessions(self, *hours: tuple[int, int], calendar: str = "XTST") -> None:
        """Let AAPL's venue keep sessions, each told by the seconds from now at which it opens and
        closes.
        """
        sessions = [
            (
                f"2026-{3 + number // 28:02}-{1 + number % 28:02}",
                self.now_ns + opens * SECOND_NS,
                self.now_ns + closes * SECOND_NS,
            )
            for number, (opens, closes) in enumerate(hours)
        ]
        self.do(SetSessions(calendar, sessions, [], "sessions"))
        self.state.instruments["AAPL"].calendar = self.state.calendars[calendar]

    def set_status(self, status: str, symbol: str = "AAPL") -> None:
        self.do(commands.SetInstrumentStatus(symbol, status, "halt"))

    def wait(self, nanoseconds: int) -> None:
        self.now_ns += nanoseconds

    # Reading

    def cash(self, who: str) -> str:
        """Total and, when something is held, what is locked of it: "9495 (505 locked)"."""
        return cash_of(self.state.accounts[ACCOUNTS[who]])

    def street_cash(self) -> str:
        return cash_of(self.state.accounts[STREET])

    def position(self, who: str, symbol: str = "AAPL") -> str:
        """Quantity, cost and realized profit: "5 for 505 realized 0", with "(2 locked)" if so."""
        instrument = self.state.instruments[symbol]
        account_id = STREET if who == "street" else ACCOUNTS[who]
        position = self.state.accounts[account_id].positions.get(instrument.id)
        if position is None:
            return "none"
        lot = instrument.lot_units
        locked = f" ({units_to_wire(position.locked * lot)} locked)" if position.locked else ""
        return (
            f"{units_to_wire(position.quantity * lot)}{locked} for {units_to_wire(position.cost)}"
            f" realized {units_to_wire(position.realized)}"
        )

    @property
    def changes(self) -> Changes:
        return self.core.changes

    @property
    def account_events(self) -> list[AccountEvent]:
        return [event for _, event in self.changes.events]

    @property
    def order_events(self) -> list[str]:
        """The same without what tells that a market's state changed."""
        return [event for event in self.events if not event.startswith("MarketStateChanged")]

    @property
    def events(self) -> list[str]:
        """The last command's events: "alice-1 OrderFilled FILLED 5/5: 5 @ 101 TAKER"."""
        lines = []
        for event in self.account_events:
            if event.order is None:
                lines.append(f"{event.event} {event.balance.total}")
                continue
            line = f"{self._names[event.order.id]} {event.event} {told(event.order)}"
            if event.execution is not None:
                fill = event.execution
                line += f": {fill.quantity} @ {fill.price} {fill.liquidity}"
            lines.append(line)
        return lines

    @property
    def transfers(self) -> list[str]:
        """The last command's ledger transfers: "3 pays 2 505"."""
        return [_transfer(row) for row in self.changes.transfers]

    @property
    def executions(self) -> list[ExecutionRow]:
        return self.changes.executions

    def open_orders(self, who: str) -> list[str]:
        account_orders = self.state.accounts[ACCOUNTS[who]].open_orders.values()
        return [self._names[str(order.id)] for order in account_orders]

    def check(self) -> None:
        """What holds after every command: balances sum to zero, and every hold has its order."""
        accounts = self.state.accounts.values()
        assert sum(item.balance.total for item in accounts) == 0
        for instrument in {id(item): item for item in self.state.instruments.values()}.values():
            positions = [item.positions.get(instrument.id) for item in accounts]
            assert sum(position.quantity for position in positions if position) == 0
        for item in accounts:
            opening = [order for order in item.open_orders.values() if order.is_opening]
            assert item.balance.locked == sum(order.hold for order in opening)
            assert item.kind != "CASH" or item.is_margin or item.balance.free >= 0


def cash_of(item: Account) -> str:
    balance = item.balance
    locked = f" ({units_to_wire(balance.locked)} locked)" if balance.locked else ""
    return f"{units_to_wire(balance.total)}{locked}"


def told(order: OrderView) -> str:
    """Status, filled of quantity, and the reason if there is one: "CANCELED 2/5 IOC_REMAINDER"."""
    reason = f" {order.reason}" if order.reason else ""
    return f"{order.status} {order.filled_quantity}/{order.quantity}{reason}"


def denial(reply: AnyReply) -> str:
    assert isinstance(reply, DeniedReply), reply
    return reply.reason


def _transfer(row: TransferRow) -> str:
    amount = units_to_wire(row.amount_units)
    return f"{row.debit_account_id} pays {row.credit_account_id} {amount}"
