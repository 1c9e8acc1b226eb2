"""Location of the shipped data."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """Return the folder with checkpoints and samples: ``$DKD_DATA`` if set, else ``data/`` next to the package."""
    override = os.environ.get("DKD_DATA")
    return Path(override) if override else Path(__file__).resolve().parents[2] / "data"
