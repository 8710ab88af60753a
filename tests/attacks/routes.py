"""Every address that the portal answers, taken from the URL configuration itself.

A route that is added tomorrow is swept tomorrow, without anyone remembering to list it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

_SAMPLES = {
    "int": "999999",
    "str": "AAPL",
    "slug": "aapl",
    "uuid": str(UUID(int=7)),
    "path": "a/b",
}


@dataclass(frozen=True)
class Route:
    """One address with its parameters filled in."""

    name: str
    path: str

    def __str__(self) -> str:
        return self.path


def all_routes() -> list[Route]:
    """Each route once, in the order of the URL configuration."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str, names: str) -> Iterator[Route]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            namespace = f"{names}{entry.namespace}:" if entry.namespace else names
            yield from _walk(entry.url_patterns, prefix + _fill(entry), namespace)
        elif not _is_catch_all(entry):
            yield Route(f"{names}{entry.name}", f"/{prefix}{_fill(entry)}")


def _is_catch_all(entry: URLPattern) -> bool:
    return str(entry.pattern).startswith("(?P<url>")


def _fill(entry: URLPattern | URLResolver) -> str:
    """The pattern with a sample in place of each parameter, the first choice of each choice."""
    text = str(entry.pattern).removeprefix("^").removesuffix("$")
    text = re.sub(r"\(\?P<\w+>\[[^)]*\)", _SAMPLES["str"], text)  # any characters but some
    text = re.sub(r"\(\?P<\w+>([^|)]*)[^)]*\)", r"\1", text)
    return re.sub(r"<(?:(\w+):)?\w+>", lambda match: _SAMPLES.get(match[1] or "str", "AAPL"), text)
