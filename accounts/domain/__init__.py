"""Pure rules of accounts: no Django, no input or output."""
