"""`/api/v1/formulas`: the caller's own formulas. Somebody else's are as if they were not there."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import HasScope
from accounts.models import User
from core.api import read_json_object, refuse_unknown_fields
from core.domain.errors import ErrorReason
from core.once import read_body
from marketdata.api import chart_schema
from marketdata.api.base import DataView
from marketdata.api.params import Query, invalid
from marketdata.domain.dialect import Fields
from marketdata.domain.formulas.functions import FUNCTIONS
from marketdata.domain.formulas.parser import usage
from marketdata.models import Formula
from marketdata.selectors.charts import formulas_of
from marketdata.services.formulas import delete_formula, no_such_formula, save_formula

MEMBERS = ("name", "text")


class _FormulaView(DataView):
    """To look takes `read`, to change something `trade`: a key that reads changes nothing."""

    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        return [HasScope("read" if self.request.method in {"GET", "HEAD"} else "trade")]

    def owner(self, request: Request) -> User:
        assert isinstance(request.user, User)  # a key always belongs to one
        return request.user


class FormulaList(_FormulaView):
    @extend_schema(
        summary="Own formulas", tags=["Charts"], responses=chart_schema.FormulaAnswer(many=True)
    )
    def get(self, request: Request) -> Response:
        Query(request.query_params, ())
        return Response([formula_fields(each) for each in formulas_of(self.owner(request))])

    @extend_schema(
        summary="Keep a formula",
        tags=["Charts"],
        request=chart_schema.FormulaCreation,
        responses={201: chart_schema.FormulaAnswer},
    )
    def post(self, request: Request) -> Response:
        asked = _texts(request)
        for name in MEMBERS:
            if name not in asked:
                raise invalid(name, "it is required", ErrorReason.FIELD_MISSING)
        formula = save_formula(
            owner=self.owner(request), name=asked["name"], text=asked["text"], now=self.now()
        )
        return Response(formula_fields(formula), status=201)


class FormulaDetail(_FormulaView):
    @extend_schema(summary="One formula", tags=["Charts"], responses=chart_schema.FormulaAnswer)
    def get(self, request: Request, formula_id: UUID) -> Response:
        Query(request.query_params, ())
        return Response(formula_fields(self._own(request, formula_id)))

    @extend_schema(
        summary="Rename or rewrite a formula",
        tags=["Charts"],
        request=chart_schema.FormulaChange,
        responses=chart_schema.FormulaAnswer,
    )
    def patch(self, request: Request, formula_id: UUID) -> Response:
        asked = _texts(request)
        before = self._own(request, formula_id)
        formula = save_formula(
            owner=self.owner(request),
            formula_id=formula_id,
            name=asked.get("name", before.name),
            text=asked.get("text", before.text),
            now=self.now(),
        )
        return Response(formula_fields(formula))

    @extend_schema(summary="Delete a formula", tags=["Charts"], responses={204: None})
    def delete(self, request: Request, formula_id: UUID) -> Response:
        delete_formula(owner=self.owner(request), formula_id=formula_id)
        return Response(status=204)

    def _own(self, request: Request, formula_id: UUID) -> Formula:
        formula = formulas_of(self.owner(request)).filter(pk=formula_id).first()
        if formula is None:
            raise no_such_formula()
        return formula


def formula_fields(formula: Formula) -> Fields:
    """A formula as API and pages tell it."""
    return {
        "id": str(formula.pk),
        "name": formula.name,
        "text": formula.text,
        "created_at": formula.created_at,
        "updated_at": formula.updated_at,
    }


def function_usages() -> list[str]:
    """How each function of the language is written, by name."""
    return [usage(FUNCTIONS[name]) for name in sorted(FUNCTIONS)]


def _texts(request: Request) -> dict[str, str]:
    asked = read_json_object(read_body(request))
    refuse_unknown_fields(asked, MEMBERS)
    for name, value in asked.items():
        if not isinstance(value, str):
            raise invalid(name, "it must be text")
    return asked
