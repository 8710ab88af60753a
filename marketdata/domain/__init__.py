"""Pure rules of marketdata: no Django, no input or output."""
