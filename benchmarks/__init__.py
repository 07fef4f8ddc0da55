"""What the product costs in time, measured side by side with the least that could be done."""
