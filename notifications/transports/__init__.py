"""The ways out, one line each. A new one is a module here and a choice in Delivery.Transport."""

from collections.abc import Mapping

from notifications.domain.outgoing import Transport
from notifications.transports.email import EmailTransport

TRANSPORTS: Mapping[str, Transport] = {
    "EMAIL": EmailTransport(),
}
