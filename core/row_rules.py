"""The rules (CHECK constraints) of tables that the engine writes to with every batch.

PostgreSQL reads the whole text of a table's rules anew for each statement that writes to it, and
keeps a comparison of one value in half a kilobyte: those of the orders, as Django writes them from
Q objects, took 30 kB and more time than the orders themselves. Said in SQL they take half of it.
"""

from django.db import models
from django.db.models.expressions import RawSQL


def row_rule(name: str, sql: str) -> models.CheckConstraint:
    """The rule `name`: `sql` is not false for any row. Unknown, as a comparison with NULL, is not
    false.
    """
    condition = RawSQL(sql, (), models.BooleanField())  # noqa: S611  # constants of ours
    return models.CheckConstraint(condition=condition, name=name)
