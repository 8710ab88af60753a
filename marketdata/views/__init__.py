"""The pages of market data: watchlists, instruments and the calendar. They work without scripts."""
