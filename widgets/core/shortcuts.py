"""Keyboard shortcuts, from ``tables.json``: the browser's key handler, the help panel and the docs share the table.

Keys are the browser's ``KeyboardEvent.key`` names, with ``Shift+`` in front where the shift key must be held. They act
only while a widget has the focus.
"""

from __future__ import annotations

from dataclasses import dataclass

from widgets.core.tables import TABLES


@dataclass(frozen=True)
class Shortcut:
    """Some keys that do one thing.

    Attributes:
        keys: any of these triggers it, as ``KeyboardEvent.key``; letters in lower case match with caps lock on, too.
        labels: the keys as people read them.
        action: the name of the action in ``keys.js``, with its argument if it has one: ``"step:-5"``.
        help: what it does, in a few words.
        group: the heading it stands under in the help.
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
    """The table for the docs: one Markdown table, in the order of :data:`SHORTCUTS`."""
    rows = [f"| {' or '.join(shortcut.labels)} | {shortcut.help} |" for shortcut in SHORTCUTS]
    return "\n".join(["| key | what it does |", "|---|---|", *rows])
