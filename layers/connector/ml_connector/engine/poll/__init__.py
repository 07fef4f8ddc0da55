"""Reading: one pass over a flow, from the source to chunks."""
