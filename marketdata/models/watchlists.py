"""What a person watches: ordered lists of instruments, and formulas of their own for charts."""

import uuid

from django.conf import settings
from django.db import models

from marketdata.models.reference import Instrument


class Watchlist(models.Model):
    """An ordered list of instruments. One that `is_shared` may be read by its address by those who
    share a desk with its owner; nobody but the owner changes it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watchlists"
    )
    name = models.CharField(max_length=64)
    position = models.PositiveIntegerField()
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["owner", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="watchlist_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class WatchlistItem(models.Model):
    id = models.BigAutoField(primary_key=True)
    watchlist = models.ForeignKey(Watchlist, on_delete=models.CASCADE, related_name="items")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ["watchlist", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["watchlist", "instrument"], name="watchlist_item_once")
        ]

    def __str__(self) -> str:
        return f"{self.watchlist_id} {self.instrument_id}"


class Formula(models.Model):
    """A person's own indicator, in the formula language."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="formulas"
    )
    name = models.CharField(max_length=64)
    text = models.CharField(max_length=1_000)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["owner", "name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="formula_name_once")]

    def __str__(self) -> str:
        return self.name
