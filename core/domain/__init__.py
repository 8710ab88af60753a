"""Pure rules of core: no Django, no input or output."""
