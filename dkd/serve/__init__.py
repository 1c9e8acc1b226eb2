"""Servers of JupyterLab and of lecture pages, on this machine only and protected by a token."""
