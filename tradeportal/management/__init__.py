"""Commands that put several apps together."""
