"""Calibration of a model's confidence on labelled people, and measurement of its reliability on others.

Complete clips are tracked recursively from the box in the first frame, as in :mod:`dkd.evaluation.run`. Scores of
matched maps and of the initializer's maps (the first frame; stills have no other) are pooled. Joints that are hidden or
not labelled, or whose frame has no box to compare with, are not counted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dkd.datasets.people import PersonSequence
from dkd.datasets.sources import load_people
from dkd.errors import ConfigError, DatasetError, DKDError, StorageError
from dkd.evaluation.methods import Method, get_method
from dkd.evaluation.people import measure_person
from dkd.evaluation.rows import measure as measure_rows
from dkd.evaluation.run import source_names
from dkd.models.checkpoints import read_tensors, write_tensors
from dkd.models.confidence import (
    ALPHA,
    KEY,
    Calibration,
    brier_score,
    calibration_of,
    expected_calibration_error,
    fit_calibration,
    reliability,
)
from dkd.models.export import source_and_target

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
Tell = Callable[[int, int, str], None]  # videos done, number of videos, name of the next one


@dataclass(frozen=True)
class Reliability:
    """Reliability of a method's confidence on some data.

    Attributes:
        method: name of the method.
        data: names of the sources.
        labels: description of the labels, shown with the results.
        calibrated: whether the confidence is a calibrated probability; otherwise it is the score, clipped to 0..1.
        alpha: a hit is within this × the larger side of the person's box.
        n: number of joints.
        table: see :func:`dkd.models.confidence.reliability`.
        ece, brier: see :func:`dkd.models.confidence.expected_calibration_error` and
            :func:`dkd.models.confidence.brier_score`.
    """

    method: str
    data: tuple[str, ...]
    labels: tuple[str, ...]
    calibrated: bool
    alpha: float
    n: int
    table: pd.DataFrame
    ece: float
    brier: float

    def __str__(self) -> str:
        what = "confidence" if self.calibrated else "score (this model has no calibration)"
        return (
            f"{self.method} on {', '.join(self.data)} ({'; '.join(self.labels)}): {what} against the share of joints "
            f"within {self.alpha:g} of the box's larger side; n = {self.n}, ECE {self.ece:.3f}, Brier {self.brier:.3f}"
        )


def follow_people(
    method: Method,
    sources: Sequence[str],
    *,
    split: str = "test",
    n_clips: int | None = None,
    n_frames: int | None = None,
    people: Mapping[str, Sequence[PersonSequence]] | None = None,
    tell: Tell | None = None,
) -> pd.DataFrame:
    """Measure all people of some sources, with rows as in :func:`dkd.evaluation.people.measure_person`.

    Nothing is written to disk.

    Args:
        method: method that tracks them.
        sources: names for :func:`dkd.datasets.sources.load_people`.
        split: split of the sources.
        n_clips, n_frames: number of clips per source and frames per clip, from the first on; all by default.
        people: people by source, for sources that are already loaded.
        tell: called before each video.

    Raises:
        ConfigError: the people's skeleton differs from the model's.
        DatasetError: a source is missing, or none of its videos can be read. A single unreadable video is logged.
    """
    import pandas as pd

    if any(limit is not None and limit < 1 for limit in (n_clips, n_frames)):
        raise ConfigError(f"expected at least one clip and one frame, got {n_clips} and {n_frames}")
    given: Mapping[str, Sequence[PersonSequence]] = people or {}
    chosen = [
        (name, person)
        for source, name in source_names(sources).items()
        for person in (given[source] if source in given else load_people(source, split))[:n_clips]
    ]
    tables = []
    for i, (name, person) in enumerate(chosen):
        if person.skeleton != method.model.config.skeleton:
            raise ConfigError(
                f"{method.name} has the joints of {method.model.config.skeleton!r}, {name} those of "
                f"{person.skeleton!r}: use other data, or another model"
            )
        if tell is not None:
            tell(i, len(chosen), person.name)
        try:
            table = measure_person(method, name, person, None if n_frames is None else min(n_frames, len(person)))
        except StorageError:
            raise
        except DKDError as problem:
            log.warning("%s was skipped: %s", person.name, problem)
        else:
            tables.append(table)
    if tell is not None:
        tell(len(chosen), len(chosen), "followed")
    if not tables:
        raise DatasetError(f"expected labelled people in {', '.join(sources)} ({split}), could not track anyone")
    return pd.concat(tables, ignore_index=True)


def scores_and_hits(rows: pd.DataFrame, alpha: float = ALPHA) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores (N,) of the counted joints, and whether each is a hit (N,) bool.

    Args:
        rows: rows of an evaluation table; combining several methods or data sets is rarely meaningful.
        alpha: threshold as a share of the larger side of the person's box.
    """
    values = measure_rows(rows, "box", alpha, "visible").values
    counted = values["counted"]
    return rows["score"].to_numpy(np.float64)[counted], values["hit"][counted]


