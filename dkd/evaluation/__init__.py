"""Evaluation of methods on data sets: protocols, summaries, calibration, cost, and comparisons."""
