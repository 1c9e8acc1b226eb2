"""Where the shipped data lie."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder with checkpoints and samples: ``$DKD_DATA`` if set, else ``data/`` beside the package (a checkout)."""
    override = os.environ.get("DKD_DATA")
    return Path(override) if override else Path(__file__).resolve().parents[2] / "data"
