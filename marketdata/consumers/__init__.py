"""The sockets that market data is read on: browsers (`/ws/v1/`) and programs (`/v2/iex`,
crypto).
"""

from marketdata.consumers.browser import BrowserSocket, TopicSocket
from marketdata.consumers.programs import CryptoSocket, StockSocket

__all__ = ["BrowserSocket", "CryptoSocket", "StockSocket", "TopicSocket"]
