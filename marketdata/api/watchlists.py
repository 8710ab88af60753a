"""`/v2/watchlists` in the Alpaca dialect: the caller's own lists, by id or by name.

Only the owner's key reaches a list here; what others share is read on the pages. The dialect shows
a list under a trading account, so a caller without one has none.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import HasScope
from accounts.models import User
from core.api import not_found, refuse_unknown_fields
from core.domain.errors import CODE_UNPROCESSABLE, ErrorReason, Refusal
from marketdata.api import schema
from marketdata.api.base import DataView
from marketdata.api.params import Query
from marketdata.api.reference import asset_fields
from marketdata.domain.dialect import Fields
from marketdata.domain.watching import MOST_INSTRUMENTS, WatchReason
from marketdata.models import Instrument, Watchlist
from marketdata.selectors import instrument_by_symbol
from marketdata.selectors.watchlists import (
    dialect_account_id,
    instruments_by_name,
    instruments_of,
    own_watchlist,
    own_watchlist_named,
    watchlists_of,
)
from marketdata.services import watchlists

NAME = OpenApiParameter("name", str, required=True, description="The list's name, exactly.")


class WatchlistSummary(serializers.Serializer[Any]):  # Any: it describes and holds no instance
    id = serializers.UUIDField()
    account_id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WatchlistAnswer(WatchlistSummary):
    assets = schema.ASSET(many=True)


class WatchlistCreation(serializers.Serializer[Any]):
    name = serializers.CharField()
    symbols = serializers.ListField(
        child=serializers.CharField(), required=False, max_length=MOST_INSTRUMENTS
    )


class WatchlistChange(serializers.Serializer[Any]):
    name = serializers.CharField(required=False)
    symbols = serializers.ListField(
        child=serializers.CharField(), required=False, max_length=MOST_INSTRUMENTS
    )


class WatchlistAddition(serializers.Serializer[Any]):
    symbol = serializers.CharField()


class _WatchlistView(DataView):
    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        return [HasScope("read" if self.request.method in {"GET", "HEAD"} else "trade")]

    def user(self, request: Request) -> User:
        assert isinstance(request.user, User)  # a key always belongs to one
        return request.user

    def account_id(self, request: Request) -> UUID:
        account_id = dialect_account_id(self.user(request))
        if account_id is None:
            raise not_found("This user has no trading account.")
        return account_id

    def shown(self, request: Request, watchlist: Watchlist) -> Response:
        """The list with its instruments as assets."""
        assets = [asset_fields(instrument) for instrument in instruments_of(watchlist)]
        return Response(_summary(watchlist, self.account_id(request)) | {"assets": assets})


class WatchlistsView(_WatchlistView):
    """/v2/watchlists"""

    @extend_schema(
        tags=["Watchlists"], responses=WatchlistSummary(many=True), operation_id="list_watchlists"
    )
    def get(self, request: Request) -> Response:
        """The caller's lists in their order, without their instruments."""
        Query(request.query_params, ())
        account_id = self.account_id(request)
        return Response([_summary(row, account_id) for row in watchlists_of(self.user(request))])

    @extend_schema(
        tags=["Watchlists"],
        request=WatchlistCreation,
        responses=WatchlistAnswer,
        operation_id="create_watchlist",
    )
    def post(self, request: Request) -> Response:
        """Make a list; a name that another of the caller's lists has is refused with 422."""
        self.account_id(request)
        fields = _body(request, ("name", "symbols"))
        made = watchlists.create_watchlist(
            owner=self.user(request),
            name=_text(fields, "name"),
            instruments=_instruments(fields.get("symbols") or []),
            now=self.now(),
        )
        return self.shown(request, made)


class _OneWatchlistView(_WatchlistView):
    def _change(self, request: Request, watchlist: Watchlist) -> Response:
        fields, now = _body(request, ("name", "symbols")), self.now()
        name, symbols = fields.get("name"), fields.get("symbols")
        if name is None and symbols is None:
            raise _invalid("name", "name or symbols must be there", ErrorReason.FIELD_MISSING)
        instruments = None if symbols is None else _instruments(symbols)
        if name is not None:
            watchlist = watchlists.rename_watchlist(
                watchlist=watchlist, name=_text(fields, "name"), now=now
            )
        if instruments is not None:
            watchlist = watchlists.set_instruments(
                watchlist=watchlist, instruments=instruments, now=now
            )
        return self.shown(request, watchlist)

    def _add(self, request: Request, watchlist: Watchlist) -> Response:
        symbol = _text(_body(request, ("symbol",)), "symbol")
        (instrument,) = _instruments([symbol])
        changed = watchlists.add_instrument(
            watchlist=watchlist, instrument=instrument, now=self.now()
        )
        return self.shown(request, changed)


