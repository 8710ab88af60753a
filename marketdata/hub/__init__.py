"""The process-local hub: one Redis subscription per topic and process, fanned out to its sockets.

A gateway has one hub. Consumers attach a `Listener` per socket and subscribe it to topics; the hub
sends each a snapshot first and then every event, byte for byte as the publisher wrote it. A slow
reader gets the newest state later and never holds up another (DESIGN §2, "the way of a price").
"""

from marketdata.hub.hub import Hub, TooManyTopicsError
from marketdata.hub.listener import QUEUE_LIMIT, TOPIC_LIMIT, Listener
from marketdata.hub.local import local_hub
from marketdata.hub.messages import AsgiEvent, Form, Message, Outgoing, TextForm
from marketdata.hub.snapshots import TopicProvider

__all__ = [
    "QUEUE_LIMIT",
    "TOPIC_LIMIT",
    "AsgiEvent",
    "Form",
    "Hub",
    "Listener",
    "Message",
    "Outgoing",
    "TextForm",
    "TooManyTopicsError",
    "TopicProvider",
    "local_hub",
]
