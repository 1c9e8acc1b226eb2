"""Follow a person through a clip: the tracker, the trace it leaves, and what-if changes of a run."""
