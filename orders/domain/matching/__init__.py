"""The order book by the rules of docs/matching.md; integers only, no clock, no storage."""
