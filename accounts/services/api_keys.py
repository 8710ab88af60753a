"""API keys: made once, shown once, checked on every request from memory that is at most a second
old.

The gateway's hot order route and DRF come here with the same key pair and get the same Principal.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q

from accounts.domain.api_keys import (
    MAX_RATE_PER_MINUTE,
    SECRET_BYTES,
    Principal,
    Scope,
    hash_secret,
    is_key_id,
    is_same_hash,
    make_key_id,
)
from accounts.domain.key_cache import KeyCache, KnownKey
from accounts.domain.rate_limit import RateDecision, RateLimiter
from accounts.models import ApiKey, User
from accounts.selectors import may_manage_risk, may_trade
from core.cache import forget_everywhere, keep
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.services import audit

LAST_USED_PRECISION = timedelta(minutes=1)
KEYS = "keys"
"""The cache's name in core/cache.py."""

_clock = SystemClock()
_limiter = RateLimiter()
# One thread, so that noting a key's use never waits in, nor holds up, the request that used it.
_background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="api-key-use")


@transaction.atomic
def create_api_key(
    *,
    user: User,
    scopes: Iterable[Scope],
    origin: Origin,
    name: str = "",
    rate_limit_per_minute: int = 200,
    actor: User | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for `user`: the stored row and its secret, which cannot be had again.

    ValidationError for no scope, a rate outside 1..60,000,000 a minute, or the trade scope for who
    may not trade, or the risk scope for who may not manage risk.
    """
    wanted = sorted(set(scopes))
    if not wanted:
        raise ValidationError("A key needs at least one scope.")
    if not 1 <= rate_limit_per_minute <= MAX_RATE_PER_MINUTE:
        raise ValidationError(f"The rate limit must be from 1 to {MAX_RATE_PER_MINUTE} a minute.")
    if Scope.TRADE in wanted and not may_trade(user):
        raise ValidationError("This user's roles do not allow trading.")
    if Scope.RISK in wanted and not may_manage_risk(user):
        raise ValidationError("This user's roles do not allow managing risk.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(
        key_id=make_key_id(secrets.choice),
        secret_hash=hash_secret(secret),
        user=user,
        name=name,
        scopes=[scope.value for scope in wanted],
        rate_limit_per_minute=rate_limit_per_minute,
        created_at=origin.now,
    )
    key.full_clean(exclude=["last_used_at", "revoked_at"])
    key.save()
    audit.record(
        actor=actor,
        action="ApiKeyCreated",
        target=key.key_id,
        facts={"user": user.username, "scopes": key.scopes},
        origin=origin,
    )
    return key, secret


@transaction.atomic
def revoke_api_key(*, key: ApiKey, reason: str, actor: User | None, origin: Origin) -> bool:
    """End a key for good; False when it was revoked before. Every process refuses it within a
    second.
    """
    changed = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(
        revoked_at=origin.now
    )
    if not changed:
        return False
    forget_everywhere(KEYS, key.key_id)
    audit.record(
        actor=actor, action="ApiKeyRevoked", target=key.key_id, reason=reason, origin=origin
    )
    return True


def authenticate_key(key_id: str, secret: str) -> Principal | None:
    """Who this key pair is, read from the database; None for a wrong, revoked or disabled one."""
    known = _load(key_id) if is_key_id(key_id) else None
    return _verified(known, secret)


def resolve_key(key_id: str, secret: str) -> Principal | None:
    """As `authenticate_key`, from this process's memory when it is fresh. Blocks on a miss."""
    if not is_key_id(key_id):
        return None
    return _used(_verified(key_cache.get(key_id), secret))


async def resolve_key_async(key_id: str, secret: str) -> Principal | None:
    """As `resolve_key` on the event loop: a hit never leaves it, concurrent misses of a key share
    one lookup.
    """
    known = key_cache.remembered(key_id)
    if known is None and is_key_id(key_id):
        known = await key_cache.get_async(key_id)
    return _used(_verified(known, secret))


def spend_request(principal: Principal, cost: int = 1) -> RateDecision:
    """Count a request against the key's budget in this process; a batch costs what it holds."""
    return _limiter.take(
        principal.key_id, principal.rate_limit_per_minute, time.monotonic_ns(), cost
    )


def _load(key_id: str) -> KnownKey | None:
    return _load_many([key_id]).get(key_id)


def _load_many(key_ids: Sequence[str]) -> dict[str, KnownKey]:
    keys = (
        ApiKey.objects.filter(key_id__in=key_ids, revoked_at__isnull=True, user__is_active=True)
        .select_related("user")
        .prefetch_related("user__groups")
    )
    return {key.key_id: _known(key) for key in keys}


def _known(key: ApiKey) -> KnownKey:
    user = key.user
    scopes = {scope for scope in key.scopes if scope not in {Scope.TRADE, Scope.RISK}}
    if Scope.TRADE in key.scopes and may_trade(user):
        scopes.add(Scope.TRADE.value)
    if Scope.RISK in key.scopes and may_manage_risk(user):
        scopes.add(Scope.RISK.value)
    return KnownKey(
        secret_hash=key.secret_hash,
        principal=Principal(
            user_id=user.pk,
            username=user.username,
            key_id=key.key_id,
            scopes=frozenset(scopes),
            roles=user.role_names,
            rate_limit_per_minute=key.rate_limit_per_minute,
        ),
    )


def _load_in_thread(key_ids: Sequence[str]) -> dict[str, KnownKey]:
    try:
        return _load_many(key_ids)
    finally:
        connection.close()  # this thread serves no request that would give the connection back


def _verified(known: KnownKey | None, secret: str) -> Principal | None:
    if known is None or not is_same_hash(known.secret_hash, hash_secret(secret)):
        return None
    return known.principal


def _used(principal: Principal | None) -> Principal | None:
    if principal is not None and key_cache.is_use_noted_late(principal.key_id):
        _background.submit(_note_use, principal.key_id, _clock.now())
    return principal


def _note_use(key_id: str, now: datetime) -> None:
    try:
        ApiKey.objects.filter(key_id=key_id).filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - LAST_USED_PRECISION)
        ).update(last_used_at=now)
    finally:
        connection.close()


key_cache = KeyCache(
    load=_load,
    load_in_thread=_load_in_thread,
    use_precision_seconds=LAST_USED_PRECISION.total_seconds(),
)
keep(KEYS, key_cache)
