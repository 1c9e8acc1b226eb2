"""Tracking of a person through a clip: the tracker, the recorded trace, and what-if changes of a run."""
