"""Provenance: the date, versions and commit with which something was made."""

from __future__ import annotations

import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


def provenance() -> dict[str, Any]:
    """Return the date, commit and versions to store with a result.

    Returns:
        ``started`` (local time), ``commit`` (``None`` outside a checkout), ``versions`` of the relevant packages, and
        the number of torch ``threads``.
    """
    code = Path(__file__).resolve().parent
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
        described = subprocess.run(command, cwd=code, capture_output=True, text=True, timeout=10)
        commit = described.stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        commit = None  # git is not installed, or this is not a checkout
    return {
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
        "commit": commit,
        "versions": {name: version(name) for name in ("dkd-workbench", "torch", "numpy", "lightning-fabric")},
        "threads": torch.get_num_threads(),
    }
