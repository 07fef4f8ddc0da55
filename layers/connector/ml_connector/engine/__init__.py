"""The engine: knows flows and ports, no vendor and no cloud."""
