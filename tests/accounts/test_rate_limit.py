"""The token bucket of a key: exact counts, exact waits, and one winner per token."""

from concurrent.futures import ThreadPoolExecutor

from accounts.domain.rate_limit import RateLimiter

SECOND = 1_000_000_000
START = 1_000 * SECOND


def test_a_full_bucket_gives_exactly_its_limit() -> None:
    limiter = RateLimiter()

    answers = [limiter.take("key", 200, START).is_allowed for _ in range(250)]

    assert answers == [True] * 200 + [False] * 50


def test_remaining_counts_down_to_zero() -> None:
    limiter = RateLimiter()

    assert [limiter.take("key", 3, START).remaining for _ in range(4)] == [2, 1, 0, 0]


def test_tokens_come_back_evenly() -> None:
    limiter = RateLimiter()
    for _ in range(60):
        limiter.take("key", 60, START)

    assert not limiter.take("key", 60, START + SECOND - 1).is_allowed
    assert limiter.take("key", 60, START + SECOND).is_allowed
    assert not limiter.take("key", 60, START + SECOND).is_allowed


def test_a_refused_request_costs_nothing() -> None:
    limiter = RateLimiter()
    limiter.take("key", 1, START)
    for _ in range(1000):
        limiter.take("key", 1, START)

    assert limiter.take("key", 1, START + 60 * SECOND).is_allowed


def test_keys_have_buckets_of_their_own() -> None:
    limiter = RateLimiter()
    limiter.take("alice", 1, START)

    assert limiter.take("bob", 1, START).is_allowed


def test_the_headers_say_limit_rest_and_wait() -> None:
    limiter = RateLimiter()
    first = limiter.take("key", 2, START)
    limiter.take("key", 2, START)
    refused = limiter.take("key", 2, START + 10 * SECOND)

    assert first.headers(epoch_ns=1_700_000_000 * SECOND) == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "1",
        "X-RateLimit-Reset": "1700000030",
        "RateLimit-Policy": '"default";q=2;w=60',
        "RateLimit": '"default";r=1;t=30',
    }
    assert refused.headers(epoch_ns=1_700_000_010 * SECOND) == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "1700000060",
        "RateLimit-Policy": '"default";q=2;w=60',
        "RateLimit": '"default";r=0;t=50',
        "Retry-After": "20",
    }


def test_parallel_requests_get_exactly_the_limit() -> None:
    limiter = RateLimiter()

    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(lambda _: limiter.take("key", 100, START).is_allowed, range(400)))

    assert answers.count(True) == 100


def test_the_number_of_buckets_is_bounded() -> None:
    limiter = RateLimiter(max_keys=10)
    for number in range(100):
        limiter.take(f"key-{number}", 1, START)

    assert len(limiter._full_at) == 10


def test_the_highest_rate_still_counts() -> None:
    limiter = RateLimiter()

    decision = limiter.take("key", 60_000_000, START)

    assert (decision.is_allowed, decision.remaining) == (True, 59_999_999)
