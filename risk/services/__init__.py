"""Writing sides of risk."""
