"""Ablations: train a model several times with one change each, and tabulate the effects."""
