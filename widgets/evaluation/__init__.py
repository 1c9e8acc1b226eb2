"""The evaluation panel and its gallery."""
