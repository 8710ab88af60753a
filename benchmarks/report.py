"""What a benchmark found, as a table for people and JSON for programs."""

from collections.abc import Sequence

import msgspec

from benchmarks.machine import Machine
from benchmarks.quantiles import median


class Row(msgspec.Struct, frozen=True):
    """One quantity with its value in each round. `bar` is what it should reach, in words."""

    name: str
    unit: str
    values: list[float]
    bar: str = ""

    @property
    def median(self) -> float:
        return median(self.values)


class Section(msgspec.Struct, frozen=True):
    """The result of one benchmark. `notes` say how it was measured and what went wrong."""

    name: str
    title: str
    rows: list[Row]
    notes: list[str]


class Report(msgspec.Struct, frozen=True):
    machine: Machine
    sections: list[Section]

    def as_json(self) -> bytes:
        """The whole result with medians beside the values of the rounds."""
        document = msgspec.to_builtins(self)
        for section in document["sections"]:
            for row in section["rows"]:
                row["median"] = median(row["values"])
        return msgspec.json.format(msgspec.json.encode(document)) + b"\n"

    def as_text(self) -> str:
        parts = [f"Measured on {self.machine.text}"]
        for section in self.sections:
            parts += ["", section.title, _table(section.rows)]
            parts += [f"  {note}" for note in section.notes]
        return "\n".join(parts) + "\n"


def ratio(name: str, above: Sequence[float], below: Sequence[float], bar: str = "") -> Row:
    """Quotients round by round: both sides of each were measured within the same moments."""
    return Row(name, "×", [a / b for a, b in zip(above, below, strict=True) if b], bar)


def _table(rows: Sequence[Row]) -> str:
    cells = [("", "median", "min – max", "rounds", "bar")]
    cells += [
        (
            row.name,
            f"{_number(row.median)} {row.unit}",
            f"{_number(min(row.values))} – {_number(max(row.values))}",
            str(len(row.values)),
            row.bar,
        )
        for row in rows
        if row.values
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = []
    for line in cells:
        padded = [line[0].ljust(widths[0])]
        padded += [text.rjust(width) for text, width in zip(line[1:4], widths[1:4], strict=True)]
        lines.append("  " + "  ".join([*padded, line[4]]).rstrip())
    return "\n".join(lines)


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
