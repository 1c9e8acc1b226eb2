"""Pose tracks of any tool: one class for them, readers, writers, and the overlay video."""
