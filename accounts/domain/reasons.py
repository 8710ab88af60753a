"""Why accounts turns somebody away: the closed codes that pages and API show."""

from enum import StrEnum


class AccountReason(StrEnum):
    MFA_REQUIRED = "MFA_REQUIRED"
