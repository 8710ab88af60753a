"""What the pages of market data take in: the shape only; what it may do is decided below."""

from django import forms

from marketdata.domain.watching import LONGEST_NAME, MOST_INSTRUMENTS
from marketdata.models import Instrument

LONGEST_QUERY = 64
"""Longer than every symbol and most names; what is typed beyond it tells nothing apart."""


class WatchlistForm(forms.Form):
    """A new list, with the first instrument in it where one is named."""

    name = forms.CharField(max_length=LONGEST_NAME)
    symbol = forms.CharField(max_length=32, required=False)


class WatchlistChangeForm(forms.Form):
    """One change of one list: `act` says which, the rest is what it needs."""

    ACTS = ("rename", "share", "unshare", "add", "remove", "move", "place")

    act = forms.ChoiceField(choices=[(act, act) for act in ACTS])
    name = forms.CharField(max_length=LONGEST_NAME, required=False)
    symbol = forms.CharField(max_length=32, required=False)
    to = forms.IntegerField(min_value=0, max_value=MOST_INSTRUMENTS, required=False)


class SearchForm(forms.Form):
    """What is looked for among the instruments."""

    q = forms.CharField(max_length=LONGEST_QUERY, required=False)
    asset_class = forms.ChoiceField(
        choices=[("", ""), *Instrument.AssetClass.choices], required=False
    )
    venue = forms.CharField(max_length=12, required=False)
    after = forms.CharField(max_length=80, required=False)


class MonthForm(forms.Form):
    """Which month of which calendar."""

    calendar = forms.CharField(max_length=16, required=False)
    month = forms.RegexField(r"^(19[7-9]\d|20\d\d)-(0[1-9]|1[0-2])$", required=False)
