"""The ports on SQLite, files and memory: for unit tests, simulations and durable runs on one machine."""
