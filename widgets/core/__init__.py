"""Shared parts of all views: the cursor, the feed of frames, the wire format, shortcuts, and browser modules."""
