"""A crash at every place of a commit, for every kind of command: as if there had been no crash.

A random history is run twice: once with crashes, after each of which the client sends again what
was not done; once with orderly restarts at the same places. The tables must end the same (I2-I8),
and the journal, which is written with each batch, must replay to them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from django.db import connection

from accounts.models import User
from core.domain.clock import from_ns
from marketdata.models import Currency, Instrument, Venue
from orders.domain import commands
from orders.domain.market_commands import (
    CheckMargin,
    PlanMarketState,
    SetBands,
    WithdrawMarketPlan,
)
from orders.engine.client import UnknownOutcomeError
from orders.verification import discrepancies
from portfolio.models import Desk
from portfolio.services.accounts import create_account, create_house_accounts
from risk.domain.limit_tree import LOSSES, LimitKind
from tests.faults.in_process import (
    NUMBERED,
    OUR_OWN,
    TABLES,
    InProcessEngine,
    Point,
)
from tests.faults.told_stories import margin_story, plan_story
from tests.orders.replaying import assert_replays
from tests.simulation.floor import START_NS
from tests.simulation.market_swarm import MarketSwarm, Timed
from tests.simulation.told_clock import ToldClock

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.xdist_group("crash points"),  # the last test looks at what the others met
]

SEEDS = (33, 43, 49, 106, 153, 184)
STEPS = 90
TOLD = {"margin call": margin_story, "market plans": plan_story}
"""Stories of what random histories seldom meet."""

CRASHING = (CheckMargin, PlanMarketState, WithdrawMarketPlan, SetBands)
STORIES = (*SEEDS, *TOLD)
CRASH_SHARES = {"SubmitOrder": 0.15, "QuoteStreet": 0.8}
"""How often these break off; every other kind always does, being rare."""
MET: Counter[tuple[str, Point]] = Counter()
SEEDS_RUN: set[int | str] = set()


@dataclass(frozen=True)
class Story:
    """A history and the steps at which the engine crashes or is restarted."""

    history: tuple[Timed, ...]
    breaks: frozenset[int]


@pytest.fixture
def story(request: pytest.FixtureRequest, make_user: Callable[..., User]) -> Story:
    """The seed's history on accounts and instruments that exist as rows."""
    seed: int = SEEDS[0] if request.param in TOLD else request.param
    swarm = MarketSwarm(seed, START_NS)
    swarm.sessions.share = 0.06
    swarm.trails.share, swarm.displays.share = 0.2, 0.5
    now = from_ns(START_NS)
    create_house_accounts(now=now)
    swarm.accounts = [
        create_account(owner=make_user(f"user{number}"), name="Main", now=now).pk
        for number in swarm.accounts
    ]
    # Losses are looked at once a second of the real clock, which no two runs share.
    swarm.limits.kinds = tuple(kind for kind in LimitKind if kind not in LOSSES)
    swarm.switches.people = (make_user("olga").pk, make_user("odin").pk)
    for number in (1, 2):
        Desk.objects.create(pk=number, name=f"Desk {number}")
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    for number, listing in enumerate(swarm.listings, start=1):
        Instrument.objects.create(
            pk=number,
            symbol=listing.symbol,
            name=listing.symbol,
            venue=venue,
            asset_class="us_equity",
            quote_currency=Currency.objects.get(),
            tick_size=listing.tick,
            lot_size=listing.lot,
            min_notional=listing.smallest_value,
        )
    if request.param in TOLD:
        history = tuple(TOLD[request.param](swarm.accounts, swarm.listings[0]))
        crashing = [isinstance(timed.command, CRASHING) for timed in history]
        return Story(history, frozenset(n for n, is_break in enumerate(crashing) if is_break))
    history = tuple(swarm.history(STEPS))
    return Story(history, breaks_of(history, seed))


def kind_of(timed: Timed) -> str:
    """An order that comes with legs is a kind of its own."""
    command = timed.command
    is_group = isinstance(command, commands.SubmitOrder) and command.group is not None
    return "SubmitOrder of a group" if is_group else type(command).__name__


def breaks_of(history: Sequence[Timed], seed: int) -> frozenset[int]:
    draw = Random(seed)
    kinds = [kind_of(timed) for timed in history]
    return frozenset(
        number for number, kind in enumerate(kinds) if draw.random() < CRASH_SHARES.get(kind, 1.0)
    )


