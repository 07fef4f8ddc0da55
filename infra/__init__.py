"""What surrounds the product: the command line, the sandbox vendors and the local stack."""
