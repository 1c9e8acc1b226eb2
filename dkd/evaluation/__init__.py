"""Evaluate methods on whole data sets: protocols, summaries, calibration, cost, and comparisons."""
