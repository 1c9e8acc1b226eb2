"""Serve JupyterLab and lecture pages on this machine, behind a token."""
