"""Gate: whether a dataset may be trained on, and the page that shows why."""
