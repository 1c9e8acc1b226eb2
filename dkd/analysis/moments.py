"""Worst moments of a track, to look at first.

:func:`worst` ranks the moments of a diagnosis, each with one reason and a sentence; :func:`worst_frames` finds the
frames of one joint between which the player jumps; :func:`worst_of_runs` selects one frame from each run of errors in a
table with ground truth.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dkd.analysis.diagnosis import REASONS, Diagnosis, check_comparable
from dkd.analysis.sentences import SENTENCES
from dkd.analysis.severity import has_true_sides
from dkd.errors import ConfigError, checked, nearest_name
from dkd.io.escaping import csv_cell
from dkd.io.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd

GAP = 2  # frames without a finding that do not end an event


@dataclass(frozen=True)
class Moment:
    """A moment that stands out.

    Attributes:
        frame: worst frame.
        first, last: first and last frame.
        joint: name of the joint, for a flip the left one; ``None`` for kernel drift, which concerns all joints.
        reason: one of :data:`REASONS`.
        severity: value divided by its limit, at least 1; see :mod:`dkd.analysis.diagnosis`.
        text: a sentence with numbers.
        model: name of the model that was traced.
        other: severity in the same frames of the other trace, below 1 if it does not happen there; ``None`` without
            another trace, NaN if it is not measured there.
        which: 0 for the first diagnosis, 1 for the other one.
    """

    frame: int
    first: int
    last: int
    joint: str | None
    reason: str
    severity: float
    text: str
    model: str
    other: float | None = None
    which: int = 0


@checked
class Moments(tuple[Moment, ...]):
    """Moments, most severe first."""

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per moment; the columns are the attributes of :class:`Moment`."""
        import pandas as pd

        return pd.DataFrame([asdict(moment) for moment in self], columns=list(Moment.__dataclass_fields__))

    def to_csv(self) -> str:
        """Return the table as CSV text."""
        return self.to_frame().map(csv_cell).to_csv(index=False)

    def to_json(self) -> str:
        """Return the moments as a JSON list of objects; unknown values are null."""
        rows = [{k: None if v != v else v for k, v in asdict(moment).items()} for moment in self]
        return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)

    def save(self, path: str | Path) -> None:
        """Write a ``.csv`` or ``.json`` file atomically.

        Raises:
            ConfigError: the suffix is different.
            StorageError: the file cannot be written.
        """
        kinds = {".csv": self.to_csv, ".json": self.to_json}
        kind = Path(path).suffix.lower()
        if kind not in kinds:
            raise ConfigError(f"expected a file that ends in .csv or .json, got {str(path)!r}")
        with atomic_path(path) as temporary:
            temporary.write_text(kinds[kind](), encoding="utf-8")


@checked
def worst(
    diagnosis: Diagnosis,
    joint: str | int | None = None,
    n: int | None = 20,
    *,
    reason: str | None = None,
    other: Diagnosis | None = None,
) -> Moments:
    """Find the moments that stand out most, most severe first, ties by the earlier one.

    Successive frames of one joint and one reason, with at most ``GAP`` frames in between, are one moment. A flip lasts
    from the frame in which the sides swap to the one before they swap back (with ground truth: as long as they are
    swapped); if they never do, it is that single frame.

    Args:
        diagnosis: diagnosis of a trace.
        joint: only moments of this joint and of the kernels; by default all, with a flip reported once per pair.
        n: maximum number; ``None``: all.
        reason: only this reason.
        other: diagnosis of another trace of the clip, whose moments are ranked with the rest (``which`` = 1). Each
            moment has its severity in the other trace. Moments that happen in both at the same time are reported once,
            for the trace in which they are worse.

    Raises:
        ConfigError: the joint or reason is unknown, ``n`` is below 0, or the diagnoses cannot be compared.
    """
    skeleton = diagnosis.skeleton
    if reason is not None and reason not in REASONS:
        raise ConfigError(f"there is no reason {reason!r}{nearest_name(reason, REASONS)} There are: {REASONS}.")
    if n is not None and n < 0:
        raise ConfigError(f"expected n ≥ 0 moments or None for all, got {n}")
    j = None if joint is None else skeleton.index(joint)
    reasons = REASONS if reason is None else (reason,)
    if other is None:
        found = _moments(diagnosis, j, reasons)
        return Moments(sorted(found, key=_rank)[:n])
    check_comparable(diagnosis, other)
    found = []
    for which, (d, the_other) in enumerate(((diagnosis, other), (other, diagnosis))):
        for moment in _moments(d, j, reasons):
            there = _severity_there(the_other, moment)
            found.append(Moment(**{**vars(moment), "other": there, "which": which}))
    kept: list[Moment] = []
    told: dict[tuple[str | None, str], list[Moment]] = {}
    for moment in sorted(found, key=_rank):
        same = told.setdefault((moment.joint, moment.reason), [])
        # Already reported if the other trace's moment is in the list and also happens here.
        if any(m.which != moment.which and _meet(m, moment) and m.other is not None and m.other >= 1 for m in same):
            continue
        same.append(moment)
        kept.append(moment)
    return Moments(kept[:n])


