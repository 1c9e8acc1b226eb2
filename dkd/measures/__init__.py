"""Measures of tracks as functions of arrays: accuracy, coherence over time, and divergence of two tracks."""
