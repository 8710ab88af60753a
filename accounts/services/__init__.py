"""What can be done to users, roles, keys and sessions. Other apps call these names."""

from accounts.services.api_keys import (
    authenticate_key,
    create_api_key,
    resolve_key,
    resolve_key_async,
    revoke_api_key,
    spend_request,
)
from accounts.services.users import create_user, set_roles, sync_roles

__all__ = [
    "authenticate_key",
    "create_api_key",
    "create_user",
    "resolve_key",
    "resolve_key_async",
    "revoke_api_key",
    "set_roles",
    "spend_request",
    "sync_roles",
]
