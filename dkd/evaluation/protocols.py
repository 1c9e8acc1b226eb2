"""How published numbers are counted: which joints, over which length, and which of several means.

    protocol = get_protocol("penn_action")
    counts = protocol.joint_counts(person, predicted)      # of one video; add them up over all videos
    paper_columns(counts.hits, counts.counted, person.skeleton)

Every frame of every test video counts; hits are pooled per joint over all of them; a column of the papers' tables is
the mean of its joints' PCKs. As tables differ in *which* mean they print, each mean has its name here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, ShapeError, nearest_name
from dkd.measures.metrics import joint_counts
from dkd.pose.crops import joints_to_box
from dkd.pose.skeleton import Skeleton, get_skeleton

NORMALISERS = ("box", "torso")
COUNTED = ("visible", "labelled")

# The papers' seven columns. Data sets differ in what they call the head.
COLUMNS: dict[str, tuple[str, ...]] = {
    "Head": ("head", "head_top", "nose"),
    "Sho": ("left_shoulder", "right_shoulder"),
    "Elb": ("left_elbow", "right_elbow"),
    "Wri": ("left_wrist", "right_wrist"),
    "Hip": ("left_hip", "right_hip"),
    "Knee": ("left_knee", "right_knee"),
    "Ank": ("left_ankle", "right_ankle"),
}
POOLED = "pooled (all joints)"


def check_choice(what: str, value: str, known: Sequence[str]) -> None:
    """Raises ConfigError unless ``value`` is one of ``known``."""
    if value not in known:
        raise ConfigError(f"unknown {what} {value!r}{nearest_name(str(value), known)} Known: {', '.join(known)}.")


class Counts(NamedTuple):
    """Counts of one or more videos: add them field by field, never average them.

    Attributes:
        hits, counted: (J,) int, joints within the threshold, and joints that count.
        skipped: joints that would have counted, in frames that have no length to compare with.
    """

    hits: np.ndarray
    counted: np.ndarray
    skipped: int


@dataclass(frozen=True)
class Protocol:
    """How a data set's results are published.

    Attributes:
        name: the data source's name.
        summary: a sentence for tooltips and reports, with whose protocol it is.
        counts: which joints count: "visible" (labelled and not marked as hidden) or "labelled".
        normaliser: the length that thresholds are a share of: "box" or "torso", see :func:`normaliser`.
        alpha: the threshold of the papers' tables.
        mean: the mean that DKD's own table gives, by its name in :func:`paper_columns`.
        folds: numbers of the splits whose results are averaged, never pooled; empty where there is one.
    """

    name: str
    summary: str
    counts: str = "visible"
    normaliser: str = "box"
    alpha: float = 0.2
    mean: str = "mean (13 joints)"
    folds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_choice("counted joints", self.counts, COUNTED)
        check_choice("normaliser", self.normaliser, NORMALISERS)

    def counted(self, person: PersonSequence) -> np.ndarray:
        """(T, J) bool: the joints that count."""
        return counted(person, self.counts)

    def joint_counts(
        self, person: PersonSequence, predicted: np.ndarray, alpha: float | None = None, kind: str | None = None
    ) -> Counts:
        """Hits of one video's (T, J, 2) predictions in pixels, by this protocol or another threshold or normaliser."""
        if np.shape(predicted) != person.joints.shape:
            raise ShapeError(
                f"expected predictions of shape {person.joints.shape} for {person.name}, got {np.shape(predicted)}"
            )
        lengths = normaliser(person, kind or self.normaliser, predicted)
        which = self.counted(person)
        truth = np.where(which[..., None], person.joints, np.nan)
        hits, n = joint_counts(predicted, truth, lengths, self.alpha if alpha is None else alpha)
        return Counts(hits, n, int(which.sum() - n.sum()))


DEFAULT = Protocol("own data", "Visible joints, share of the larger side of the person's box (as on Penn Action).")

PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in (
        Protocol(
            "penn_action",
            "Penn Action as LSTM Pose Machines and DKD count: visible joints only, max(w, h) of the labelled box.",
        ),
        Protocol(
            "sub_jhmdb",
            "Sub-JHMDB as LSTM Pose Machines and DKD count: all joints, max(w, h) of the puppet mask's box, mean of "
            "three splits; neck and belly are in no column.",
            counts="labelled",
            folds=(1, 2, 3),
        ),
        Protocol("rendered", "Rendered people, exact labels: visible joints only, as on Penn Action."),
        Protocol(
            "pose2sim",
            "Machine labels: the joints on which two networks agree, so an upper bound on what can be told.",
            counts="labelled",
        ),
    )
}


def get_protocol(data: str) -> Protocol:
    """The protocol of a data source: "penn_action", "sub_jhmdb/2", "penn_action=folder", "pose2sim_cam01".

    What has no protocol of its own, such as a folder with own data, is counted by :data:`DEFAULT`.
    """
    match = re.fullmatch(r"([a-z_0-9]+?)(_cam\d+)?(/\d)?(=.*)?", data, re.DOTALL)
    return PROTOCOLS.get(match[1], DEFAULT) if match else DEFAULT


