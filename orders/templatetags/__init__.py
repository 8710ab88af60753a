"""Template filters of the trading pages."""
