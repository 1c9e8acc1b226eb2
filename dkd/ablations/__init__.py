"""Train a model several times with one thing changed, and tabulate what the change did."""
