"""The limits of scopes in the engine's memory, where an order finds those that bind it, and what
they count (docs/risk.md M1 to M15).
"""

from dataclasses import dataclass, field

from risk.domain.limit_tree import Bound, Limit, LimitKey
from risk.domain.losses import Watermark
from risk.domain.pace import Pace
from risk.domain.usage import Usage


@dataclass(slots=True)
class Limits:
    """Every limit that was ever set; those in force by their scope, where an order finds them
    (an account's and an instrument's are with these), how many of them judge an order, look at how
    orders come, watch losses. `usage` is counted while one of them needs it, `pace` is what came
    lately, `watermarks` what the accounts' losses are measured from.
    """

    by_key: dict[LimitKey, Limit] = field(default_factory=dict)
    firm: tuple[Bound, ...] = ()
    desks: dict[int, tuple[Bound, ...]] = field(default_factory=dict)
    strategies: dict[tuple[int, str], tuple[Bound, ...]] = field(default_factory=dict)
    judging: int = 0
    pacing: int = 0
    watching: int = 0
    watermarks: dict[int, Watermark] = field(default_factory=dict)
    usage: Usage | None = None
    pace: Pace = field(default_factory=Pace)
