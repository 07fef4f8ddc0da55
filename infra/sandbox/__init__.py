"""The vendors, simulated as HTTP servers that enforce their documented contracts."""
