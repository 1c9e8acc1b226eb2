"""Sessions: which person was tracked in which video, with all corrections, as one small file."""
