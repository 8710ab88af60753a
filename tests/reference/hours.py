"""Sessions by the rules K1 to K3 of docs/market-states.md: plain lists, scanned anew."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Hours:
    """Of each calendar the sessions that are known: day, opening and close."""

    known: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)

    def change(
        self, calendar: str, sessions: Iterable[tuple[str, int, int]], removed: Iterable[str]
    ) -> None:
        """K1: days are taken away, then told anew."""
        told = list(sessions)
        gone = {*removed, *(day for day, _, _ in told)}
        kept = [session for session in self.known.get(calendar, []) if session[0] not in gone]
        self.known[calendar] = kept + told

    def ahead(self, calendar: str, now_ns: int) -> list[tuple[int, int]]:
        """The sessions that are not over, the first of them first."""
        return sorted(
            (opens_ns, closes_ns)
            for _, opens_ns, closes_ns in self.known.get(calendar, [])
            if now_ns < closes_ns
        )

    def is_open(self, calendar: str, now_ns: int) -> bool:
        return any(
            opens_ns <= now_ns < closes_ns
            for _, opens_ns, closes_ns in self.known.get(calendar, [])
        )
