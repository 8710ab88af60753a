"""Pure rules of orders: no Django, no input or output."""
