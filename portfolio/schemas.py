"""The account and position shapes for the OpenAPI page, made from the dialect's own structs."""

from typing import Any

import msgspec
from rest_framework import serializers

from portfolio.domain.dialect import DialectAccount, DialectPosition

AnySerializer = type[serializers.Serializer[Any]]  # Any: they describe and never hold an instance


def serializer_of(struct: type[msgspec.Struct], name: str) -> AnySerializer:
    """A describing serializer with the struct's fields: strings, and booleans where it has them."""
    fields: dict[str, Any] = {  # Any: DRF's fields of several types
        field.name: serializers.BooleanField()
        if field.type is bool
        else serializers.CharField(allow_null=field.type is not str)
        for field in msgspec.structs.fields(struct)
    }
    return type(name, (serializers.Serializer,), fields)


AccountSerializer = serializer_of(DialectAccount, "AccountSerializer")
PositionSerializer = serializer_of(DialectPosition, "PositionSerializer")
