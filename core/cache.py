"""JSON in the Redis cache: Django's own serializer there is pickle, which runs code when a key is
forged.
"""

import json
from typing import Any


class JsonSerializer:
    """Whole numbers are stored bare, so that Redis can increment them; everything else as JSON."""

    def dumps(self, value: Any) -> bytes | int:  # Any: the cache takes every JSON value
        if type(value) is int:
            return value
        return json.dumps(value, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:  # Any: and gives it back
        return json.loads(data)
