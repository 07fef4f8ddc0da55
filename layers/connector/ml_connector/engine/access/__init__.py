"""Getting in: the circuit breaker and shared logins."""