def reliability_of(rows: pd.DataFrame, calibration: Calibration | None, bins: int = 10) -> Reliability:
    """Compute reliability from the rows of one method in an evaluation table, such as ``runs/evaluation``.

    Nothing is tracked again.

    Args:
        rows: rows of the table, at least one.
        calibration: calibration of the method's model (:func:`dkd.models.confidence.calibration_of`); ``None``: use
            the scores.
        bins: number of bins of the table.

    Raises:
        ConfigError: the rows belong to several methods.
        DatasetError: no joint is counted.
    """
    names = [str(name) for name in rows["model"].unique()]
    if len(names) != 1:
        raise ConfigError(f"expected the rows of one method, got those of {', '.join(names) or 'none'}: choose one")
    alpha = ALPHA if calibration is None else calibration.alpha
    scores, hit = scores_and_hits(rows, alpha)
    confidence = np.clip(scores, 0, 1) if calibration is None else calibration(scores)
    table = reliability(confidence, hit, bins)
    data, labels = (tuple(str(v) for v in rows[column].unique()) for column in ("data", "labels"))
    return Reliability(
        names[0], data, labels, calibration is not None, alpha, len(hit), table,
        expected_calibration_error(confidence, hit, bins), brier_score(confidence, hit),
    )  # fmt: skip


def calibrate(
    spec: str | Path,
    sources: Sequence[str],
    out: str | Path,
    *,
    split: str = "test",
    n_clips: int | None = None,
    n_frames: int | None = None,
    people: Mapping[str, Sequence[PersonSequence]] | None = None,
    tell: Tell | None = None,
) -> Reliability:
    """Track people, fit the calibration curve on them, and write a checkpoint with it; the weights stay bit-identical.

    Args:
        spec: a model without variants (see :func:`dkd.evaluation.methods.get_method`).
        sources: names of data. Use people that the model was not trained on: it is more confident about those it was.
        out: the new checkpoint, ``….safetensors``, written atomically.
        split, n_clips, n_frames, people, tell: as for :func:`follow_people`.

    Returns:
        Reliability of the new confidence on the joints on which it was fitted, which is optimistic.

    Raises:
        ConfigError: ``spec`` has variants, or ``out`` is not a checkpoint; raised before tracking.
        DatasetError, CheckpointError, StorageError: data or model are missing, or the file cannot be written.
    """
    source, out = source_and_target(spec, out)
    method = get_method(spec)
    limits = {"n_clips": n_clips, "n_frames": n_frames}
    rows = follow_people(method, sources, split=split, people=people, tell=tell, **limits)
    names = [str(name) for name in rows["data"].unique()]
    calibration = fit_calibration(*scores_and_hits(rows), data=names)
    tensors, header = read_tensors(source)
    facts = {**json.loads(header["provenance"]), KEY: calibration.to_dict()}
    write_tensors(out, tensors, {**header, "provenance": json.dumps(facts)})
    return reliability_of(rows, calibration)


def measure_reliability(
    spec: str | Path | Method, sources: Sequence[str], bins: int = 10, **how: object
) -> Reliability:
    """Measure a method's confidence (variants too) on people it has not seen; ``how``: as for :func:`follow_people`."""
    method = spec if isinstance(spec, Method) else get_method(spec)
    rows = follow_people(method, sources, **how)  # type: ignore[arg-type]
    return reliability_of(rows, calibration_of(method.model), bins)
