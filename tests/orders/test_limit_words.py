"""Every kind of limit has its words, and what is recommended can be set: docs/risk.md M1, M16."""

import pytest

from core.domain.units import decimal_to_units
from risk.domain.limit_tree import KINDS, LimitKey, LimitKind, Setting, why_not_set
from risk.domain.limit_words import WORDS
from risk.domain.recommended import RECOMMENDED
from risk.domain.scopes import FIRM


def test_every_kind_has_words_of_its_own_in_the_order_in_which_it_is_judged() -> None:
    assert list(WORDS) == list(LimitKind) == list(KINDS)
    assert len({words.label for words in WORDS.values()}) == len(LimitKind)
    assert all(words.meaning.endswith(".") for words in WORDS.values())


@pytest.mark.parametrize("kind", list(RECOMMENDED))
def test_what_is_recommended_can_be_set_for_the_firm(kind: LimitKind) -> None:
    wanted = RECOMMENDED[kind]
    setting = Setting(decimal_to_units(wanted.value), wanted.window_seconds)

    assert why_not_set(LimitKey(FIRM, kind), setting) == ""
