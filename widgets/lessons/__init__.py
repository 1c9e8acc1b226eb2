"""Lessons: questions that are answered by doing."""
