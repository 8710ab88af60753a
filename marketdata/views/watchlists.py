"""The pages of watchlists: all of one's own, one of them, and every change by a plain form.

Scripts send the same forms and are answered in JSON; a list that its owner shares is read here by
whoever trades on the same desk, and by nobody else.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from core.api import wants_json
from core.domain.clock import SystemClock
from core.domain.errors import CODE_UNPROCESSABLE, ErrorReason, Refusal
from marketdata.domain.watching import (
    LONGEST_NAME,
    MOST_INSTRUMENTS,
    MOST_WATCHLISTS,
    WatchReason,
)
from marketdata.forms import WatchlistChangeForm, WatchlistForm
from marketdata.models import Instrument, Watchlist
from marketdata.selectors import instrument_by_symbol
from marketdata.selectors.watch import watch_rows
from marketdata.selectors.watchlists import (
    instruments_of,
    own_watchlist,
    watchlist_visible_to,
    watchlists_of,
)
from marketdata.services import watchlists as services
from marketdata.views.answers import for_viewer, viewer_of
from marketdata.views.rows import shown_row

AnyForm = TypeVar("AnyForm", bound=Form)
Values = Mapping[str, object]
LIMITS = {"lists": MOST_WATCHLISTS, "instruments": MOST_INSTRUMENTS, "name": LONGEST_NAME}


@require_GET
@for_viewer
def index(request: HttpRequest) -> HttpResponse:
    """The viewer's own lists in their order."""
    lists = list(watchlists_of(viewer_of(request)))
    if wants_json(request):
        return JsonResponse({"watchlists": [_summary(row) for row in lists]})
    context = {"lists": lists, "limits": LIMITS, "is_full": len(lists) >= MOST_WATCHLISTS}
    return render(request, "marketdata/watchlists.html", context)


@require_POST
@for_viewer
def create(request: HttpRequest) -> HttpResponse:
    form = _valid(WatchlistForm(request.POST))
    symbol = form.cleaned_data["symbol"]
    made = services.create_watchlist(
        owner=viewer_of(request),
        name=form.cleaned_data["name"],
        instruments=[_instrument(symbol)] if symbol else [],
        now=SystemClock().now(),
    )
    return redirect(_page_of(made, {"add": 1}))


@require_GET
@for_viewer
def page(request: HttpRequest, watchlist_id: UUID) -> HttpResponse:
    """One list: its owner changes it here, a mate of the desk reads it and may copy it."""
    viewer = viewer_of(request)
    watchlist = watchlist_visible_to(viewer, watchlist_id)
    if watchlist is None:
        raise Http404
    if wants_json(request):
        return JsonResponse(_listed(watchlist))
    instruments = instruments_of(watchlist)
    removed = instrument_by_symbol(request.GET.get("removed", "").replace("\0", ""))
    context = {
        "watchlist": watchlist,
        "is_own": watchlist.owner_id == viewer.pk,
        "rows": [shown_row(row) for row in watch_rows(SystemClock().now(), instruments)],
        "address": request.build_absolute_uri(_page_of(watchlist)),
        "limits": LIMITS,
        "is_full": len(instruments) >= MOST_INSTRUMENTS,
        "is_adding": "add" in request.GET,
        "removed": removed,
        "removed_from": request.GET.get("at", ""),
    }
    return render(request, "marketdata/watchlist.html", context)


@require_POST
@for_viewer
def change(request: HttpRequest, watchlist_id: UUID) -> HttpResponse:
    """One change, which the form's `act` names, of one of the viewer's own lists."""
    watchlist = _own(viewer_of(request), watchlist_id)
    values = _valid(WatchlistChangeForm(request.POST)).cleaned_data
    then = ACTS[values["act"]](watchlist, values, SystemClock().now())
    if wants_json(request):
        return JsonResponse(_listed(Watchlist.objects.get(pk=watchlist.pk)))
    return redirect(then)


