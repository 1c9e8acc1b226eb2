"""Skeletons, crops, heatmaps and joint smoothing: the geometry shared by all other packages."""
