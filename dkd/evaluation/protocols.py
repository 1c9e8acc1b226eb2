"""Protocols of published results: which joints count, which length normalises, and which mean is reported.

    protocol = get_protocol("penn_action")
    counts = protocol.joint_counts(person, predicted)      # of one video; sum over all videos
    paper_columns(counts.hits, counts.counted, person.skeleton)

Every frame of every test video counts, and hits are pooled per joint over all of them; a column of the papers' tables
is the mean of its joints' PCKs. As tables differ in *which* mean they print, each mean has a name here.
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
from dkd.pose.labels import as_joints
from dkd.pose.skeleton import Skeleton, get_skeleton

NORMALISERS = ("box", "torso")
COUNTED = ("visible", "labelled")

# The papers' seven columns. Data sets use different names for the head.
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
    """Raise ConfigError unless ``value`` is one of ``known``."""
    if value not in known:
        raise ConfigError(f"unknown {what} {value!r}{nearest_name(str(value), known)} Known: {', '.join(known)}.")


class Counts(NamedTuple):
    """Counts of one or more videos: add them field by field, do not average them.

    Attributes:
        hits, counted: (J,) int, number of joints within the threshold, and of counted joints.
        skipped: joints that would have counted in frames without a length to compare with.
    """

    hits: np.ndarray
    counted: np.ndarray
    skipped: int


@dataclass(frozen=True)
class Protocol:
    """Protocol with which results on a data set are published.

    Attributes:
        name: name of the data source.
        summary: a sentence for tooltips and reports, including the origin of the protocol.
        counts: which joints count: "visible" (labelled and not marked as hidden) or "labelled".
        normaliser: length that thresholds are relative to: "box" or "torso", see :func:`normaliser`.
        alpha: threshold of the papers' tables.
        mean: mean reported in the DKD paper, by its name in :func:`paper_columns`.
        folds: numbers of the splits whose results are averaged, not pooled; empty if there is only one.
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
        """Return which joints count, (T, J) bool."""
        return counted(person, self.counts)

    def joint_counts(
        self, person: PersonSequence, predicted: np.ndarray, alpha: float | None = None, kind: str | None = None
    ) -> Counts:
        """Count hits of one video's predictions (T, J, 2) in pixels; threshold and normaliser can be overridden."""
        predicted = as_joints(predicted, person.joints.shape, f"predictions for {person.name}", None)
        lengths = normaliser(person, kind or self.normaliser, predicted)
        which = self.counted(person)
        truth = np.where(which[..., None], person.joints, np.nan)
        hits, n = joint_counts(predicted, truth, lengths, self.alpha if alpha is None else alpha)
        return Counts(hits, n, int(which.sum() - n.sum()))


DEFAULT = Protocol("own data", "Visible joints, relative to the larger side of the person's box (as on Penn Action).")

PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in (
        Protocol(
            "penn_action",
            "Penn Action as in LSTM Pose Machines and DKD: visible joints only, max(w, h) of the labelled box.",
        ),
        Protocol(
            "sub_jhmdb",
            "Sub-JHMDB as in LSTM Pose Machines and DKD: all joints, max(w, h) of the puppet mask's box, mean of "
            "three splits; neck and belly are not in any column.",
            counts="labelled",
            folds=(1, 2, 3),
        ),
        Protocol("rendered", "Rendered people, exact labels: visible joints only, as on Penn Action."),
        Protocol(
            "pose2sim",
            "Machine labels: the joints on which two networks agree, so results are an upper bound.",
            counts="labelled",
        ),
    )
}


def get_protocol(data: str) -> Protocol:
    """Return the protocol of a data source: "penn_action", "sub_jhmdb/2", "penn_action=folder", "pose2sim_cam01".

    Sources without a protocol, such as a folder with your own data, use :data:`DEFAULT`.
    """
    match = re.fullmatch(r"([a-z_0-9]+?)(_cam\d+)?(/\d)?(=.*)?", data, re.DOTALL)
    return PROTOCOLS.get(match[1], DEFAULT) if match else DEFAULT


