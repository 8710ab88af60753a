"""Where prices come from: the configured feeds, and which of them each instrument follows."""

from django.db import models

from marketdata.models.reference import Instrument


class Feed(models.Model):
    """One configured source of prices. `adapter` is a name of marketdata.feeds.FEEDS, or `import`
    for what was loaded from files; `options` are that adapter's own (address, scenario, folder).
    """

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=32, unique=True)
    adapter = models.CharField(max_length=16)
    options = models.JSONField(default=dict, blank=True)
    credentials = models.BinaryField(
        null=True, help_text="key and secret, encrypted (core/encryption.py); never shown"
    )
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class FeedRoute(models.Model):
    """That an instrument takes its prices from a feed. Of several the lowest `rank` that is fresh
    is followed (marketdata/domain/provider_chain.py).
    """

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="routes")
    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="routes")
    rank = models.PositiveSmallIntegerField(default=1)
    symbol_there = models.CharField(
        max_length=64, blank=True, help_text="what the feed calls it; empty: the same"
    )

    class Meta:
        ordering = ["instrument", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "feed"], name="route_once"),
            models.UniqueConstraint(fields=["instrument", "rank"], name="route_rank_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} from {self.feed_id}, rank {self.rank}"
