"""One folder for each vendor: all that is known of it stands there and nowhere else."""
