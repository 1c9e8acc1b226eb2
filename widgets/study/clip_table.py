"""The table of a study's clips: the page asks for the rows that are in sight, however many there are."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import traitlets

from dkd.errors import DKDError
from dkd.studies.study import Study
from widgets.core.library import ModuleWidget, script
from widgets.study.query import columns_of, lane_of, matches, select, text_of
from widgets.study.strips import Strips

MOST = 200  # rows of one answer
READERS = 8  # threads that read the lanes of an answer
SORT = "confidence"


class ClipTable(ModuleWidget):
    """Rows of clips to sort, filter and open.

    Args:
        study: the study.
        opened: called with the name of a row, and the share 0..1 of its frames that was clicked in its lane, or
            ``None``.
        filmstrip: name of the still picture.
        filtered: called with which clips fit the text and the filters, (N,) bool, when that changes.
        cleared: called when the page gives up what was chosen in the figure.
    """

    _module = script("study/clip_table.js")
    _columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    _filters = traitlets.Dict().tag(sync=True)  # values to choose from, by column
    _state = traitlets.Unicode("").tag(sync=True)  # what is done, in words
    _version = traitlets.Int(0).tag(sync=True)  # changes when the rows do
    _opened = traitlets.Unicode("").tag(sync=True)
    _chosen = traitlets.Unicode("").tag(sync=True)  # what was chosen in the figure, in words
    _message = traitlets.Unicode("").tag(sync=True)
    _code = traitlets.Unicode("").tag(sync=True)
    _filmstrip = traitlets.Unicode().tag(sync=True)  # marks the still picture, which is hidden while a kernel answers

    def __init__(
        self,
        study: Study,
        opened: Callable[[str, float | None], None],
        filmstrip: str,
        filtered: Callable[[np.ndarray], None] = lambda _: None,
        cleared: Callable[[], None] = lambda: None,
    ):
        self._study, self._on_open, self._on_filter, self._on_clear = study, opened, filtered, cleared
        self._question: dict[str, Any] = {}  # the last one
        self._among: np.ndarray | None = None
        self._columns_shown = columns_of(study.groups)
        self._clips = pd.DataFrame()
        self.shown: pd.DataFrame = self._clips  # rows of the last question, in order
        self.strips = Strips(study, self._send_strip)
        super().__init__(_filmstrip=filmstrip)
        self.on_msg(self._hear)

    def show(self, clips: pd.DataFrame, state: str) -> None:
        """Show the table of clips; sorting and filters stay as they are."""
        self._clips = self.shown = clips
        self.strips.forget()
        groups = self._study.groups
        self._columns_shown = columns_of(groups, bool((clips["labelled_joints"] > 0).any()))
        self._among, filters = None, {}
        for name in ("status", "verdict", *groups):
            values = sorted(value for value in clips[name].dropna().unique() if value)
            if len(values) > 1:
                filters[name] = values
        with self.hold_sync():
            self._columns = [
                {"name": c.name, "label": c.label, "about": c.about, "number": c.digits is not None, "down": c.down}
                for c in self._columns_shown
            ]
            self._chosen = ""
            self._filters, self._state = filters, state
            self._version += 1

    def choose(self, names: Collection[str] | None, text: str = "") -> None:
        """Show only the clips with these names, as ``text`` says; ``None``: all that fit the filters."""
        self._among = None if names is None else self._clips["name"].isin(set(names)).to_numpy(bool)
        with self.hold_sync():
            self._chosen = "" if names is None else text
            self._version += 1

    def ordered(self) -> pd.DataFrame:
        """Return the clips that fit the filters and were chosen, in the order of the page."""
        return self._clips.iloc[self._select(self._question)]

    def close(self) -> None:
        """Make no more filmstrips, and free the widget."""
        if hasattr(self, "strips"):  # ipywidgets also closes incomplete widgets when they are deleted
            self.strips.close()
        super().close()

    def _send_strip(self, name: str, jpeg: bytes) -> None:
        image = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        self.send({"type": "strip", "name": name, "image": image})

    def say(self, message: str = "", *, code: str = "", opened: str = "") -> None:
        """Show a message below the table, the line of Python that opens a clip, and mark that clip."""
        with self.hold_sync():
            self._message, self._code, self._opened = message, code, opened

    def _hear(self, _: Any, content: Any, __: Any) -> None:
        try:
            if content.get("type") == "rows":
                before = {name: self._question.get(name) for name in ("find", "where")}
                answer = self.answer(content)
                self.send(answer)
                self.strips.want(row["name"] for row in answer["rows"] if row["lane"] is not None)
                if before != {name: self._question.get(name) for name in ("find", "where")}:
                    self._on_filter(matches(self._clips, content.get("find", ""), content.get("where")))
            elif content.get("type") == "all":
                self._on_clear()
            elif content.get("type") == "open":
                at = content.get("at")
                self._on_open(str(content["name"]), None if at is None else float(at))
        except DKDError as error:
            self.say(str(error))

    def _select(self, question: dict[str, Any]) -> np.ndarray:
        return select(
            self._clips, find=question.get("find", ""), where=question.get("where"), sort=question.get("sort", SORT),
            down=bool(question.get("down", False)), among=self._among,
        )  # fmt: skip

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return the rows that the page asks for.

        Args:
            question: ``request``, a number that the answer repeats; ``first`` and ``count``; ``find``, ``where``,
                ``sort`` and ``down`` as for :func:`widgets.study.query.select`.
        """
        clips, order = self._clips, self._select(question)
        self._question = dict(question)
        first, count = int(question.get("first", 0)), min(int(question.get("count", MOST)), MOST)
        self.shown = clips.iloc[order[max(first, 0) : max(first, 0) + count]]
        columns = self._columns_shown
        found = self.shown.to_dict("records")
        with ThreadPoolExecutor(READERS) as pool:  # an object store answers several requests in the time of one
            lanes = list(pool.map(self._lane_of, found))
        rows = [
            {
                "name": row["name"],
                "cells": [text_of(column, row[column.name]) for column in columns],
                "about": row["error"] or "",
                "lane": lane,
            }
            for row, lane in zip(found, lanes, strict=True)
        ]
        return {"type": "rows", "request": question.get("request"), "first": first, "total": len(order), "rows": rows}

    def _lane_of(self, row: dict[str, Any]) -> list[float] | None:
        return lane_of(self._study, row["name"]) if row["status"] != "failed" else None
