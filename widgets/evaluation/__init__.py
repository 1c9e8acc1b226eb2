"""Evaluation panel and its gallery."""
