"""Prices from any of the hundred exchanges that ccxt knows, over ccxt.pro's sockets or by asking.

`options` and `parse` are pure; `client` holds ccxt, `history` asks for bars.
"""
