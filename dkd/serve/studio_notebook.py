"""A notebook for one video: its only cell opens the video in the Studio."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any

from dkd.io.files import atomic_path

_LARGEST = 64 * 2**20  # bytes of a notebook that is read to see whether it is the one that would be written


def studio_notebook(video: Path, folder: Path | None = None) -> Path:
    """Return a notebook that opens ``video`` in the Studio: ``walk.ipynb`` for ``walk.mp4``; it is written if needed.

    A notebook that exists is never changed. If it opens this very video, it is returned; else another name is chosen
    (``walk-2.ipynb``).

    Args:
        video: path of a video, of a folder of images, of numbered images, or of a session.
        folder: where to put the notebook; by default next to the video.

    Raises:
        StorageError: it cannot be written.
    """
    place = Path(os.path.abspath(video))
    folder = place.parent if folder is None else Path(os.path.abspath(folder))
    call = f"Studio({_relative(place, folder)!r})"
    stem = place.name.removesuffix(".dkd.json") if place.name.endswith(".dkd.json") else place.stem
    stem = (place.name if place.is_dir() else stem).split("%")[0].strip("_-. ") or "video"
    for n in count(1):
        notebook = folder / (f"{stem}.ipynb" if n == 1 else f"{stem}-{n}.ipynb")
        if not os.path.lexists(notebook):
            with atomic_path(notebook) as temporary:
                temporary.write_text(json.dumps(_content(call), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            return notebook
        if _opens(notebook, call):
            return notebook
    raise AssertionError("numbers do not end")


def _relative(path: Path, folder: Path) -> str:
    """Return ``path`` as seen from the notebook, with ``/``, so that both can be moved together."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.as_posix()


def _content(call: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": "code", "execution_count": None, "id": "studio", "metadata": {}, "outputs": [],
        "source": ["from widgets import Studio\n", "\n", call],
    }  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _opens(notebook: Path, call: str) -> bool:
    """Return whether a notebook has the call in one of its code cells."""
    try:
        if not notebook.is_file() or notebook.stat().st_size > _LARGEST:
            return False
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return any(call in source for source in sources)
