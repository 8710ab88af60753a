"""The load generator: a process of its own, so that its work is not counted as the server's.

It imports nothing of the portal: it knows HTTP/1.1 and the JSON of an order, as any client would.
"""
