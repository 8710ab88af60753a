"""The account and position shapes for the OpenAPI page, made from the dialect's own structs."""

from decimal import Decimal
from types import NoneType
from typing import Any, Final, get_args, get_origin

import msgspec
from rest_framework import serializers

from portfolio.domain.dialect import DialectAccount, DialectPosition

AnySerializer = type[serializers.Serializer[Any]]  # Any: they describe and never hold an instance
PLAIN: Final[dict[Any, type[serializers.Field[Any, Any, Any, Any]]]] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    Decimal: serializers.FloatField,
}
"""What is not text on the wire; decimals that are numbers there, history's, are of this kind."""


def serializer_of(struct: type[msgspec.Struct], name: str) -> AnySerializer:
    """A describing serializer with the struct's fields; structs within it are objects."""
    fields = {field.name: _described(field.type) for field in msgspec.structs.fields(struct)}
    return type(name, (serializers.Serializer,), fields)


def _described(kind: Any) -> Any:  # Any: a type as annotations write it; DRF's fields
    inner = get_args(kind)
    if NoneType in inner:
        (kind,) = (part for part in inner if part is not NoneType)
        field = _described(kind)
        field.allow_null = True
        return field
    if get_origin(kind) is list:
        return serializers.ListField(child=_described(inner[0]))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return serializers.DictField()
    return PLAIN.get(kind, serializers.CharField)()


AccountSerializer = serializer_of(DialectAccount, "AccountSerializer")
PositionSerializer = serializer_of(DialectPosition, "PositionSerializer")
