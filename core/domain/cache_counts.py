"""How often a cache knew the answer. Plain numbers: a measure of Prometheus costs more than a hit.

Kept by every cache, told once a second by core/cache.py.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class CacheCounts:
    """Counts since the process began. A lost increment between threads is a lost increment."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0

    def since(self, before: "CacheCounts") -> "CacheCounts":
        return CacheCounts(
            self.hits - before.hits,
            self.misses - before.misses,
            self.evictions - before.evictions,
        )

    def copy(self) -> "CacheCounts":
        return CacheCounts(self.hits, self.misses, self.evictions)
