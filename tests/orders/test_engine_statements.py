"""The engine's own way to the database: what goes wrong is told, and nothing is left behind."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from core.database import database_dsn
from orders.engine import statements
from orders.engine.process import connect
from orders.engine.statements import Statements

pytestmark = pytest.mark.django_db(transaction=True)
Scenario = Callable[[Statements], Awaitable[None]]


def play(scenario: Scenario) -> None:
    async def played() -> None:
        async with await connect(database_dsn()) as connection:
            await scenario(Statements(connection))

    asyncio.run(played())


async def answer(to: Statements, sql: str, *values: str | bytes) -> list[bytes | None]:
    """The first column of the result."""
    result = await to.execute(sql, values)
    return [result.get_value(row, 0) for row in range(result.ntuples)]


def test_text_and_bytes_arrive_as_they_were_given() -> None:
    async def scenario(to: Statements) -> None:
        assert await answer(to, "SELECT $1::text || '!'", "naïve") == ["naïve!".encode()]
        assert await answer(to, "SELECT length($1::bytea)", b"\x00\xff'") == [b"3"]
        assert await answer(to, "SELECT $1::int WHERE false", "1") == []

    play(scenario)


def test_a_statement_that_fails_says_why_and_the_next_one_works() -> None:
    async def scenario(to: Statements) -> None:
        with pytest.raises(psycopg.errors.DivisionByZero, match="division by zero"):
            await to.execute("SELECT 1 / $1::int", ("0",))
        with pytest.raises(psycopg.errors.UndefinedTable):
            await to.execute("SELECT * FROM nothing_of_the_kind", ())
        assert await answer(to, "SELECT 1 / $1::int", "1") == [b"1"]

    play(scenario)


def test_what_does_not_fit_into_the_socket_arrives_whole() -> None:
    async def scenario(to: Statements) -> None:
        size = 50_000_000

        assert await answer(to, "SELECT length($1::text)", "x" * size) == [str(size).encode()]

    play(scenario)


def test_statements_unused_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MAX_PREPARED", 3)

    async def scenario(to: Statements) -> None:
        for number in (1, 2, 3, 1, 4, 5):
            assert await answer(to, f"SELECT {number} + $1::int", "0") == [b"%d" % number]

        kept = await answer(
            to, "SELECT statement FROM pg_prepared_statements WHERE $1::int = 1 ORDER BY 1", "1"
        )

        asked = b"SELECT statement FROM pg_prepared_statements WHERE $1::int = 1 ORDER BY 1"
        assert kept == [b"SELECT 4 + $1::int", b"SELECT 5 + $1::int", asked]

    play(scenario)


def test_a_connection_that_is_lost_ends_the_wait() -> None:
    async def scenario(to: Statements) -> None:
        (pid,) = await answer(to, "SELECT pg_backend_pid()")
        assert pid is not None
        waiting = asyncio.ensure_future(to.execute("SELECT pg_sleep($1::int)", ("60",)))
        async with await connect(database_dsn()) as other:
            await other.execute("SELECT pg_terminate_backend(%s)", (int(pid),))

        with pytest.raises(psycopg.OperationalError):
            await waiting
        with pytest.raises(psycopg.OperationalError):
            await to.execute("SELECT 1", ())

    play(scenario)
