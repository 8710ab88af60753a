"""What can be done to users, roles, keys and sessions. Other apps call these names."""

from accounts.services.api_keys import (
    authenticate_key,
    create_api_key,
    resolve_key,
    resolve_key_async,
    revoke_api_key,
    spend_request,
)
from accounts.services.sockets import close_sockets
from accounts.services.users import (
    add_authenticator,
    create_user,
    remove_second_factor,
    set_active,
    set_roles,
    sync_roles,
)

__all__ = [
    "add_authenticator",
    "authenticate_key",
    "close_sockets",
    "create_api_key",
    "create_user",
    "remove_second_factor",
    "resolve_key",
    "resolve_key_async",
    "revoke_api_key",
    "set_active",
    "set_roles",
    "spend_request",
    "sync_roles",
]
