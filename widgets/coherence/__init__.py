"""The coherence debugger: where a track drifts, jumps, or flips, and why."""
