"""The state store: rows of a flow, what they hold, and what is computed from them."""
