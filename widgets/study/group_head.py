"""What stands above the figure of a study: its axes, the means in words, and what can be saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from dkd.errors import DKDError
from widgets.core.library import ModuleWidget, script

KINDS = (
    ("csv", "table, CSV"), ("svg", "figure, SVG"), ("png", "figure, PNG"), ("pdf", "figure, PDF"),
    ("text", "methods, text"), ("markdown", "methods, Markdown"), ("latex", "methods, LaTeX"),
)  # fmt: skip


class GroupHead(ModuleWidget):
    """Choices above the figure.

    Args:
        chosen: called with the columns of the groups (empty: all clips) and of the measure.
        export: called with the kind of what is to be saved (:data:`KINDS`).

    Attributes:
        is_filled: whether there was something to choose from.
    """

    _module = script("study/group_head.js")
    _groups: Any = traitlets.List().tag(sync=True)  # [column, label]
    _measures: Any = traitlets.List().tag(sync=True)
    _kinds = traitlets.List([list(kind) for kind in KINDS]).tag(sync=True)
    _by = traitlets.Unicode("").tag(sync=True)
    _measure = traitlets.Unicode("").tag(sync=True)
    _sentence = traitlets.Unicode("").tag(sync=True)
    _said = traitlets.Unicode("").tag(sync=True)  # what was saved, or why not
    _paragraph = traitlets.Unicode("").tag(sync=True)  # to copy

    def __init__(self, chosen: Callable[[str, str], None], export: Callable[[str], None]):
        self._on_choice, self._on_export = chosen, export
        self.is_filled = False
        super().__init__()
        self.on_msg(self._hear)

    def offer(self, groups: list[list[str]], measures: list[list[str]]) -> None:
        """Offer columns to choose from."""
        self.is_filled = True
        with self.hold_sync():
            self._groups, self._measures = groups, measures

    def tell(self, by: str, measure: str, sentence: str) -> None:
        """Say what the figure shows."""
        with self.hold_sync():
            self._by, self._measure, self._sentence = by, measure, sentence

    def say(self, text: str, paragraph: str = "") -> None:
        """Say what was saved; a paragraph is shown, to be copied."""
        with self.hold_sync():
            self._said, self._paragraph = text, paragraph

    def _hear(self, _: Any, content: Any, __: Any) -> None:
        try:
            if content.get("type") == "axes":
                offered = [{name for name, _ in options} for options in (self._groups, self._measures)]
                if content.get("by") in offered[0] and content.get("measure") in offered[1]:
                    self._on_choice(content["by"], content["measure"])
            elif content.get("type") == "export" and content.get("kind") in dict(KINDS):
                self._on_export(content["kind"])
        except DKDError as error:
            self.say(f"Not saved: {error}" if content.get("type") == "export" else str(error))
