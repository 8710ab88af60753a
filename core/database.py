"""Django's database, for the parts that speak to psycopg directly or want to see it stand still."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from psycopg.conninfo import make_conninfo


def database_dsn() -> str:
    """A libpq connection string of the default database (in a test run: the test database)."""
    params = connection.get_connection_params()
    wanted = ("host", "port", "user", "password", "dbname")
    return make_conninfo(**{key: params[key] for key in wanted if params.get(key)})


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read inside is all of one moment, whatever is committed meanwhile, and nothing can be
    written. Inside a transaction of the caller's it is that transaction, as it is.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
