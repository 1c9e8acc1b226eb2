"""Lessons: questions that students answer by working with the views."""
