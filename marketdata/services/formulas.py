"""A person's own formulas: kept, changed and thrown away, each one read before it is stored."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts.models import User
from core.domain.errors import CODE_NOT_FOUND, CODE_UNPROCESSABLE, ErrorReason, Refusal
from marketdata.domain.chart_reasons import ChartError, ChartReason
from marketdata.domain.formulas import parse_formula
from marketdata.models import Formula
from marketdata.selectors.charts import formulas_of

MOST_FORMULAS: Final = 100
"""Of one person: a list that can still be looked through."""

_NAME = re.compile(r"\w[\w .%+-]{0,63}")
"""No comma and no parenthesis: names stand in lists of indicators."""


def refusal_of(error: ChartError) -> Refusal:
    """What a request is told that asked for a chart, or a formula, that cannot be."""
    return Refusal(
        status=422,
        code=CODE_UNPROCESSABLE,
        reason=error.reason,
        message=error.message,
        facts=error.facts,
    )


def no_such_formula() -> Refusal:
    """The refusal for a formula that is not there, or is somebody else's."""
    return Refusal(
        status=404,
        code=CODE_NOT_FOUND,
        reason=ErrorReason.NOT_FOUND,
        message="You have no such formula.",
    )


def save_formula(
    *, owner: User, name: str, text: str, now: datetime, formula_id: UUID | None = None
) -> Formula:
    """The stored formula: a new one, or `formula_id` with this name and text from now on.

    Refusal with a ChartReason when name or text cannot be, of 404 when `owner` has no such one.
    """
    name = name.strip()
    _read(text)
    if not _NAME.fullmatch(name):
        raise _untitled("A name has letters, digits, spaces and . % + - _, 64 at most.")
    with transaction.atomic():
        # One at a time for each person: the count and the names must hold.
        User.objects.select_for_update().get(pk=owner.pk)
        mine = formulas_of(owner)
        formula = mine.filter(pk=formula_id).first() if formula_id else None
        if formula_id and formula is None:
            raise no_such_formula()
        namesake = mine.filter(name=name).first()
        if namesake is not None and namesake != formula:
            raise _untitled(f"You have a formula {name} already; choose another name.")
        if formula is None:
            if mine.count() >= MOST_FORMULAS:
                raise _untitled(f"You have {MOST_FORMULAS} formulas; delete one first.")
            formula = Formula(owner=owner, created_at=now)
        formula.name, formula.text, formula.updated_at = name, text, now
        formula.save()
    return formula


def delete_formula(*, owner: User, formula_id: UUID) -> None:
    """Throw it away; Refusal of 404 when `owner` has no such one."""
    deleted, _ = formulas_of(owner).filter(pk=formula_id).delete()
    if not deleted:
        raise no_such_formula()


def _read(text: str) -> None:
    try:
        parse_formula(text)
    except ChartError as error:
        raise refusal_of(error) from error


def _untitled(message: str) -> Refusal:
    return refusal_of(ChartError(ChartReason.FORMULA_TITLE, message))
