"""Reads the lists of a batch: the shape of every entry, before any of them is acted upon."""

from collections.abc import Mapping
from uuid import UUID

from core.domain.errors import ErrorReason, Refusal
from orders.domain.command_parts import MAX_BATCH_ORDERS
from orders.domain.order_request import OrderSpec, field_refusal, read_order_request


def read_order_batch(body: Mapping[str, object]) -> list[OrderSpec]:
    """The orders of {"orders": [...]}; a Refusal (422) names the first one that cannot be read."""
    specs: list[OrderSpec] = []
    for index, entry in enumerate(_entries(body, "orders")):
        if not isinstance(entry, dict):
            raise _at(index, field_refusal("orders", "must be a list of objects."))
        try:
            specs.append(read_order_request(entry))
        except Refusal as refusal:
            raise _at(index, refusal) from refusal
    return specs


def read_cancel_batch(body: Mapping[str, object]) -> list[UUID]:
    """The order ids of {"ids": [...]}."""
    return [read_order_id(entry, "ids", index) for index, entry in enumerate(_entries(body, "ids"))]


def read_order_id(value: object, field: str, index: int | None = None) -> UUID:
    """An order's id as the API writes it, in small letters and with hyphens."""
    if isinstance(value, str) and len(value) == 36:
        try:
            order_id = UUID(value)
        except ValueError:
            order_id = None
        if str(order_id) == value:
            return UUID(value)
    refusal = field_refusal(field, "must be order ids such as the API gives them.")
    raise refusal if index is None else _at(index, refusal)


def _entries(body: Mapping[str, object], field: str) -> list[object]:
    for name in body:
        if name != field:
            raise field_refusal(name[:64], "is not a field of a batch.", ErrorReason.FIELD_UNKNOWN)
    entries = body.get(field)
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_BATCH_ORDERS:
        raise field_refusal(field, f"must be a list of 1 to {MAX_BATCH_ORDERS} entries.")
    return entries


def _at(index: int, refusal: Refusal) -> Refusal:
    """The refusal, saying in which entry the fault is."""
    return Refusal(
        status=refusal.status,
        code=refusal.code,
        reason=refusal.reason,
        message=f"Entry {index}: {refusal.message}",
        facts={**refusal.facts, "index": index},
    )
