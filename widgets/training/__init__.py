"""Training panel: start, watch, stop, and compare runs."""
