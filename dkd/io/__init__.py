"""Settings, files that are written whole, and where data lie."""
