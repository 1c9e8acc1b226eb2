"""What the browser runs, put together from the files beside this one.

anywidget loads one module a widget and has no bundler, and the package has no build step: so a widget's module is
the common files and its own one after the other, with the tables that Python owns (shortcuts, colour map) in front.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from widgets.core.shortcuts import as_records

_HERE = Path(__file__).parents[1]
_PLACES = {
    "anatomy_boxes": "anatomy/boxes", "anatomy_numbers": "anatomy/numbers",
    "anatomy_pipeline": "anatomy/pipeline", "anatomy_slide": "anatomy/slide", "laboratory_lane": "laboratory/lane",
    "laboratory_maps": "laboratory/maps", "laboratory_panel": "laboratory/panel", "evaluation_table": "evaluation/table",
    "panel": "panels/panel", "anatomy": "anatomy/anatomy",
}  # fmt: skip


def _read(name: str) -> str:
    place = _PLACES.get(name)
    path = _HERE / f"{place}.js" if place else next(_HERE.glob(f"*/{name}.js"))
    return path.read_text(encoding="utf-8")
_PARTS = {
    "anatomy": ("arithmetic", "anatomy_boxes", "anatomy_pipeline", "anatomy_slide", "anatomy_numbers"),
    "debugger": ("clipboard", "lanes"),
    "feed": ("arithmetic",),
    "laboratory": (
        "arithmetic", "clipboard", "scene", "transport", "kernel_edits", "kernel_editor", "laboratory_panel",
        "laboratory_maps", "laboratory_lane",
    ),
    "player": ("scene", "transport"),
    "gallery": ("clipboard",),
    "timeline": ("lanes",),
    "evaluation_table": ("clipboard",),
}  # fmt: skip  # widgets whose own code is in more files than one


def _viridis() -> str:
    """The 256 colours of viridis as one string of hexadecimal RGB triples (OpenCV has the table)."""
    bgr = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)
    return bgr[:, 0, ::-1].tobytes().hex()


@cache
def module(name: str) -> str:
    """The ES module of the widget ``name``: the shared tables, the common files, its parts, then ``<name>.js``."""
    tables = f'const SHORTCUTS = {json.dumps(as_records(), ensure_ascii=False)};\nconst VIRIDIS_HEX = "{_viridis()}";\n'
    files = ("drawing", "common", *_PARTS.get(name, ()), name)
    return tables + "\n".join(_read(file) for file in files)


@cache
def stylesheet() -> str:
    """The one style sheet of all views."""
    return (_HERE / "core/widgets.css").read_text(encoding="utf-8")
