"""Commands of core for ./portal manage."""
