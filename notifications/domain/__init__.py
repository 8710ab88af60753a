"""Pure rules of notifications: what is said, and when a delivery is tried again."""
