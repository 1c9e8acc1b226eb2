"""What all views share: the cursor, the feed of frames, the wire format, shortcuts, and the browser modules."""
