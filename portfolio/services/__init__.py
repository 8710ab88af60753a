"""Writes of the portfolio tables."""
