"""`/v2/assets`: what trades. When it trades is told by marketdata/api/hours.py."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import not_found
from core.domain.decimals import to_wire
from marketdata.api import schema
from marketdata.api.base import DataView
from marketdata.api.params import Query
from marketdata.domain.dialect import Fields
from marketdata.domain.market_states import MarketState
from marketdata.models import Instrument
from marketdata.selectors import (
    instrument_by_public_id,
    instrument_by_symbol,
    tradable_instruments,
)


class AssetList(DataView):
    @extend_schema(
        summary="Instruments",
        tags=["Market"],
        parameters=[
            OpenApiParameter("status", str, enum=["active", "inactive"]),
            OpenApiParameter("asset_class", str, enum=["us_equity", "crypto"]),
        ],
        responses=schema.ASSET(many=True),
    )
    def get(self, request: Request) -> Response:
        query = Query(request.query_params, ("status", "asset_class", "exchange", "attributes"))
        found = tradable_instruments()
        asset_class = query.text("asset_class")
        if asset_class is not None:
            found = found.filter(asset_class=asset_class)
        assets = [asset_fields(instrument) for instrument in found]
        for name in ("status", "exchange"):
            wanted = query.text(name)
            if wanted is not None:
                assets = [asset for asset in assets if asset[name] == wanted]
        if query.text("attributes") is not None:
            assets = []  # no instrument of ours has one
        return Response(assets)


class AssetDetail(DataView):
    """By symbol (`BTC/USD`, `BTC%2FUSD` or `BTCUSD`) or by id."""

    @extend_schema(summary="One instrument", tags=["Market"], responses=schema.ASSET)
    def get(self, request: Request, name: str) -> Response:
        Query(request.query_params, ())
        instrument = _by_id(name) or instrument_by_symbol(name)
        if instrument is None:
            raise not_found(f"asset not found for {name[:64]}")
        return Response(asset_fields(instrument))


def asset_fields(instrument: Instrument) -> Fields:
    """An instrument as an asset of the dialect. `exchange` is a closed list there: ours is not
    in it.
    """
    is_crypto = instrument.asset_class == Instrument.AssetClass.CRYPTO
    return {
        "id": str(instrument.public_id),
        "class": instrument.asset_class,
        "exchange": "CRYPTO" if is_crypto else "",
        "symbol": instrument.symbol,
        "name": instrument.name,
        "status": "active",
        "tradable": MarketState(instrument.status).takes_orders,
        "marginable": instrument.is_marginable,
        "shortable": instrument.is_marginable,
        "easy_to_borrow": instrument.is_marginable,
        "fractionable": instrument.lot_size < 1,
        "min_order_size": to_wire(instrument.lot_size),
        "min_trade_increment": to_wire(instrument.lot_size),
        "price_increment": to_wire(instrument.tick_size),
        "attributes": [],
    }


def _by_id(name: str) -> Instrument | None:
    try:
        public_id = UUID(name)
    except ValueError:
        return None
    return instrument_by_public_id(public_id)
