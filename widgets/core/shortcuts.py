"""The one table of keyboard shortcuts: the key handler in the browser, the help panel and the docs are made from it.

Keys are the browser's ``KeyboardEvent.key`` names, with ``Shift+`` in front where the shift key must be held. They act
only while a widget has the focus.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Shortcut:
    """Some keys that do one thing.

    Attributes:
        keys: any of these triggers it, as ``KeyboardEvent.key``; letters in lower case match with caps lock on, too.
        action: the name of the action in ``common.js``, with its argument if it has one: ``"step:-5"``.
        help: what it does, in a few words.
        group: the heading it stands under in the help.
    """

    keys: tuple[str, ...]
    action: str
    help: str
    group: str


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut((" ", "k"), "toggle-play", "play or pause", "Time"),
    Shortcut(("ArrowLeft",), "step:-1", "one frame back; hold to accelerate", "Time"),
    Shortcut(("ArrowRight",), "step:1", "one frame on; hold to accelerate", "Time"),
    Shortcut(("Shift+ArrowLeft",), "step:-5", "5 frames back", "Time"),
    Shortcut(("Shift+ArrowRight",), "step:5", "5 frames on", "Time"),
    Shortcut(("PageUp",), "step:-50", "50 frames back", "Time"),
    Shortcut(("PageDown",), "step:50", "50 frames on", "Time"),
    Shortcut(("Home",), "first", "first frame", "Time"),
    Shortcut(("End",), "last", "last frame", "Time"),
    Shortcut(("f",), "go-to", "type a frame number", "Time"),
    Shortcut(("-",), "slower", "slower", "Time"),
    Shortcut(("+", "Shift++", "="), "faster", "faster", "Time"),
    Shortcut(("n",), "worst:1", "next worst moment", "Time"),
    Shortcut(("p",), "worst:-1", "previous worst moment", "Time"),
    Shortcut(("m",), "anew:1", "next frame in which a lost track was started anew", "Time"),
    Shortcut(("Shift+M",), "anew:-1", "previous frame in which it was started anew", "Time"),
    Shortcut(("j",), "joint:1", "next joint", "What is shown"),
    Shortcut(("Shift+J",), "joint:-1", "previous joint", "What is shown"),
    Shortcut(("s",), "layer:skeleton", "skeleton", "What is shown"),
    Shortcut(("t",), "layer:trails", "trails", "What is shown"),
    Shortcut(("h",), "layer:heatmap", "heatmap of the joint over the frame", "What is shown"),
    Shortcut(("b",), "layer:box", "the square that the network sees", "What is shown"),
    Shortcut(("g",), "layer:truth", "ground truth, where there is one", "What is shown"),
    Shortcut(("x",), "pin", "pin the cell at the peak, or let it go", "What is shown"),
    Shortcut(("Escape",), "clear", "let go of the pinned cell and the selected range", "What is shown"),
    Shortcut(("r",), "reinitialise", "re-initialise when lost, or not", "Workbench"),
    Shortcut(("l",), "latency", "latency read-out", "Workbench"),
    Shortcut(("c",), "copy", "copy this view as Python", "Workbench"),
    Shortcut(("?", "Shift+?"), "help", "this table", "Workbench"),
)

_NAMES = {" ": "Space", "ArrowLeft": "←", "ArrowRight": "→", "Escape": "Esc", "PageUp": "Page ↑", "PageDown": "Page ↓"}


def key_label(key: str) -> str:
    """How a key is written for people: ``"Shift+ArrowLeft"`` → ``"Shift ←"``, ``"n"`` → ``"N"``."""
    modifier, _, name = key.rpartition("Shift+")
    name = _NAMES.get(name, name.upper() if len(name) == 1 else name)
    shown = "Shift " if key.startswith("Shift+") and (name.isalpha() or name in "←→") else ""
    return shown + name


def as_records() -> list[dict]:
    """The table as plain data for the browser: each row with ``labels``, the keys as people read them (no doubles)."""
    return [{**asdict(s), "labels": list(dict.fromkeys(key_label(k) for k in s.keys if k != "="))} for s in SHORTCUTS]


def as_markdown() -> str:
    """The table for the docs: one Markdown table, in the order of :data:`SHORTCUTS`."""
    rows = [f"| {' or '.join(r['labels'])} | {r['help']} |" for r in as_records()]
    return "\n".join(["| key | what it does |", "|---|---|", *rows])
