"""Joint sets by name, crops, heatmaps, and smoothing of joints: the geometry that everything else shares."""