class WatchlistView(_OneWatchlistView):
    """/v2/watchlists/{id}"""

    def _own(self, request: Request, watchlist_id: UUID) -> Watchlist:
        Query(request.query_params, ())
        self.account_id(request)
        found = own_watchlist(self.user(request), watchlist_id)
        if found is None:
            raise not_found("watchlist not found")
        return found

    @extend_schema(tags=["Watchlists"], responses=WatchlistAnswer, operation_id="get_watchlist")
    def get(self, request: Request, watchlist_id: UUID) -> Response:
        """One list with its instruments in its order."""
        return self.shown(request, self._own(request, watchlist_id))

    @extend_schema(
        tags=["Watchlists"],
        request=WatchlistChange,
        responses=WatchlistAnswer,
        operation_id="change_watchlist",
    )
    def put(self, request: Request, watchlist_id: UUID) -> Response:
        """Rename the list, or replace its instruments by `symbols`; what is absent stays."""
        return self._change(request, self._own(request, watchlist_id))

    @extend_schema(
        tags=["Watchlists"],
        request=WatchlistAddition,
        responses=WatchlistAnswer,
        operation_id="add_to_watchlist",
    )
    def post(self, request: Request, watchlist_id: UUID) -> Response:
        """Put an instrument at the end; one that is there already stays where it is."""
        return self._add(request, self._own(request, watchlist_id))

    @extend_schema(tags=["Watchlists"], responses={204: None}, operation_id="delete_watchlist")
    def delete(self, request: Request, watchlist_id: UUID) -> Response:
        """Delete the list for good."""
        watchlists.delete_watchlist(watchlist=self._own(request, watchlist_id))
        return Response(status=204)


class NamedWatchlistView(_OneWatchlistView):
    """/v2/watchlists:by_name"""

    def _own(self, request: Request) -> Watchlist:
        name = Query(request.query_params, ("name",)).required("name")
        self.account_id(request)
        found = own_watchlist_named(self.user(request), name)
        if found is None:
            raise not_found("watchlist not found")
        return found

    @extend_schema(
        tags=["Watchlists"],
        parameters=[NAME],
        responses=WatchlistAnswer,
        operation_id="get_watchlist_by_name",
    )
    def get(self, request: Request) -> Response:
        """One list by its name."""
        return self.shown(request, self._own(request))

    @extend_schema(
        tags=["Watchlists"],
        parameters=[NAME],
        request=WatchlistChange,
        responses=WatchlistAnswer,
        operation_id="change_watchlist_by_name",
    )
    def put(self, request: Request) -> Response:
        """Rename the list, or replace its instruments by `symbols`; what is absent stays."""
        return self._change(request, self._own(request))

    @extend_schema(
        tags=["Watchlists"],
        parameters=[NAME],
        request=WatchlistAddition,
        responses=WatchlistAnswer,
        operation_id="add_to_watchlist_by_name",
    )
    def post(self, request: Request) -> Response:
        """Put an instrument at the end of the list."""
        return self._add(request, self._own(request))

    @extend_schema(
        tags=["Watchlists"],
        parameters=[NAME],
        responses={204: None},
        operation_id="delete_watchlist_by_name",
    )
    def delete(self, request: Request) -> Response:
        """Delete the list for good."""
        watchlists.delete_watchlist(watchlist=self._own(request))
        return Response(status=204)


class WatchlistItemView(_WatchlistView):
    """/v2/watchlists/{id}/{symbol}"""

    @extend_schema(
        tags=["Watchlists"], responses=WatchlistAnswer, operation_id="remove_from_watchlist"
    )
    def delete(self, request: Request, watchlist_id: UUID, symbol: str) -> Response:
        """Take an instrument out of the list; 404 when it is not in it."""
        Query(request.query_params, ())
        self.account_id(request)
        found = own_watchlist(self.user(request), watchlist_id)
        instrument = instrument_by_symbol(symbol)
        if found is None or instrument is None:
            raise not_found("watchlist or symbol not found")
        changed = watchlists.remove_instrument(
            watchlist=found, instrument=instrument, now=self.now()
        )
        return self.shown(request, changed)


def _summary(watchlist: Watchlist, account_id: UUID) -> Fields:
    return {
        "id": str(watchlist.pk),
        "account_id": str(account_id),
        "created_at": _stamp(watchlist.created_at),
        "updated_at": _stamp(watchlist.updated_at),
        "name": watchlist.name,
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _body(request: Request, known: tuple[str, ...]) -> Mapping[str, object]:
    fields = request.data
    assert isinstance(fields, dict)  # the strict parser reads objects only
    refuse_unknown_fields(fields, known)
    return fields


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or "\0" in value:
        reason = ErrorReason.FIELD_MISSING if value is None else ErrorReason.FIELD_INVALID
        raise _invalid(name, "it must be a text", reason)
    return value


def _instruments(symbols: object) -> list[Instrument]:
    """The instruments that `symbols` name, in that order; a Refusal of 422 for one that nothing
    has.
    """
    if not isinstance(symbols, list) or not all(
        isinstance(name, str) and "\0" not in name for name in symbols
    ):
        raise _invalid("symbols", "it must be a list of symbols")
    if len(symbols) > MOST_INSTRUMENTS:
        raise _invalid("symbols", f"name at most {MOST_INSTRUMENTS}")
    found = instruments_by_name(symbols)
    unknown = [name[:64] for name, instrument in found.items() if instrument is None]
    if unknown:
        raise Refusal(
            status=422,
            code=CODE_UNPROCESSABLE,
            reason=WatchReason.WATCHLIST_ITEM_UNKNOWN,
            message=f"Nothing trades here as {', '.join(unknown[:10])}. Search /v2/assets.",
            facts={"symbols": unknown[:10]},
        )
    return [instrument for instrument in found.values() if instrument is not None]


def _invalid(name: str, message: str, reason: ErrorReason = ErrorReason.FIELD_INVALID) -> Refusal:
    return Refusal(
        status=422,
        code=CODE_UNPROCESSABLE,
        reason=reason,
        message=f"invalid {name}: {message}.",
        facts={"field": name},
    )
