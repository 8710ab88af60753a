"""May this order pass: the pre-trade checks, pure and asked by the engine."""
