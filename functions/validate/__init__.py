"""Validate: whether the dataset's files are whole, well formed and free of leaks."""
