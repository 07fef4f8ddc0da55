"""What every simulated vendor is made of; it knows none of them."""
