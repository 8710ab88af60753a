"""Pure rules of portfolio: no Django, no input or output."""
