"""Engines: one network, several ways to run it, each held to eager PyTorch in float32."""