@require_POST
@for_viewer
def copy(request: HttpRequest, watchlist_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    watchlist = watchlist_visible_to(viewer, watchlist_id)
    if watchlist is None:
        raise Http404
    made = services.copy_watchlist(watchlist=watchlist, owner=viewer, now=SystemClock().now())
    messages.success(request, _("This copy is yours. Changes of either do not reach the other."))
    return redirect(_page_of(made))


@require_http_methods(["GET", "POST"])
@for_viewer
def delete(request: HttpRequest, watchlist_id: UUID) -> HttpResponse:
    """Asks first; a POST deletes."""
    watchlist = _own(viewer_of(request), watchlist_id)
    if request.method == "GET":
        context = {"watchlist": watchlist, "size": len(instruments_of(watchlist))}
        return render(request, "marketdata/watchlist_delete.html", context)
    services.delete_watchlist(watchlist=watchlist)
    messages.success(request, _("%(name)s is deleted.") % {"name": watchlist.name})
    return redirect("marketdata:watchlists")


def _rename(watchlist: Watchlist, values: Values, now: datetime) -> str:
    services.rename_watchlist(watchlist=watchlist, name=str(values["name"]), now=now)
    return _page_of(watchlist)


def _share(watchlist: Watchlist, values: Values, now: datetime) -> str:
    services.share_watchlist(watchlist=watchlist, is_shared=values["act"] == "share", now=now)
    return _page_of(watchlist)


def _add(watchlist: Watchlist, values: Values, now: datetime) -> str:
    to = values["to"] if isinstance(values["to"], int) else MOST_INSTRUMENTS
    instrument = _instrument(str(values["symbol"]))
    services.add_instrument(watchlist=watchlist, instrument=instrument, now=now, to=to)
    return _page_of(watchlist, {"add": 1})


def _remove(watchlist: Watchlist, values: Values, now: datetime) -> str:
    instrument = _instrument(str(values["symbol"]))
    before = [found.pk for found in instruments_of(watchlist)]
    at = before.index(instrument.pk) if instrument.pk in before else 0
    services.remove_instrument(watchlist=watchlist, instrument=instrument, now=now)
    return _page_of(watchlist, {"removed": instrument.symbol, "at": at})


def _move(watchlist: Watchlist, values: Values, now: datetime) -> str:
    instrument = _instrument(str(values["symbol"]))
    services.move_instrument(watchlist=watchlist, instrument=instrument, to=_to(values), now=now)
    return _page_of(watchlist)


def _place(watchlist: Watchlist, values: Values, now: datetime) -> str:
    services.move_watchlist(watchlist=watchlist, to=_to(values))
    return reverse("marketdata:watchlists")


ACTS: Mapping[str, Callable[[Watchlist, Values, datetime], str]] = {
    "rename": _rename,
    "share": _share,
    "unshare": _share,
    "add": _add,
    "remove": _remove,
    "move": _move,
    "place": _place,
}
"""What a form may ask for; each gives the address that a person is led to afterwards."""


def _to(values: Values) -> int:
    to = values["to"]
    if not isinstance(to, int):
        raise _unreadable("to", "Say where it goes.")
    return to


def _own(viewer: User, watchlist_id: UUID) -> Watchlist:
    watchlist = own_watchlist(viewer, watchlist_id)
    if watchlist is None:
        raise Http404
    return watchlist


def _instrument(symbol: str) -> Instrument:
    """What a person typed, in any case; a Refusal where nothing is called so."""
    typed = symbol.strip()
    found = instrument_by_symbol(typed) or instrument_by_symbol(typed.upper())
    if found is None:
        raise Refusal(
            status=422,
            code=CODE_UNPROCESSABLE,
            reason=WatchReason.WATCHLIST_ITEM_UNKNOWN,
            message=_("Nothing trades here as %(symbol)s. Search for it by name.")
            % {"symbol": typed[:32]},
            facts={"symbols": [typed[:32]]},
        )
    return found


def _page_of(watchlist: Watchlist, query: Mapping[str, str | int] | None = None) -> str:
    address = reverse("marketdata:watchlist", args=[watchlist.pk])
    return f"{address}?{urlencode(query)}" if query else address


def _summary(watchlist: Watchlist) -> dict[str, object]:
    return {
        "id": str(watchlist.pk),
        "name": watchlist.name,
        "is_shared": watchlist.is_shared,
        "url": _page_of(watchlist),
    }


def _listed(watchlist: Watchlist) -> dict[str, object]:
    symbols = [instrument.symbol for instrument in instruments_of(watchlist)]
    return _summary(watchlist) | {"symbols": symbols}


def _valid(form: AnyForm) -> AnyForm:
    """The form, if it can be read; else a Refusal that names the field."""
    if not form.is_valid():
        name, texts = next(iter(form.errors.items()))
        raise _unreadable(name, str(texts[0]))
    return form


def _unreadable(name: str, text: str) -> Refusal:
    return Refusal(
        status=422,
        code=CODE_UNPROCESSABLE,
        reason=ErrorReason.FIELD_INVALID,
        message=f"{name}: {text}",
        facts={"field": name},
    )
