"""The view of a study: its clips as a table, and a workbench for the one that is opened."""