def normaliser(person: PersonSequence, kind: str = "box", predicted: np.ndarray | None = None) -> np.ndarray:
    """The length of each frame that thresholds are a share of.

    Args:
        person: with labels.
        kind: "box", max(w, h) of the labelled box, as LSTM Pose Machines and DKD; where the data set has none, of the
            box of the joints; or "torso", see :func:`torso_lengths`.
        predicted: (T, J, 2) pixels, for the torso.

    Returns:
        (T,) float64 pixels; NaN where there is none: such frames are skipped, and counted as skipped.
    """
    check_choice("normaliser", kind, NORMALISERS)
    if kind == "torso":
        return torso_lengths(person.joints, predicted, person.skeleton)
    return _box_sides(person).max(-1)


def box_areas(person: PersonSequence) -> np.ndarray:
    """(T,) w · h in px² of the box that :func:`normaliser` measures; NaN where there is none."""
    return _box_sides(person).prod(-1)


def torso_lengths(truth: np.ndarray, predicted: np.ndarray | None, skeleton: str | Skeleton) -> np.ndarray:
    """Left shoulder to right hip, the stricter unit that re-implementations use.

    Hidden joints serve too if they are labelled (our decision: else most side views would be skipped).

    Args:
        truth: (T, J, 2) pixels, NaN where not labelled.
        predicted: (T, J, 2) pixels: its torso counts where the truth's is shorter than 1 px; None: no unit there.
        skeleton: joint set of the axis J.

    Returns:
        (T,) float64 pixels; NaN where one of the two joints is not labelled.
    """
    shoulder, hip = (get_skeleton(skeleton).index(joint) for joint in ("left_shoulder", "right_hip"))

    def length(joints: np.ndarray) -> np.ndarray:
        joints = np.asarray(joints, np.float64)
        return np.linalg.norm(joints[..., shoulder, :] - joints[..., hip, :], axis=-1)

    true = length(truth)
    return np.where(true < 1, np.nan if predicted is None else length(predicted), true)


def counted(person: PersonSequence, which: str = "visible") -> np.ndarray:
    """(T, J) bool: the joints that are labelled and, for "visible", not marked as hidden."""
    check_choice("counted joints", which, COUNTED)
    labelled = np.isfinite(person.joints).all(-1)
    return labelled if which == "labelled" or person.visible is None else labelled & person.visible


def paper_columns(hits: np.ndarray, counted: np.ndarray, joints: str | Skeleton | Sequence[str]) -> dict[str, float]:
    """The papers' table row from counts that are pooled per joint.

    Args:
        hits, counted: (J,), summed over all frames of all videos.
        joints: the joints of this axis: a skeleton, or names.

    Returns:
        in 0..1: the seven columns, each the mean of its joints' PCKs; "mean (7 columns)", which counts the head as much
        as both shoulders; "mean (13 joints)", the columns' joints alike; for larger joint sets the mean over all of
        them too, such as "mean (15 joints)" with Sub-JHMDB's neck and belly; and "pooled (all joints)", hits over
        counted. A joint that never counted is left out of its column; a mean that misses a column or a joint is NaN, as
        it would not be what its name says.
    """
    names = tuple(joints) if not isinstance(joints, (str, Skeleton)) else get_skeleton(joints).joints
    if not len(hits) == len(counted) == len(names):
        raise ShapeError(f"expected {len(names)} hits and counts, got {len(hits)} and {len(counted)}")
    hits, n = np.asarray(hits, np.float64), np.asarray(counted, np.float64)
    pck = np.where(n > 0, hits / np.where(n > 0, n, 1), np.nan)
    by_name = dict(zip(names, pck, strict=True))
    # One name serves as the head; the sides are both taken.
    members = {c: [by_name[j] for j in js if j in by_name][: 1 if c == "Head" else 2] for c, js in COLUMNS.items()}
    row = {column: _mean(values) for column, values in members.items()}
    row["mean (7 columns)"] = float(np.mean(list(row.values())))
    thirteen = [value for values in members.values() for value in values]
    row["mean (13 joints)"] = float(np.mean(thirteen)) if len(thirteen) == 13 else float("nan")
    if len(names) > 13:
        row[f"mean ({len(names)} joints)"] = float(np.mean(pck))
    row[POOLED] = float(hits.sum() / n.sum()) if n.sum() else float("nan")
    return row


def average_folds(folds: Sequence[Mapping[str, float] | Any]) -> dict[str, float]:
    """The mean of the splits' results, number by number: how Sub-JHMDB is published.

    Counts are never pooled over splits, which share videos and differ in size.

    Args:
        folds: one mapping a split, such as :func:`paper_columns` or a row of a summary.

    Raises:
        ConfigError: there is none, or they do not have the same entries.
    """
    rows = [dict(fold) for fold in folds]
    if not rows or any(row.keys() != rows[0].keys() for row in rows):
        raise ConfigError(f"expected results with the same entries for each split, got {[list(row) for row in rows]}")
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def _box_sides(person: PersonSequence) -> np.ndarray:
    """(T, 2) width and height."""
    if person.boxes is not None:
        boxes = np.asarray(person.boxes, np.float64)
    else:
        boxes = np.array([joints_to_box(frame) or (np.nan,) * 4 for frame in person.joints], np.float64).reshape(-1, 4)
    return boxes[:, 2:] - boxes[:, :2]