def normaliser(person: PersonSequence, kind: str = "box", predicted: np.ndarray | None = None) -> np.ndarray:
    """Compute the length in each frame that thresholds are relative to.

    Args:
        person: labelled person.
        kind: "box" for max(w, h) of the labelled box, as in LSTM Pose Machines and DKD, or of the box of the joints if
            the data set has no boxes; or "torso", see :func:`torso_lengths`.
        predicted: (T, J, 2) pixels, for "torso".

    Returns:
        (T,) float64 pixels; NaN if there is none: such frames are skipped, and counted as skipped.
    """
    check_choice("normaliser", kind, NORMALISERS)
    if kind == "torso":
        return torso_lengths(person.joints, predicted, person.skeleton)
    return _box_sides(person).max(-1)


def box_areas(person: PersonSequence) -> np.ndarray:
    """Compute the area w · h in px² of the box used by :func:`normaliser`, (T,); NaN if there is none."""
    return _box_sides(person).prod(-1)


def torso_lengths(truth: np.ndarray, predicted: np.ndarray | None, skeleton: str | Skeleton) -> np.ndarray:
    """Compute the distance from left shoulder to right hip, the stricter unit used by re-implementations.

    Hidden joints are used if they are labelled (our decision; otherwise most side views would be skipped).

    Args:
        truth: (T, J, 2) pixels, NaN where not labelled.
        predicted: (T, J, 2) pixels, whose torso is used where the true one is shorter than 1 px; ``None``: NaN there.
        skeleton: skeleton of the axis J.

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
    """Return which joints are labelled and, for "visible", not marked as hidden: (T, J) bool."""
    check_choice("counted joints", which, COUNTED)
    labelled = np.isfinite(person.joints).all(-1)
    return labelled if which == "labelled" or person.visible is None else labelled & person.visible


def paper_columns(hits: np.ndarray, counted: np.ndarray, joints: str | Skeleton | Sequence[str]) -> dict[str, float]:
    """Compute a row of the papers' tables from counts pooled per joint.

    Args:
        hits, counted: (J,) counts summed over all frames of all videos.
        joints: joints of this axis: a skeleton, or names.

    Returns:
        Values in 0..1: the seven columns, each the mean of its joints' PCKs; "mean (7 columns)", in which the head has
        the same weight as both shoulders; "mean (13 joints)", with equal weights for the columns' joints; for larger
        skeletons also the mean over all joints, such as "mean (15 joints)" with Sub-JHMDB's neck and belly; and "pooled
        (all joints)", hits / counted. A joint that never counted is left out of its column; a mean that lacks a column
        or a joint is NaN, as it would not be what its name says.
    """
    names = tuple(joints) if not isinstance(joints, (str, Skeleton)) else get_skeleton(joints).joints
    if not len(hits) == len(counted) == len(names):
        raise ShapeError(f"expected {len(names)} hits and counts, got {len(hits)} and {len(counted)}")
    hits, n = np.asarray(hits, np.float64), np.asarray(counted, np.float64)
    pck = np.where(n > 0, hits / np.where(n > 0, n, 1), np.nan)
    by_name = dict(zip(names, pck, strict=True))
    # One of the names is the head; for the others, both sides are used.
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
    """Average the results of splits, number by number, as published for Sub-JHMDB.

    Counts are not pooled over splits, because splits share videos and differ in size.

    Args:
        folds: one mapping per split, such as :func:`paper_columns` or a row of a summary.

    Raises:
        ConfigError: there are no folds, or their entries differ.
    """
    rows = [dict(fold) for fold in folds]
    if not rows or any(row.keys() != rows[0].keys() for row in rows):
        raise ConfigError(f"expected results with the same entries for each split, got {[list(row) for row in rows]}")
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def _box_sides(person: PersonSequence) -> np.ndarray:
    """Return width and height, (T, 2)."""
    if person.boxes is not None:
        boxes = np.asarray(person.boxes, np.float64)
    else:
        boxes = np.array([joints_to_box(frame) or (np.nan,) * 4 for frame in person.joints], np.float64).reshape(-1, 4)
    return boxes[:, 2:] - boxes[:, :2]
