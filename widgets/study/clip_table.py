"""The table of a study's clips: the page asks for the rows that are in sight, however many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import traitlets

from dkd.errors import DKDError
from dkd.studies.study import Study
from widgets.core.library import ModuleWidget, script
from widgets.study.query import columns_of, lane_of, select, text_of

MOST = 200  # rows of one answer
SORT = "confidence"


class ClipTable(ModuleWidget):
    """Rows of clips to sort, filter and open.

    Args:
        study: the study.
        opened: called with the name of a row, and the share 0..1 of its frames that was clicked in its lane, or
            ``None``.
        filmstrip: name of the still picture.
    """

    _module = script("study/clip_table.js")
    _columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    _filters = traitlets.Dict().tag(sync=True)  # values to choose from, by column
    _state = traitlets.Unicode("").tag(sync=True)  # what is done, in words
    _version = traitlets.Int(0).tag(sync=True)  # changes when the rows do
    _opened = traitlets.Unicode("").tag(sync=True)
    _message = traitlets.Unicode("").tag(sync=True)
    _code = traitlets.Unicode("").tag(sync=True)
    _filmstrip = traitlets.Unicode().tag(sync=True)  # marks the still picture, which is hidden while a kernel answers

    def __init__(self, study: Study, opened: Callable[[str, float | None], None], filmstrip: str):
        self._study, self._on_open = study, opened
        self._clips = pd.DataFrame()
        self.shown: pd.DataFrame = self._clips  # rows of the last question, in order
        super().__init__(_filmstrip=filmstrip)
        self.on_msg(self._hear)

    def show(self, clips: pd.DataFrame, state: str) -> None:
        """Show the table of clips; sorting and filters stay as they are."""
        self._clips = self.shown = clips
        groups = self._study.groups
        filters = {}
        for name in ("status", "verdict", *groups):
            values = sorted(value for value in clips[name].dropna().unique() if value)
            if len(values) > 1:
                filters[name] = values
        with self.hold_sync():
            self._columns = [
                {"name": c.name, "label": c.label, "about": c.about, "number": c.digits is not None, "down": c.down}
                for c in columns_of(groups)
            ]
            self._filters, self._state = filters, state
            self._version += 1

    def say(self, message: str = "", *, code: str = "", opened: str = "") -> None:
        """Show a message below the table, the line of Python that opens a clip, and mark that clip."""
        with self.hold_sync():
            self._message, self._code, self._opened = message, code, opened

    def _hear(self, _: Any, content: Any, __: Any) -> None:
        try:
            if content.get("type") == "rows":
                self.send(self.answer(content))
            elif content.get("type") == "open":
                at = content.get("at")
                self._on_open(str(content["name"]), None if at is None else float(at))
        except DKDError as error:
            self.say(str(error))

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return the rows that the page asks for.

        Args:
            question: ``request``, a number that the answer repeats; ``first`` and ``count``; ``find``, ``where``,
                ``sort`` and ``down`` as for :func:`widgets.study.query.select`.
        """
        clips = self._clips
        order = select(
            clips, find=question.get("find", ""), where=question.get("where"), sort=question.get("sort", SORT),
            down=bool(question.get("down", False)),
        )  # fmt: skip
        first, count = int(question.get("first", 0)), min(int(question.get("count", MOST)), MOST)
        self.shown = clips.iloc[order[max(first, 0) : max(first, 0) + count]]
        columns = columns_of(self._study.groups)
        rows = [
            {
                "name": row["name"],
                "cells": [text_of(column, row[column.name]) for column in columns],
                "about": row["error"] or "",
                "lane": lane_of(self._study, row["name"]) if row["status"] != "failed" else None,
            }
            for row in self.shown.to_dict("records")
        ]
        return {"type": "rows", "request": question.get("request"), "first": first, "total": len(order), "rows": rows}