def _rank(moment: Moment) -> tuple[float, int, int, str, str]:
    return -moment.severity, moment.frame, moment.which, moment.reason, moment.joint or ""


def _meet(a: Moment, b: Moment) -> bool:
    return a.first <= b.last and b.first <= a.last


def _severity_there(d: Diagnosis, moment: Moment) -> float:
    values = d.severities.get(moment.reason)
    if values is None:
        return float("nan")
    column = 0 if moment.joint is None else d.skeleton.index(moment.joint)
    part = values[moment.first : moment.last + 1, column]
    return float(np.nanmax(part)) if np.isfinite(part).any() else float("nan")


def _moments(d: Diagnosis, joint: int | None, reasons: tuple[str, ...]) -> list[Moment]:
    found = []
    for reason in (r for r in reasons if r in d.severities):
        values = d.severities[reason]
        for column in range(values.shape[1]):
            about_all = reason == "drift"
            if joint is not None and not about_all and column != joint:
                continue
            if joint is None and reason == "flip" and d.skeleton.side(column) == "right":
                continue  # reported with the left one
            flags = np.flatnonzero(values[:, column] >= 1)
            spans = _alternations(flags) if reason == "flip" and not has_true_sides(d) else _events(flags)
            for first, last in spans:
                part = values[first : last + 1, column]
                frame = first + int(np.nanargmax(part))
                text = SENTENCES[reason](d, frame, column)
                if frame in d.started and frame != d.origin:
                    text += "; the lost track was re-initialised here"
                name = None if about_all else d.skeleton.joints[column]
                found.append(Moment(frame, first, last, name, reason, float(values[frame, column]), text, d.model))
    return found


def _events(frames: np.ndarray) -> list[tuple[int, int]]:
    """Group ascending frame indices with at most GAP frames between neighbours; return first and last of each group."""
    if not len(frames):
        return []
    groups = np.split(frames, np.flatnonzero(np.diff(frames) > GAP + 1) + 1)
    return [(int(group[0]), int(group[-1])) for group in groups]


def _alternations(frames: np.ndarray) -> list[tuple[int, int]]:
    """Convert frames in which two sides swap to spans in which they are swapped; a last odd one is a single frame."""
    paired = len(frames) // 2 * 2
    spans = [(int(a), int(b) - 1) for a, b in zip(frames[:paired:2], frames[1:paired:2], strict=True)]
    return spans + [(int(t), int(t)) for t in frames[paired:]]


def worst_frames(scores: np.ndarray, drift: np.ndarray, fps: float) -> list[int]:
    """Find frames in which the tracking of one joint was least certain, or in which the kernels changed most.

    A frame counts if, within a quarter of a second on either side (at least 2 frames), it has the lowest score and
    that score is in the lower quarter of the clip's; or if it has the largest kernel drift of that window and the drift
    is in the upper quarter. The quarter excludes small variations where tracking is good. Of equal neighbours the first
    counts; a constant window has none.

    Args:
        scores: (T,) peak heights of the joint's maps; NaN never counts.
        drift: (T,) kernel drift 1 − cos(K_t, K_{t−1}); index 0 has no drift and never counts.
        fps: frames per second, > 0.

    Returns:
        Frame indices, ascending.
    """
    reach = max(2, round(fps / 4))
    rises = -np.asarray(drift, np.float64)
    rises[:1] = np.nan
    return [int(t) for t in np.flatnonzero(_dips(np.asarray(scores, np.float64), reach) | _dips(rises, reach))]


def worst_of_runs(error: np.ndarray, bad: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Select the worst frame of each run of errors, worst run first.

    Args:
        error: (N,) error of each row; a missing prediction (NaN) is the worst.
        bad: (N,) bool, which rows are errors.
        run: (N,) run to which each row belongs.

    Returns:
        Indices of rows; ties by the earlier one.
    """
    at = np.flatnonzero(bad)
    size = np.where(np.isfinite(error[at]), error[at], np.inf)
    at = at[np.lexsort((at, -size))]
    return at[np.sort(np.unique(run[at], return_index=True)[1])]  # the first, and so the worst, of each run


def _dips(curve: np.ndarray, reach: int) -> np.ndarray:
    """Find minima (T,) of windows of ±``reach`` frames (the first of equals) that are in the curve's lower quarter."""
    finite = np.isfinite(curve)
    if not finite.any():
        return np.zeros(len(curve), bool)

    def windows(missing: float) -> np.ndarray:  # (T, 2·reach + 1), with `missing` for unknown values and outside
        padded = np.pad(np.where(finite, curve, missing), reach, constant_values=missing)
        return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)

    around = windows(np.inf)
    here = around[:, reach]
    lowest = (here < around[:, :reach].min(1)) & (here <= around[:, reach + 1 :].min(1))
    is_dip = lowest & (here < windows(-np.inf).max(1))
    return is_dip & (here <= np.quantile(curve[finite], 0.25))
