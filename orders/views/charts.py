"""What the terminal's chart asks for: bars with indicators, the catalogue, and own formulas.

Market data is the same for everybody who is signed in; formulas are their owner's alone.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from uuid import UUID

import msgspec
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from core.domain.clock import SystemClock, to_ns, wire_time
from core.domain.decimals import to_wire
from core.domain.errors import Refusal
from marketdata.api.charts import catalogue_fields, series_fields
from marketdata.api.formulas import formula_fields, function_usages
from marketdata.selectors import BarView
from marketdata.selectors.charts import formulas_of
from marketdata.services.charts import ChartQuery, chart, wanted_in
from marketdata.services.formulas import delete_formula, save_formula
from orders.forms import ChartForm, FormulaForm
from orders.views.answers import refused, unreadable, viewer_of

CLOCK = SystemClock()


def _for_viewer(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For whoever is signed in; a Refusal that `view` raises becomes the answer."""

    @login_required
    @wraps(view)
    def answer(request: HttpRequest, **kwargs: object) -> HttpResponse:
        try:
            return view(request, **kwargs)
        except Refusal as refusal:
            return refused(request, refusal)

    return answer


@require_GET
@_for_viewer
def bars(request: HttpRequest) -> HttpResponse:
    """`{"bars": [{t, o, h, l, c, v}], "series": [...]}`, oldest first; the last one may still be
    growing, and the values of its indicators with it.
    """
    form = ChartForm(request.GET)
    if not form.is_valid():
        raise unreadable(form)
    asked = form.cleaned_data
    wanted = wanted_in(asked["indicators"], viewer_of(request), asked["formula"] or None)
    query = ChartQuery(asked["symbol"], asked["timeframe"], asked["limit"], wanted, asked["tail"])
    found = chart(query, CLOCK.now())
    return _json({"bars": [_as_json(bar) for bar in found.bars], "series": series_fields(found)})


@require_GET
@_for_viewer
def indicators(request: HttpRequest) -> HttpResponse:
    """What can be drawn: the catalogue, the functions of formulas, and the viewer's own ones."""
    own = [formula_fields(each) for each in formulas_of(viewer_of(request))]
    return _json(
        {"indicators": catalogue_fields(), "functions": function_usages(), "formulas": own}
    )


@require_POST
@_for_viewer
def save(request: HttpRequest) -> HttpResponse:
    """Keep a formula, or rewrite the one that the form names."""
    form = FormulaForm(request.POST)
    if not form.is_valid():
        raise unreadable(form)
    asked = form.cleaned_data
    formula = save_formula(
        owner=viewer_of(request),
        name=asked["name"],
        text=asked["text"],
        formula_id=asked["id"],
        now=CLOCK.now(),
    )
    return JsonResponse(formula_fields(formula))


@require_POST
@_for_viewer
def delete(request: HttpRequest, formula_id: UUID) -> HttpResponse:
    delete_formula(owner=viewer_of(request), formula_id=formula_id)
    return JsonResponse({})


def _json(fields: Mapping[str, object]) -> HttpResponse:
    """Thousands of numbers: msgspec writes them ten times faster than Django."""
    return HttpResponse(msgspec.json.encode(fields), content_type="application/json")


def _as_json(bar: BarView) -> dict[str, str]:
    return {
        "t": wire_time(to_ns(bar.start)),
        "o": to_wire(bar.open),
        "h": to_wire(bar.high),
        "l": to_wire(bar.low),
        "c": to_wire(bar.close),
        "v": to_wire(bar.volume),
    }
