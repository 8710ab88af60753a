"""The benchmarks run for a moment and report; how fast anything is, no test says."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import fanout, history, imports, latency, orders, restart, storm, throughput
from benchmarks.killing import Outage
from benchmarks.machine import describe
from benchmarks.market_data import NO_DATA, market_data
from benchmarks.options import Options
from benchmarks.portal import Portal, running_portal
from benchmarks.processes import PROJECT
from benchmarks.report import Report, Row, Section, ratio
from tests.marketdata.lean_files import lean_folder

A_MOMENT = Options(
    seconds=1,
    rounds=1,
    connections=8,
    sockets=20,
    messages=2_000,
    orders=100,
    open_orders=40,
    offered=20,
)

MORE_THAN_MEASURED = 25_000
"""Stored orders, so that there is something to fill in after all that is measured."""


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


def test_memory_of_open_orders_is_told_for_a_hundred_thousand() -> None:
    outages = [Outage(2.5, 0.5), Outage(3.5, 1.5)]
    levels = [
        restart.Level(0, 100.0, outages, [100.0, 110.0]),
        restart.Level(50_000, 170.0, outages, [180.0, 180.0]),
        restart.Level(100_000, 260.0, outages, [280.0, 290.0]),
    ]

    rows = {row.name: row for row in restart.section_of(levels).rows}

    assert rows["first ack, 50,000 open"].values == [2.5, 3.5]
    assert rows["first ack, 50,000 open"].bar == "≤ 5"
    assert rows["of that, recovery, 50,000 open"].values == [0.5, 1.5]
    assert rows["memory of 100,000 open orders, placed"].values == [120.0]
    assert rows["memory of 100,000 open orders, restarted"].values == [180.0, 180.0]


def test_benchmark_without_its_data_says_that_it_was_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_MARKET_DATA", str(tmp_path))

    assert market_data() is None
    assert NO_DATA.startswith("skipped: there is no market data")


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with running_portal() as running:
        yield running


@pytest.mark.processes
@pytest.mark.xdist_group("benchmarks")
class TestAgainstPortal:
    def test_history_is_such_as_the_portal_itself_writes(self, portal: Portal) -> None:
        # The first of all: its sample must not meet what others leave in the book.
        options = dataclasses.replace(A_MOMENT, orders=MORE_THAN_MEASURED)

        section = history.measure(portal, options)

        assert all(value > 0 for row in section.rows for value in row.values)
        stored = [row.name.split()[0] for row in section.rows if " stored, " in row.name]
        assert len(stored) == 4
        assert int(stored[-1].replace(",", "")) >= MORE_THAN_MEASURED
        verified = subprocess.run(
            [sys.executable, "manage.py", "verify_ledger"],
            cwd=PROJECT,
            env={**os.environ, **portal.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert verified.returncode == 0, verified.stdout

    def test_orders_are_placed_in_all_three_designs(self, portal: Portal) -> None:
        section = orders.measure(portal, A_MOMENT)

        assert all(value > 0 for row in section.rows[:5] for value in row.values)
        assert section.notes == [
            "portal: every answer was a success",
            "usual ORM design: every answer was a success",
        ]

    def test_import_and_copy_store_the_same_rows(
        self, portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lean_folder(tmp_path / "lean")
        monkeypatch.setenv("PORTAL_MARKET_DATA", str(tmp_path))

        section = imports.measure(portal, A_MOMENT)

        assert [row.name for row in section.rows if row.unit == "×"] == ["  import ÷ COPY"] * 2
        assert all(value > 0 for row in section.rows for value in row.values)
        assert section.notes == [
            "quotes: 4 rows a round; 1 crossed",
            "trades: 4 rows a round; 0 crossed",
        ]

    def test_offered_orders_are_acknowledged(self, portal: Portal) -> None:
        section = latency.measure(portal, A_MOMENT)

        assert "at 500/s offered: every answer was a success" in section.notes

    def test_updates_arrive_at_every_socket(self, portal: Portal) -> None:
        section = fanout.measure(portal, A_MOMENT)

        assert section.rows[0].values == [100.0]

    def test_large_updates_arrive_at_every_socket(self, portal: Portal) -> None:
        section = throughput.measure(portal, A_MOMENT)

        assert section.rows[1].values == [100.0]

    def test_every_socket_is_back_after_a_storm(self, portal: Portal) -> None:
        section = storm.measure(portal, A_MOMENT)

        assert [len(row.values) for row in section.rows] == [1, 1, 1, 1, 2]
