"""A configured feed as its adapter is told of it: instruments, options, and its key, decrypted."""

import msgspec

from core import encryption
from core.domain.clock import Clock
from marketdata.domain.plan import OF_EVERY_FEED, Credentials, FeedOptionError, FeedSetup
from marketdata.models import Feed
from marketdata.selectors.instruments import feed_instruments

KEY_LABEL, KEY_FIELD = "marketdata.Feed", "credentials"


def credentials_of(feed_id: int, stored: bytes | memoryview | None) -> Credentials | None:
    """The key and secret that a feed's row holds encrypted. EncryptionError says what to do when
    they cannot be read.
    """
    if stored is None:
        return None
    column = encryption.column(KEY_LABEL, KEY_FIELD, feed_id)
    plain = encryption.decrypt(bytes(stored), bound_to=column)
    return Credentials(*msgspec.json.decode(plain, type=tuple[str, str]))


def feed_setup(feed: Feed, clock: Clock) -> FeedSetup:
    """What the adapter of `feed` is made with, outside of the feed process: to try it, to ask it
    for history. FeedOptionError when its key cannot be read.
    """
    try:
        credentials = credentials_of(feed.pk, feed.credentials)
    except encryption.EncryptionError as error:
        raise FeedOptionError(str(error)) from error
    return FeedSetup(
        name=feed.name,
        clock=clock,
        instruments=feed_instruments(feed.name),
        options={key: value for key, value in feed.options.items() if key not in OF_EVERY_FEED},
        credentials=credentials,
    )
