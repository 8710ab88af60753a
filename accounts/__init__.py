"""Who: users, sign-in, roles and API keys. Stands on core only."""
