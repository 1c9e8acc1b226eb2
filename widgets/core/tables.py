"""Constants shared by Python and the browser, read from ``tables.json``, which the browser's modules import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TABLES: dict[str, Any] = json.loads((Path(__file__).parent / "tables.json").read_text(encoding="utf-8"))

SPEEDS: tuple[float, ...] = tuple(map(float, TABLES["speeds"]))  # playing speeds offered by the browser
LAYERS: dict[str, Any] = TABLES["layers"]  # layers of the player, and whether they are shown by default
MAP_RANGE: tuple[float, float] = tuple(TABLES["map_range"])  # range of values represented by a map's bytes 0..255
DTYPES: tuple[str, ...] = tuple(TABLES["dtypes"])  # allowed in a message's parts
MAX_RECORDS: int = TABLES["max_records"]  # per message: a request for more is an error
