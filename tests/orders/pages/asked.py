"""What a browser sends to the trading pages."""

JSON = {"accept": "application/json"}


def ticket(**changes: str) -> dict[str, str]:
    return {
        "symbol": "ACME",
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "DAY",
        "quantity": "10",
        "limit_price": "97",
        "client_order_id": "ticket-2",
        **changes,
    }