@pytest.mark.parametrize("story", STORIES, indirect=True, ids=lambda seed: f"seed {seed}")
def test_crash_and_orderly_restart_end_the_same(
    story: Story, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    outcomes = {}
    for point in Point:
        asyncio.run(run_with_crashes(story, point, tmp_path))
        outcomes[point] = rows_of_all_tables()
        assert [*discrepancies()] == []
        assert_replays()
        empty_the_tables()
    restarted = {}
    for is_before in (True, False):
        asyncio.run(run_with_restarts(story, tmp_path, is_before=is_before))
        restarted[is_before] = rows_of_all_tables()
        assert_replays()
        empty_the_tables()

    assert len(outcomes[Point.AFTER_COMMIT]["orders_order"]) > 4
    assert outcomes[Point.BEFORE_BEGIN] == restarted[True]
    assert outcomes[Point.BEFORE_COMMIT] == restarted[True]
    assert outcomes[Point.AFTER_COMMIT] == restarted[False]
    SEEDS_RUN.add(request.node.callspec.params["story"])


KINDS = {
    "SubmitOrder",
    "SubmitOrder of a group",
    "ReplaceOrder",
    "AmendOrder",
    "CancelOrder",
    "CancelAllOrders",
    "OrderBatch",
    "SetDeadMan",
    "OpenSession",
    "EndSession",
    "MoveCash",
    "SetInstrumentStatus",
    "SetFeeTier",
    "SetAccountTier",
    "ConfigureAccount",
    "SetStpMode",
    "SetSessions",
    "SetMargin",
    "QuoteStreet",
    "PrintStreetTrade",
    "SwitchTrading",
    "JoinDesk",
    "PlanMarketState",
    "WithdrawMarketPlan",
    "SetBands",
    "CheckMargin",
    "SetLimit",
}


def test_every_kind_of_command_has_crashed_at_every_point(request: pytest.FixtureRequest) -> None:
    asked_for = [item for item in request.session.items if item.path == request.path]
    if len(asked_for) <= len(STORIES):
        pytest.skip("only some of the seeds were asked for")

    assert set(STORIES) == SEEDS_RUN, "a seed failed, or ran in another process"
    assert {(kind, point) for kind in KINDS for point in Point} - MET.keys() == set()


async def run_with_crashes(story: Story, point: Point, directory: Path) -> None:
    clock = ToldClock(START_NS)
    engine = InProcessEngine(directory / "engine.sock", clock)
    await engine.start()
    for number, timed in enumerate(story.history):
        clock.time_ns = timed.now_ns
        crash_at = point if number in story.breaks else None
        try:
            await engine.ask(timed.command, crash_at)
        except UnknownOutcomeError:
            await engine.bury()
            await engine.start()
            MET[kind_of(timed), point] += 1
            if point is not Point.AFTER_COMMIT:
                await engine.ask(timed.command)  # it was not done, so it is sent again
        else:
            # Nothing to commit, so nothing to crash in: refused, or a quote that fills nobody.
            if crash_at is not None:
                await engine.stop()
                await engine.start()
                if point is not Point.AFTER_COMMIT:
                    await engine.ask(timed.command)
    await engine.stop()
    await engine.close()


async def run_with_restarts(story: Story, directory: Path, *, is_before: bool) -> None:
    clock = ToldClock(START_NS)
    engine = InProcessEngine(directory / "engine.sock", clock)
    await engine.start()
    for number, timed in enumerate(story.history):
        clock.time_ns = timed.now_ns
        is_break = number in story.breaks
        if is_break and is_before:
            await engine.stop()
            await engine.start()
        await engine.ask(timed.command)
        if is_break and not is_before:
            await engine.stop()
            await engine.start()
    await engine.stop()
    await engine.close()


def rows_of_all_tables() -> dict[str, list[str]]:
    tables = {}
    with connection.cursor() as cursor:
        for table, order in TABLES.items():
            own = OUR_OWN if table in NUMBERED else ""
            names = "{" + own.replace(" ", "") + "}"
            cursor.execute(
                f"SELECT (to_jsonb(t) - '{names}'::text[])::text FROM {table} t ORDER BY {order}"
            )
            tables[table] = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT symbol, status, set_status, market_band_bps, volatility_bps, window_seconds,"
            " pause_state, pause_seconds, window_price, window_at, paused, paused_until"
            " FROM marketdata_instrument ORDER BY id"
        )
        tables["marketdata_instrument"] = [str(row) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT id, fee_tier_id, is_suspended, margin_multiplier, is_shorting_enabled,"
            " stp_mode, margin_called_at, margin_deadline_at, forced_closing"
            " FROM portfolio_tradingaccount ORDER BY id"
        )
        tables["portfolio_tradingaccount"] = [str(row) for row in cursor.fetchall()]
    return tables


def empty_the_tables() -> None:
    emptied = [table for table in TABLES if table != "portfolio_feetier"]
    emptied += ["orders_enginelease", "orders_journal"]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(emptied)} CASCADE")
        cursor.execute(
            "UPDATE portfolio_tradingaccount"
            " SET fee_tier_id = NULL, desk_id = NULL, is_suspended = false, is_long_only = false,"
            " margin_multiplier = 1, is_shorting_enabled = false, stp_mode = 'REJECT',"
            " margin_called_at = NULL, margin_deadline_at = NULL, forced_closing = ''"
        )
        cursor.execute("DELETE FROM portfolio_feetier")
        cursor.execute(
            "UPDATE marketdata_instrument SET status = 'OPEN', set_status = 'OPEN',"
            " market_band_bps = 500, volatility_bps = 0, window_seconds = 300,"
            " pause_state = 'AUCTION', pause_seconds = 120, window_price = NULL, window_at = NULL,"
            " paused = NULL, paused_until = NULL"
        )
