"""The studio: from a video of one's own to a corrected, saved track, on one page."""
