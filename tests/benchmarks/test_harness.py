"""The benchmarks run for a moment and report; how fast anything is, no test says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import fanout, latency, orders
from benchmarks.machine import describe
from benchmarks.options import Options
from benchmarks.portal import Portal, running_portal
from benchmarks.report import Report, Row, Section, ratio

A_MOMENT = Options(seconds=1, rounds=1, connections=8, sockets=20, messages=2_000)


def test_book_benchmark_prints_its_table_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "result.json"

    code = command.main(["matching", "--messages", "2000", "--rounds", "2", "--json", str(file)])

    assert code == 0
    assert "messages a CPU second" in capsys.readouterr().out
    document = json.loads(file.read_text())
    assert document["machine"]["cores"] >= 1
    row = document["sections"][0]["rows"][0]
    assert len(row["values"]) == 2
    assert min(row["values"]) <= row["median"] <= max(row["values"])


def test_ratio_compares_round_by_round() -> None:
    compared = ratio("a ÷ b", [10.0, 30.0, 8.0], [1.0, 2.0, 4.0])

    assert compared.values == [10.0, 15.0, 2.0]
    assert compared.median == 10.0


def test_table_shows_median_spread_and_bar() -> None:
    section = Section("x", "A title", [Row("speed", "m/s", [1.0, 4.0, 2.5], "≥ 2")], ["a note"])

    text = Report(describe(), [section]).as_text()

    assert "A title" in text
    assert "2.50 m/s  1.00 – 4.00       3  ≥ 2" in text
    assert "a note" in text


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with running_portal() as running:
        yield running


@pytest.mark.processes
@pytest.mark.xdist_group("benchmarks")
class TestAgainstPortal:
    def test_orders_are_placed_in_all_three_designs(self, portal: Portal) -> None:
        section = orders.measure(portal, A_MOMENT)

        assert all(value > 0 for row in section.rows[:5] for value in row.values)
        assert section.notes == [
            "portal: every answer was a success",
            "usual ORM design: every answer was a success",
        ]

    def test_offered_orders_are_acknowledged(self, portal: Portal) -> None:
        section = latency.measure(portal, A_MOMENT)

        assert "at 500/s offered: every answer was a success" in section.notes

    def test_updates_arrive_at_every_socket(self, portal: Portal) -> None:
        section = fanout.measure(portal, A_MOMENT)

        assert section.rows[0].values == [100.0]
