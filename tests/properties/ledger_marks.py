"""Which situations a history of the ledger's test has met, told from the slow engine's answers and
events (tests/properties/ledger_sometimes.py names those that must happen).
"""

from collections import Counter

from orders.domain import commands
from orders.engine.core import Core
from tests.properties.ledger_comparison import Comparison
from tests.reference.engine import ReferenceEngine

FILLS = {"OrderFilled", "OrderPartiallyFilled"}


class Marks:
    """`note` after every step; `met` counts."""

    def __init__(self, reference: ReferenceEngine, core: Core, comparison: Comparison) -> None:
        self.met: Counter[str] = Counter()
        self._reference = reference
        self._core = core
        self._state = core.state
        self._comparison = comparison
        self._shorts: set[int] = set()
        self._pauses: dict[str, str] = {}

    def note(self, answer: object, command: commands.AnyCommand) -> None:
        self._note_answer(answer)
        for asked, part in _orders_and_answers(command, answer):
            self._note_limits(asked, part)
        self._note_pauses()
        if self._reference.marks:
            self.met.update(self._reference.marks)
        told = [str(told[0]) for told in self._reference.told]
        if not told:
            return
        self._note_elections()
        self._note_fees()
        self._note_margin()
        self._note_slices()
        self._note_fills(command)
        self._note_endings()
        self._note_plans(told)
        self._note_states(command, told)

    def _note_answer(self, answer: object) -> None:
        match answer:
            case [(_, _, _, reason), *others]:
                self.met[str(reason)] += 1
                self.met["several canceled at once"] += bool(others)
            case ("BATCH", [*parts]):
                is_refused = [isinstance(part, str) for part in parts]
                self.met["a batch went on after a refusal"] += is_refused[:1] == [True] and (
                    False in is_refused
                )
                self.met["a whole batch was taken"] += not any(is_refused[1:])
            case str():
                self.met[answer] += 1
            case ("CHECKED", _):
                pass
            case ("SWITCHED", state, _, int(canceled)):
                self.met[f"switched to {state}"] += 1
                self.met["a switch canceled several"] += canceled > 1
            case ("LIMIT", _):
                self.met["a limit was set"] += 1
            case (_, status, _, reason):
                self.met[str(reason or status)] += 1

    def _note_limits(self, asked: commands.SubmitOrder, answer: object) -> None:
        """Orders of special kinds that limits refuse, or let in."""
        kinds = {
            "an order of a value": asked.notional is not None,
            "an order that hides a part": asked.display_quantity is not None,
            "a group": asked.group is not None,
        }
        if isinstance(answer, str) and answer.startswith(("LIMIT_", "REFERENCE_")):
            verb = f"met {answer}"
        elif isinstance(answer, tuple) and self._is_bound(asked):
            verb = "was let in by limits"
        else:
            return
        for kind, is_such in kinds.items():
            self.met[f"{kind} {verb}"] += is_such

    def _is_bound(self, asked: commands.SubmitOrder) -> bool:
        reference = self._reference
        mine = [order for order in reference.orders if order.id == asked.order_id]
        return any(
            limit is not None and scope in reference.trading.path(order)
            for order in mine
            for (scope, _, symbol), limit in reference.limits.values.items()
            if symbol in ("", order.symbol)
        )

    def _note_fills(self, command: commands.AnyCommand) -> None:
        fills = [told for told in self._reference.told if told[0] in FILLS]
        is_order = isinstance(
            command, commands.SubmitOrder | commands.ReplaceOrder | commands.OrderBatch
        )
        is_replace = isinstance(command, commands.ReplaceOrder)
        self.met["replaced and traded at once"] += bool(fills) and is_replace
        self.met["maker fill between users"] += is_order and len({told[2] for told in fills}) > 1
        self.met["street filled a resting order"] += bool(fills) and not is_order

    def _note_endings(self) -> None:
        for order in self._reference.orders:
            if order.reason == "DAY_END" and order.terms.calendar is not None:
                self.met["a day order ended with its session"] += 1
            if order.reason in ("OPG_REMAINDER", "CLS_REMAINDER"):
                self.met[order.reason] += 1

    def _note_pauses(self) -> None:
        pauses = self._reference.plans.pauses
        for symbol, (now, _) in pauses.items():
            was = self._pauses.get(symbol)
            self.met["a halted market went on to its auction"] += (was, now) == (
                "HALTED",
                "AUCTION",
            )
        self._pauses = {symbol: now for symbol, (now, _) in pauses.items()}

    def _note_plans(self, told: list[str]) -> None:
        for kind in ("MarginCalled", "MarginCallMet"):
            self.met[kind] += kind in told
        plans = self._reference.plans
        self.met["a plan changed a market"] += "MarketStateChanged" in told
        self.met["a plan ended with an auction"] += (
            told[:1] == ["MarketStateChanged"] and not FILLS.isdisjoint(told[1:])
        ) and bool(self._reference.auction_sides)
        self.met["a market was planned to be two things at once"] += any(
            len(plans.now_planned(item.symbol)) > 1 for item in self._reference.terms
        )

    def _note_states(self, command: commands.AnyCommand, told: list[str]) -> None:
        sides = self._reference.auction_sides
        self.met["an auction traded between users"] += 2 in sides
        self.met["an auction traded with the street"] += 1 in sides
        self.met["an auction left an order to the market"] += "OrderReleased" in told
        states = self._reference.states
        if isinstance(command, commands.QuoteStreet | commands.PrintStreetTrade):
            is_closing = states.get(command.symbol) == "CANCEL_ONLY"
            self.met["the street filled an order while none was taken in"] += (
                is_closing and not FILLS.isdisjoint(told)
            )
        if isinstance(command, commands.SubmitOrder) and command.stop_price is None:
            is_post_only = states.get(command.symbol) == "POST_ONLY"
            self.met["an order came to rest in a post-only market"] += (
                is_post_only and "OrderAccepted" in told
            )

    def _note_elections(self) -> None:
        told = self._reference.told
        elected = [number for number, event in enumerate(told) if event[0] == "OrderTriggered"]
        self.met["a stop was elected"] += bool(elected)
        self.met["an election waited for its turn"] += bool(self._reference.elections.queue)
        between = told[elected[0] : elected[-1]] if elected else []
        self.met["an elected stop elected another"] += any(event[0] in FILLS for event in between)
        ended = [
            order.reason
            for order in self._reference.orders
            if order.stop is not None and order.status == "CANCELED"
        ]
        self.met["an elected stop met an own order"] += "SELF_TRADE" in ended
        self.met["an elected stop stopped at the edge"] += "VOLATILITY_BAND" in ended
        self.met["an elected stop found nobody"] += "LIQUIDITY_EXHAUSTED" in ended

    def _note_fees(self) -> None:
        for row in self._core.changes.executions[-20:]:
            if row.fee_units:
                self.met[f"a {row.liquidity.lower()} paid a fee"] += 1
            elif self._state.accounts[row.account_id].tier.maker:
                self.met["a fee was too small to take"] += 1
        self.met["a rate was above an order's cap"] += any(
            order.fee_rate < order.account.tier.maker for order in self._state.orders.values()
        )

    def _note_margin(self) -> None:
        reference = self._reference
        for account in reference.cash_accounts:
            if not reference.margin.is_on(account):
                continue
            lots = [reference.holding(account, item.symbol).lots for item in reference.terms]
            was_short = account in self._shorts
            self._shorts.discard(account)
            if min(lots) < 0:
                self._shorts.add(account)
            self.met["an account was short"] += min(lots) < 0
            self.met["a short position was closed"] += was_short and min(lots) >= 0
            self.met["an account owed money"] += reference.cash[account] < 0
        is_spent = any(left <= 0 for left in self._comparison.excess.values())
        self.met["a margin account had no excess left"] += is_spent

    def _note_slices(self) -> None:
        for order in self._state.orders.values():
            if order.display and order.displayed:
                self.met["an order hid a part"] += order.displayed < order.leaves
                self.met["a slice came back"] += order.rank > order.sequence


def _orders_and_answers(
    command: commands.AnyCommand, answer: object
) -> list[tuple[commands.SubmitOrder, object]]:
    """The new orders that were asked for, each with its answer."""
    pairs: list[tuple[commands.AnyCommand, object]] = [(command, answer)]
    match command, answer:
        case commands.OrderBatch(), ("BATCH", [*answers]):
            pairs = [*zip(command.orders, answers, strict=True)]
    return [(asked, part) for asked, part in pairs if isinstance(asked, commands.SubmitOrder)]
