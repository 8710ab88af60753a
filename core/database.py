"""The connection string of Django's database, for the parts that speak to psycopg directly."""

from django.db import connection
from psycopg.conninfo import make_conninfo


def database_dsn() -> str:
    """A libpq connection string of the default database (in a test run: the test database)."""
    params = connection.get_connection_params()
    wanted = ("host", "port", "user", "password", "dbname")
    return make_conninfo(**{key: params[key] for key in wanted if params.get(key)})
