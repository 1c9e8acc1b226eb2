"""Anatomy: how one heatmap was computed, from the picture to the sum at one cell."""
