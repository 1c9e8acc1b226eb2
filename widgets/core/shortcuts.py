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
