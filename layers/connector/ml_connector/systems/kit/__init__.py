"""What every vendor's adapter is made of. It knows no vendor."""
