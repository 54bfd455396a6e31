"""What the product does, one capability a file. Rights are checked here and nowhere else."""
