"""Keyboard shortcuts from ``tables.json``, shared by the browser's key handler, the help panel and the docs.

Keys are the browser's ``KeyboardEvent.key`` names, with the prefix ``Shift+`` if the shift key must be held. They only
work while a widget has the focus.
"""

from __future__ import annotations

from dataclasses import dataclass

from widgets.core.tables import TABLES


@dataclass(frozen=True)
class Shortcut:
    """Keys of one action.

    Attributes:
        keys: keys that trigger it, as ``KeyboardEvent.key``; lower-case letters also match with caps lock on.
        labels: displayed names of the keys.
        action: name of the action in ``keys.js``, with an optional argument: ``"step:-5"``.
        help: short description.
        group: heading in the help.
    """

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    action: str
    help: str
    group: str


SHORTCUTS: tuple[Shortcut, ...] = tuple(
    Shortcut(tuple(row["keys"]), tuple(row["labels"]), row["action"], row["help"], row["group"])
    for row in TABLES["shortcuts"]
)


def as_markdown() -> str:
    """Format the shortcuts as one Markdown table for the docs, in the order of :data:`SHORTCUTS`."""
    rows = [f"| {' or '.join(shortcut.labels)} | {shortcut.help} |" for shortcut in SHORTCUTS]
    return "\n".join(["| key | what it does |", "|---|---|", *rows])


# Parts of views that the Tab key stops at once, with keys of their own: (part, keys, what they do).
PARTS: tuple[tuple[str, str, str], ...] = (
    ("heatmaps or kernels of all joints", "↑ ↓", "another joint"),
    ("Anatomy: the joint's map", "← → ↑ ↓", "another cell; Esc goes back to the peak"),
    ("Anatomy: the sliding window", "← → ↑ ↓", "a cell or a row on or back"),
    ("Anatomy: the sliding window", "Home, End, Space", "to the first or last cell; play"),
    ("Lineage: the matrix", "← → ↑ ↓", "another pair of frames; Enter goes to the frame"),
    ("Coherence debugger: the lanes", "Shift ← →", "select a range of frames"),
    ("Coherence debugger: the moments", "↑ ↓ Home End", "another moment; Enter goes to its frame"),
    ("Laboratory: the kernel", "← → ↑ ↓", "another cell"),
    ("Laboratory: the kernel", "+ − 0 Enter", "raise, lower or clear the cell, or paint the brush's value"),
    ("evaluation: the gallery", "← → ↑ ↓ Home End", "another frame; Enter opens it"),
    ("StudyView: the clips", "↑ ↓ Page ↑ Page ↓ Home End", "another clip; Enter opens it"),
    ("Studio: a person's box", "← → ↑ ↓", "move it; with Shift, resize it; Delete removes it"),
    ("Studio: the handles of the strip", "← → Page ↑ Page ↓ Home End", "move the start, the end or the shown frame"),
)


def parts_as_markdown() -> str:
    """Format the keys of the parts as one Markdown table for the docs, in the order of :data:`PARTS`."""
    return "\n".join(["| part | keys | what they do |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in PARTS)])
