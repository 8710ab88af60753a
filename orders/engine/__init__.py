"""The single-writer engine: commands in, one committed batch, replies and events out."""
