"""Random switches of trading states for a market's history: tighter alone, looser by two persons.

A stream of random numbers of its own, so that a market without switches stays as it was.
"""

import random
from collections.abc import Sequence

from orders.domain.commands import AnyCommand
from risk.domain.commands import Consent, JoinDesk, SwitchTrading
from risk.domain.scopes import read_scope
from risk.domain.states import TradingState

TAGS = ("momentum", "value")
STATES = list(TradingState)

STORMY = 1_000_000
"""Seeds above this one also leave desks; those below stay as they were."""


class SwitchSwarm:
    """One seed's switches. It knows the states that its own switches have led to."""

    def __init__(self, seed: int, accounts: Sequence[int], symbols: int) -> None:
        self._random = random.Random(f"switches {seed}")
        self._leaving = random.Random(f"leaving {seed}")
        self._is_stormy = seed > STORMY
        self._accounts = accounts
        self._symbols = symbols
        self.people = (21, 22)
        """Who asks and who approves: ids of users, where there are such rows."""
        self._share = self._random.choice((0.0, 0.0, 0.02, 0.08))
        self._tag_share = self._random.choice((0.0, 0.5))
        self._states: dict[str, tuple[TradingState, int]] = {}

    def tag(self) -> str | None:
        """The strategy of the next order."""
        draw = self._random
        return draw.choice(TAGS) if draw.random() < self._tag_share else None

    def draw(self, accounts: Sequence[int]) -> AnyCommand | None:
        """A command of ours, if it is our turn."""
        draw = self._random
        if draw.random() >= self._share:
            return None
        self._accounts = accounts
        if draw.random() < 0.1:
            account, desk = draw.choice((*accounts, 99)), draw.randint(1, 2)
            is_leaving = self._is_stormy and self._leaving.random() < 0.4
            return JoinDesk(account, None if is_leaving else desk, "", "r")
        key = self._key()
        state, version = self._states.get(key, (TradingState.ACTIVE, 0))
        wanted = TradingState.ACTIVE if draw.random() < 0.6 else draw.choice(STATES)
        actor, asked_by = self.people if draw.random() < 0.75 else self.people[:1] * 2
        named = version if draw.random() < 0.9 else version + 1
        consent = Consent(1, asked_by, named) if draw.random() < 0.8 else None
        if wanted.is_stricter_than(state):
            consent = None
        is_made = wanted.is_stricter_than(state) or (
            consent is not None and named == version and actor != asked_by
        )
        if is_made and wanted is not state:
            self._states[key] = (wanted, version + 1)
        return SwitchTrading(read_scope(key), wanted, "", "r", actor_id=actor, consent=consent)

    def _key(self) -> str:
        """Mostly a scope that is restricted, so that it does not stay so."""
        draw = self._random
        restricted = [
            key for key, (state, _) in self._states.items() if state is not TradingState.ACTIVE
        ]
        if restricted and draw.random() < 0.8:
            return draw.choice(restricted)
        account = draw.choice((*self._accounts, 99))
        return draw.choice(
            (
                "firm",
                f"desk:{draw.randint(1, 2)}",
                f"account:{account}",
                f"strategy:{draw.choice(self._accounts)}:{draw.choice(TAGS)}",
                f"symbol:{draw.randint(1, self._symbols)}",
            )
        )
