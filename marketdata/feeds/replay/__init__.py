"""Recorded days told again: as a live market, or in their own time for tests."""
