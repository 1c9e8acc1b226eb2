"""Settings, atomic file writing, and the location of the data."""
