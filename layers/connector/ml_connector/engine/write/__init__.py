"""Writing: one attempt of a chunk, from the claim to the row."""
