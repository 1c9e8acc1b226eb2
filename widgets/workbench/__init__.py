"""Workbench: player, matching, kernels, and timeline on one cursor."""
