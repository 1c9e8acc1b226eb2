"""The training panel: start, watch, stop, and compare runs."""
