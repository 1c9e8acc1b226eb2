"""Lineage: how kernels change over time."""
