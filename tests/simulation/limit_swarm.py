"""Random limits for a market's history: tighter ones by one person, higher ones by two.

A stream of random numbers of its own, so that a market without limits stays as it was.
"""

import random
from collections.abc import Sequence
from decimal import Decimal

from core.domain.units import UNITS_PER_ONE
from orders.domain.commands import AnyCommand
from risk.domain.commands import Consent, EvaluateLosses, SetLimit
from risk.domain.limit_tree import (
    LOSSES,
    PACING,
    LimitKey,
    LimitKind,
    Setting,
    is_raise,
    why_not_set,
)
from risk.domain.scopes import read_scope
from tests.simulation.plan_swarm import LIMITED
from tests.simulation.switch_swarm import TAGS

_NUMBERS = {
    LimitKind.RESTRICTED: ("0", "1", "1"),
    LimitKind.OPEN_ORDERS: ("0", "1", "3", "6"),
    LimitKind.LEVERAGE: ("0", "0.1", "0.5", "2"),
    LimitKind.PRICE_COLLAR: ("0", "20", "200", "2000"),
    LimitKind.ORDER_RATE: ("0", "1", "2", "5"),
    LimitKind.REPEATED_ORDERS: ("0", "1", "1", "2"),
}


class LimitSwarm:
    """One seed's limits. `size` is a large order's quantity, `price` what one of it costs."""

    def __init__(
        self, seed: int, accounts: Sequence[int], symbols: int, size: Decimal, price: Decimal
    ) -> None:
        self._random = random.Random(f"limits {seed}")
        self._accounts = accounts
        self._symbols = symbols
        self._size = size
        self._price = price
        shares = (0.0, 0.0, 0.02, 0.08) if seed <= LIMITED else (0.04, 0.08)
        self._share = self._random.choice(shares)
        self.kinds = tuple(LimitKind)
        """The kinds that are set."""
        if seed > LIMITED:  # few kinds, so that not every order meets one
            self.kinds = (LimitKind.PRICE_COLLAR, *self._random.sample(tuple(LimitKind), 2))
        self._known: dict[tuple[str, LimitKind, int], tuple[Setting, int]] = {}

    def draw(self, accounts: Sequence[int], people: Sequence[int]) -> AnyCommand | None:
        """A command of ours, if it is our turn."""
        draw = self._random
        if draw.random() >= self._share:
            return None
        self._accounts = accounts
        if draw.random() < 0.5 and any(key[1] in LOSSES for key in self._known):
            return EvaluateLosses()
        key = self._key()
        before, version = self._known.get(key, (Setting(None), 0))
        wanted = self._setting(key[1])
        scope, kind, instrument = key
        actor, asked_by = (*people,) if draw.random() < 0.8 else (*people[:1], *people[:1])
        named = version if draw.random() < 0.9 else version + 1
        consent = Consent(1, asked_by, named) if draw.random() < 0.8 else None
        is_looser = is_raise(before, wanted)
        if not is_looser:
            consent = None
        is_made = not is_looser or (consent is not None and named == version and actor != asked_by)
        limit_key = LimitKey(read_scope(scope), kind, instrument)
        is_sound = not why_not_set(limit_key, wanted) and instrument < 9 and ":99" not in scope
        if is_made and is_sound and wanted != before:
            self._known[key] = (wanted, version + 1)
        return SetLimit(
            *limit_key, wanted.value, "", "r", actor, None, consent, wanted.window_seconds
        )

    def _setting(self, kind: LimitKind) -> Setting:
        draw = self._random
        if draw.random() < 0.3:
            return Setting(None)
        value = self._value(kind)
        if draw.random() < 0.03:
            value = draw.choice((10**19 // 2, UNITS_PER_ONE // 3))
        is_paced = kind in PACING
        if draw.random() < 0.03:
            is_paced = not is_paced
        return Setting(value, draw.choice((1, 2, 5, 30)) if is_paced else 0)

    def _value(self, kind: LimitKind) -> int:
        draw = self._random
        if kind in _NUMBERS:
            return int(Decimal(draw.choice(_NUMBERS[kind])) * UNITS_PER_ONE)
        share = Decimal(draw.choice((0, 1, 10, 30, 100)))
        size = self._size * share / 10
        if kind in LOSSES:
            size /= 20
        if kind in LOSSES or kind in (LimitKind.ORDER_VALUE, LimitKind.EXPOSURE):
            size *= self._price
        return int(size * UNITS_PER_ONE)

    def _key(self) -> tuple[str, LimitKind, int]:
        """Mostly a limit that was set before, so that they do not pile up."""
        draw = self._random
        kept = [key for key, (held, _) in self._known.items() if held.value is not None]
        if kept and draw.random() < 0.6:
            return draw.choice(kept)
        account = draw.choice((*self._accounts, *self._accounts, 99))
        scope = draw.choice(
            (
                "firm",
                f"desk:{draw.randint(1, 2)}",
                f"account:{account}",
                f"account:{account}",
                f"strategy:{draw.choice(self._accounts)}:{draw.choice(TAGS)}",
                f"symbol:{draw.randint(1, self._symbols)}",
            )
        )
        kind = draw.choice(self.kinds)
        if kind in LOSSES and draw.random() < 0.4:
            kind = LimitKind.ORDER_VALUE
        if kind is LimitKind.REPEATED_ORDERS and draw.random() < 0.5:
            kind = LimitKind.ORDER_RATE
        named = draw.choice((0, 0, 0, draw.randint(1, self._symbols), 9))
        if kind is LimitKind.RESTRICTED and not scope.startswith("symbol"):
            named = draw.randint(1, self._symbols)
        return scope, kind, named
