"""The operators' page of caches: who may see it, and what it tells when a server is away."""

from collections.abc import Callable

import pytest
from django.test import Client, override_settings

from accounts.models import User
from core import cache as caches
from core.domain.cache_counts import CacheCounts
from tradeportal.caches import cache_rows

pytestmark = pytest.mark.django_db


def test_the_page_shows_each_cache_with_its_share_of_answers(
    olga: User, signed_in: Callable[[User], Client]
) -> None:
    counts = CacheCounts()
    caches.count("probe of the page", caches.IN_REDIS, counts)
    counts.hits, counts.misses = 3, 1
    caches.tell_counts()

    page = signed_in(olga).get("/operate/caches")

    (row,) = [row for row in cache_rows() if row.name == "probe of the page"]
    assert (row.layer, row.hits, row.misses, row.hit_percent, row.entries) == (
        "redis",
        3,
        1,
        75,
        None,
    )
    assert page.status_code == 200
    assert "probe of the page" in page.content.decode()
    assert "does not answer" not in page.content.decode()


@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_without_redis_the_page_says_so(olga: User, signed_in: Callable[[User], Client]) -> None:
    page = signed_in(olga).get("/operate/caches")

    assert page.status_code == 200
    assert page.content.decode().count("does not answer") == 1


def test_only_who_reads_all_accounts_may_look(
    alice: User, client: Client, signed_in: Callable[[User], Client]
) -> None:
    assert signed_in(alice).get("/operate/caches").status_code == 403
    assert client.get("/operate/caches").status_code == 302
