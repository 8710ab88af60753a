"""What notifications can be asked to do."""
