"""Content of the evaluation panel's head, and the panel's still picture without a kernel."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dkd.evaluation.results import Evaluation
from widgets.evaluation.job import EvaluationJob
from widgets.evaluation.plots import Figures, still_plots
from widgets.evaluation.results import Results
from widgets.evaluation.table import table_html
from widgets.panels.panel import duration, still_figure

_PICTURES = 6  # in the still picture

# For each state: its label, whether run and stop are possible, and the label of the run button.
STATES: dict[str, tuple[str, bool, bool, str]] = {
    "new": ("Ready to run", True, False, "Run"),
    "running": ("Measuring", False, True, "Run"),
    "cost": ("Measuring cost", False, True, "Run"),
    "stopping": ("Stopping after this frame", False, False, "Run"),
    "stopped": ("Stopped; results are kept", True, False, "Resume"),
    "finished": ("Finished", True, False, "Run again"),
    "failed": ("Failed", True, False, "Resume"),
}


def facts(job: EvaluationJob | None, evaluation: Evaluation | None, table: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers next to the state (``facts``) and the position of the bar (``done``, ``of``)."""
    named: list[tuple[str, str]] = []
    if job is not None and job.active and job.doing == "cost":
        return {"facts": [("turn", f"{job.turns[0]} of {job.turns[1]}")], "done": job.turns[0], "of": job.turns[1]}
    done = of = 0
    if job is not None and job.active:
        progress = job.progress
        if progress is not None:
            done, of = progress.frames, progress.of_frames
            named = [
                ("part", f"{progress.videos} of {progress.of_videos}"), ("method", progress.method),
                ("video", f"{progress.data}, {progress.video}"),
            ]  # fmt: skip
            left = job.seconds_left()
            if left is not None:
                named.append(("left", duration(left)))
    elif evaluation is not None:
        of = len(evaluation.settings["parts"])
        done = of - evaluation.missing
        named = [("measured", f"{done} of {of} parts"), ("frames", str(_frames(table)))]
    if job is not None and job.failures:
        named.append(("left out", f"{len(job.failures)}: {job.failures[-1].video}, {job.failures[-1].error}"))
    return {"facts": named, "done": done, "of": of}


def _frames(table: pd.DataFrame) -> int:
    """Count the frames of all methods together."""
    if not len(table):
        return 0
    return int(table.groupby(["model", "data", "video"], observed=True)["frame"].nunique().sum())


def still(name: str, title: str, shown: Figures, results: Results, items: Sequence[Mapping[str, Any]]) -> str:
    """Create a self-contained figure with curves, the table, its description, and the worst moments.

    Args:
        name: marks the figure (``data-dkd-filmstrip``), so that the live widget can hide it.
        title: title as HTML.
        shown: content of the plots.
        results: the table and its note.
        items: items of the gallery, with pictures.
    """
    parts = [title, still_plots(shown), table_html(results.summary)]
    if results.note:
        parts.append(f'<span style="font-size:13px">{html.escape(results.note)}</span>')
    pictures = []
    for item in [item for item in items if item["visibility"] == "visible"][:_PICTURES]:
        caption = html.escape(_caption(item))
        pictures.append(
            f'<figure style="margin:0;width:150px"><img alt="{caption}" style="width:100%" '
            f'src="data:image/jpeg;base64,{b64encode(item["picture"]).decode()}">'
            f'<figcaption style="font-size:12px">{caption}</figcaption></figure>'
        )
    if pictures:
        parts.append(f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(pictures)}</div>')
    return still_figure(name, parts, "An evaluation.")


def _caption(item: Mapping[str, Any]) -> str:
    error = "no position" if item["error"] is None else f"{100 * item['error']:.0f} %"
    text = f"{item['joint'].replace('_', ' ')}, {error}, {item['model']}, {item['video']}, frame {item['frame']}"
    return text + (" (machine labels)" if "machine" in item["labels"] else "")
