"""Bars for the terminal's chart. Market data is the same for everybody who is signed in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from core.domain.clock import SystemClock, to_ns, wire_time
from core.domain.decimals import to_wire
from marketdata.selectors.bars import BarView, bars_for_chart
from orders.forms import ChartForm
from orders.views.answers import refused, unreadable


@require_GET
@login_required
def bars(request: HttpRequest) -> HttpResponse:
    """`{"bars": [{t, o, h, l, c, v}]}`, oldest first; the last one may still be growing."""
    form = ChartForm(request.GET)
    if not form.is_valid():
        return refused(request, unreadable(form))
    asked = form.cleaned_data
    now = SystemClock().now()
    found = bars_for_chart(asked["symbol"], asked["timeframe"], asked["limit"], now)
    return JsonResponse({"bars": [_as_json(bar) for bar in found]})


def _as_json(bar: BarView) -> dict[str, str]:
    return {
        "t": wire_time(to_ns(bar.start)),
        "o": to_wire(bar.open),
        "h": to_wire(bar.high),
        "l": to_wire(bar.low),
        "c": to_wire(bar.close),
        "v": to_wire(bar.volume),
    }
