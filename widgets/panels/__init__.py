"""Shared parts of the training and evaluation panels."""
