"""Pure rules of risk: no Django, no input or output."""
