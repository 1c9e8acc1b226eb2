"""The constants that Python and the browser share, read from ``tables.json``, which the browser's modules import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TABLES: dict[str, Any] = json.loads((Path(__file__).parent / "tables.json").read_text(encoding="utf-8"))

SPEEDS: tuple[float, ...] = tuple(map(float, TABLES["speeds"]))  # playing speeds that the browser offers
LAYERS: dict[str, Any] = TABLES["layers"]  # what the player draws, and whether it does by default
MAP_RANGE: tuple[float, float] = tuple(TABLES["map_range"])  # values that a map's bytes 0..255 stand for
DTYPES: tuple[str, ...] = tuple(TABLES["dtypes"])  # that a message's parts may have
MAX_RECORDS: int = TABLES["max_records"]  # in one message: a request for more is an error, not a stall
