"""What the views of the data API share: their rendering, who may call, and the clock."""

from datetime import datetime
from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from accounts.api import HasScope
from core.domain.clock import Clock, SystemClock
from marketdata.api.rendering import DialectRenderer
from marketdata.models import Instrument


class DataView(APIView):
    """Read-only; needs a key with the scope `read`."""

    renderer_classes = [DialectRenderer]
    clock: Clock = SystemClock()

    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        return [HasScope("read")]

    def now(self) -> datetime:
        return self.clock.now()


class StockView(DataView):
    asset_class = Instrument.AssetClass.US_EQUITY


class CryptoView(DataView):
    """Crypto prices may be read without a key; one that is sent must be valid."""

    asset_class = Instrument.AssetClass.CRYPTO

    def get_permissions(self) -> list[Any]:  # Any: DRF's permission classes
        return [AllowAny()]
