"""Prices from Alpaca, or from any server that speaks its dialect, another portal among them.

`options` and `parse` are pure; `client` is the socket, `history` the REST side.
"""
