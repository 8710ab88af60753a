"""What trades and at what price: instruments, feeds, bars and the live hub."""
