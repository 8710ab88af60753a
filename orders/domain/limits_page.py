"""Writes the tables of limits in docs/risk.md from the words beside the code.

Run `python -m orders.domain.limits_page` after a change; a test compares the two.
"""

from decimal import Decimal
from pathlib import Path
from typing import Final

from orders.domain.built_in_limits import BUILT_IN
from risk.domain.limit_tree import KINDS, LOSSES, LimitKind
from risk.domain.limit_words import WORDS
from risk.domain.recommended import RECOMMENDED

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "risk.md"
INDENT: Final = "    "
"""The tables stand within a numbered rule."""


def kinds_table() -> list[str]:
    """Every kind that can be set."""
    lines = ["| kind | called | its value | counts | refusal |", "|---|---|---|---|---|"]
    for kind, words in WORDS.items():
        rule = f" ({words.rule})" if words.rule else ""
        state = "the account's trading state" if kind in LOSSES else f"`{KINDS[kind].reason}`"
        meaning = f"{words.meaning.rstrip('.')}{rule}"
        lines.append(f"| `{kind.lower()}` | {words.label} | {meaning} | {words.unit} | {state} |")
    return lines


def first_limits_table() -> list[str]:
    """What every order has, and what the firm is advised to set."""
    lines = ["| limit | counts | every order has | recommended for the firm |", "|---|---|---|---|"]
    advised = {WORDS[kind].label: kind for kind in RECOMMENDED}
    for limit in BUILT_IN:
        kind = advised.pop(limit.label, None)
        begin = f"| {limit.label} | {limit.unit} | {_number(limit.value)} (`{limit.reason}`)"
        lines.append(f"{begin} | {'' if kind is None else _recommended(kind)} |")
    for label, kind in advised.items():
        lines.append(f"| {label} | {WORDS[kind].unit} | | {_recommended(kind)} |")
    return lines


def _recommended(kind: LimitKind) -> str:
    wanted = RECOMMENDED[kind]
    within = f" in {wanted.window_seconds} s" if wanted.window_seconds else ""
    return f"{_number(wanted.value)}{within} (`{KINDS[kind].reason}`)"


def _number(value: Decimal) -> str:
    return f"{value.normalize():,f}"


TABLES: Final = {"kinds": kinds_table, "first limits": first_limits_table}


def page(text: str) -> str:
    """The document with its tables as they are to be now."""
    for name, table in TABLES.items():
        begin, end = f"{INDENT}<!-- {name} -->\n", f"{INDENT}<!-- end of {name} -->\n"
        head, rest = text.split(begin)
        tail = rest.split(end)[1]
        lines = "".join(f"{INDENT}{line}\n" for line in table())
        text = f"{head}{begin}\n{lines}\n{end}{tail}"
    return text


if __name__ == "__main__":
    PATH.write_text(page(PATH.read_text(encoding="utf-8")), encoding="utf-8")
