"""Days of the tick tables: made ahead and when needed, dropped by retention, read one at a time."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.domain.clock import to_ns
from marketdata.domain.e8 import NotStorableError, StoreReason, checked_e8, to_e8
from marketdata.domain.stored import QuoteRow, SecondRow, TradeRow
from marketdata.models import SecondBar, StoredQuote, StoredTrade, TickDay
from marketdata.selectors import quotes_in, trades_in
from marketdata.services import save_quotes, save_seconds, save_trades
from marketdata.services.partitions import (
    drop_old_days,
    ensure_days,
    make_days_ahead,
    partition_name,
)

TRADE, QUOTE, SECOND = TickDay.Table.TRADE, TickDay.Table.QUOTE, TickDay.Table.SECOND_BAR
MONDAY = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
KEPT = {TRADE: 30, QUOTE: 3, SECOND: 3}


def trade(at: datetime, number: int = 0, price: int = 48_00000000) -> TradeRow:
    return TradeRow(1, to_ns(at), number, price, 100_00000000, 1, 7, 4, "Q")


def quote(at: datetime, number: int = 0) -> QuoteRow:
    return QuoteRow(1, to_ns(at), number, 47_99000000, 100, 48_01000000, 200, 7)


def second(at: datetime, trade_count: int, close: int) -> SecondRow:
    return SecondRow(1, to_ns(at), 10, 20, 5, close, 100, trade_count, 1_000, 7)


def partitions(table: TickDay.Table) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass",
            [table.value],
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_days_are_made_a_week_ahead() -> None:
    make_days_ahead(datetime(2026, 2, 26, 0, 20, tzinfo=UTC))

    days = [date(2026, 2, 26) + timedelta(days=number) for number in range(8)]
    for table in TickDay.Table:
        assert {partition_name(table, day) for day in days} <= partitions(table)
        assert [*TickDay.objects.filter(table=table).values_list("day", flat=True)] == days


@pytest.mark.django_db
def test_retention_drops_old_days_and_leaves_what_somebody_imported() -> None:
    days = [date(2026, 2, 1), date(2026, 2, 26), date(2026, 2, 27)]
    ensure_days(QUOTE, days)
    ensure_days(QUOTE, [date(2013, 10, 7)], is_kept=True)
    ensure_days(TRADE, days)

    dropped = drop_old_days(datetime(2026, 3, 2, 0, 20, tzinfo=UTC), KEPT)

    assert dropped == ["marketdata_quote_p20260201", "marketdata_quote_p20260226"]
    assert partitions(QUOTE) >= {"marketdata_quote_p20131007", "marketdata_quote_p20260227"}
    assert not partitions(QUOTE) & {*dropped}
    assert {partition_name(TRADE, day) for day in days} <= partitions(TRADE)


@pytest.mark.django_db
def test_day_that_was_made_for_a_feed_is_kept_once_somebody_imports_into_it() -> None:
    ensure_days(TRADE, [date(2013, 10, 7)])
    ensure_days(TRADE, [date(2013, 10, 7)], is_kept=True)
    ensure_days(TRADE, [date(2013, 10, 7)])

    assert drop_old_days(datetime(2026, 3, 2, tzinfo=UTC), KEPT) == []
    assert TickDay.objects.get().is_kept is True


@pytest.mark.django_db(transaction=True)
def test_two_processes_make_the_same_day_once() -> None:
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def make() -> None:
        try:
            start.wait()
            ensure_days(QUOTE, [date(2013, 10, 7), date(2013, 10, 8)])
        except BaseException as error:
            failures.append(error)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert TickDay.objects.filter(table=QUOTE).count() == 2
    ensure_days(QUOTE, [date(2013, 10, 7)])
    assert drop_old_days(datetime(2026, 3, 2, tzinfo=UTC), KEPT) == [
        "marketdata_quote_p20131007",
        "marketdata_quote_p20131008",
    ]


@pytest.mark.django_db
def test_tick_of_a_day_without_partition_makes_it() -> None:
    midnight = datetime(2013, 10, 8, tzinfo=UTC)

    assert save_trades([trade(midnight - timedelta(microseconds=1)), trade(midnight)]) == 2

    assert [*TickDay.objects.values_list("table", "day", "is_kept")] == [
        ("marketdata_trade", date(2013, 10, 7), False),
        ("marketdata_trade", date(2013, 10, 8), False),
    ]
    assert [row.at for row in StoredTrade.objects.order_by("at")] == [
        midnight - timedelta(microseconds=1),
        midnight,
    ]


@pytest.mark.django_db
def test_tick_that_is_told_again_is_stored_once_as_it_was() -> None:
    assert save_trades([trade(MONDAY), trade(MONDAY, 1), trade(MONDAY, 1)]) == 2
    assert save_quotes([quote(MONDAY)]) == 1

    assert save_trades([trade(MONDAY, price=1), trade(MONDAY, 2)]) == 1
    assert save_quotes([quote(MONDAY)]) == 0
    assert save_trades([]) == 0

    stored = StoredTrade.objects.order_by("number").values_list("number", "price_e8", "flags")
    assert [*stored] == [(0, 48_00000000, 4), (1, 48_00000000, 4), (2, 48_00000000, 4)]
    assert StoredQuote.objects.get().ask_e8 == 48_01000000


@pytest.mark.django_db
def test_second_is_replaced_by_one_of_more_trades_only() -> None:
    assert save_seconds([second(MONDAY, 3, 11), second(MONDAY, 2, 12)]) == 1
    assert save_seconds([second(MONDAY, 2, 13)]) == 0
    assert save_seconds([second(MONDAY, 4, 14)]) == 1

    assert SecondBar.objects.values_list("trade_count", "close_e8").get() == (4, 14)


@pytest.mark.django_db
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_second_is_replaced_by_an_amendment_that_moves_only_its_price(
    *, is_one_batch: bool
) -> None:
    first = second(MONDAY, 3, 11)
    amended = first._replace(high_e8=30, close_e8=30)
    other = first._replace(volume_e8=101, high_e8=40)  # another process's three trades
    narrower = first._replace(low_e8=6)
    batches = [[first], [amended], [other], [narrower], [amended]]

    told = [[row for batch in batches for row in batch]] if is_one_batch else batches

    assert sum(save_seconds(rows) for rows in told) == (1 if is_one_batch else 2)
    assert SecondBar.objects.values_list("high_e8", "close_e8", "volume_e8").get() == (30, 30, 100)


@pytest.mark.django_db
def test_halves_of_a_second_that_two_processes_saw_are_not_added_up() -> None:
    """The store cannot tell whether they have trades in common; the fuller one stays."""
    save_seconds([second(MONDAY, 3, 11)])
    save_seconds([second(MONDAY, 2, 12)])

    assert SecondBar.objects.values_list("trade_count", "close_e8").get() == (3, 11)


@pytest.mark.django_db
def test_print_without_a_price_is_refused_with_its_whole_batch() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        save_trades([trade(MONDAY), trade(MONDAY, 1, price=0)])

    assert StoredTrade.objects.count() == 0


def test_numbers_that_do_not_fit_are_refused_and_never_rounded() -> None:
    assert to_e8(Decimal("48.12345678")) == 48_12345678
    assert to_e8(Decimal("92233720368.54775807")) == 2**63 - 1
    refused = {}
    for text in ("0.123456789", "92233720368.54775808", "NaN"):
        with pytest.raises(NotStorableError) as caught:
            to_e8(Decimal(text))
        refused[text] = caught.value.reason
    assert refused == {
        "0.123456789": StoreReason.TOO_FINE,
        "92233720368.54775808": StoreReason.TOO_LARGE,
        "NaN": StoreReason.NOT_A_NUMBER,
    }
    with pytest.raises(NotStorableError):
        checked_e8(-(2**63))


@pytest.mark.django_db
def test_pages_of_ticks_go_on_after_the_last_key_either_way() -> None:
    moments = [MONDAY, MONDAY, MONDAY, MONDAY + timedelta(seconds=1), MONDAY + timedelta(days=1)]
    save_trades([trade(at, number) for number, at in enumerate(moments)])
    save_quotes([quote(at, number) for number, at in enumerate(moments)])
    window = (1, MONDAY, MONDAY + timedelta(days=2))

    first = trades_in(*window, limit=2)
    rest = trades_in(*window, limit=9, after=(first[-1].at, first[-1].number))
    newest = quotes_in(*window, limit=3, newest_first=True)
    older = quotes_in(*window, limit=9, newest_first=True, after=(newest[-1].at, newest[-1].number))

    assert [row.number for row in (*first, *rest)] == [0, 1, 2, 3, 4]
    assert [row.number for row in (*newest, *older)] == [4, 3, 2, 1, 0]
    assert first[0] == (MONDAY, 0, Decimal("48"), Decimal("100"), 1, 7, 4, "Q")
    assert newest[0][2:] == (
        Decimal("47.99"), Decimal("0.00000100"), Decimal("48.01"), Decimal("0.00000200"), 7,
    )  # fmt: skip
    assert trades_in(2, MONDAY, MONDAY, limit=9) == []


@pytest.mark.django_db
@pytest.mark.parametrize("newest_first", [False, True])
def test_page_of_a_window_reads_its_own_day_by_the_primary_key(newest_first: bool) -> None:
    days = [MONDAY + timedelta(days=number) for number in range(4)]
    save_quotes([quote(at, number) for at in days for number in range(200)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE marketdata_quote")

    with CaptureQueriesContext(connection) as captured:
        quotes_in(1, days[1], days[1] + timedelta(hours=1), 10, newest_first, (days[1], 50))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured.captured_queries[0]['sql']}")
        plan = [line.strip() for (line,) in cursor.fetchall()]

    scans = [line for line in plan if "Scan" in line]
    assert len(scans) == 1, plan
    assert "marketdata_quote_p20131008_pkey on marketdata_quote_p20131008" in scans[0]
    assert "Sort" not in " ".join(plan)
    condition = next(line for line in plan if line.startswith("Index Cond"))
    assert "instrument_id = 1" in condition
    assert "ROW(at, number)" in condition
