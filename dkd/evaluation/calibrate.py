"""Fit a model's confidence on labelled people, and measure on others how far it can be trusted.

Whole clips, followed recursively from the box in the first frame, as :mod:`dkd.evaluation.run` does: scores of matched maps
and of the initializer's (the first frame; stills have no other) are pooled. Joints that are hidden, that have no label,
or whose frame has no box to compare with are not counted.
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
Tell = Callable[[int, int, str], None]  # videos done, of how many, the next one's name


@dataclass(frozen=True)
class Reliability:
    """How far the confidence of a method can be trusted on some data.

    Attributes:
        method: its name.
        data: names of the sources.
        labels: what the labels are; where figures are shown, this is said.
        calibrated: whether the confidence is a probability; else it is the score, clipped to 0..1.
        alpha: a hit lies within this × the larger side of the person's box.
        n: joints.
        table: see :func:`dkd.models.confidence.reliability`.
        ece, brier: see :func:`dkd.models.confidence.expected_calibration_error` and :func:`dkd.models.confidence.brier_score`.
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
    """Rows as :func:`dkd.evaluation.people.measure_person` gives them, of all people of some sources; nothing is kept on the disk.

    Args:
        method: what follows them.
        sources: names for :func:`dkd.datasets.sources.load_people`.
        split: of the sources.
        n_clips, n_frames: of each source the first clips, of each clip the first frames; all by default.
        people: source → people, for sources that are at hand already.
        tell: called before each video.

    Raises:
        ConfigError: the people have other joints than the model.
        DatasetError: a source is not there, or none of its videos can be read. One that cannot be is logged.
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
                f"{person.skeleton!r}: take other data, or another model"
            )
        if tell is not None:
            tell(i, len(chosen), person.name)
        try:
            table = measure_person(method, name, person, None if n_frames is None else min(n_frames, len(person)))
        except StorageError:
            raise
        except DKDError as problem:
            log.warning("%s was left out: %s", person.name, problem)
        else:
            tables.append(table)
    if tell is not None:
        tell(len(chosen), len(chosen), "followed")
    if not tables:
        raise DatasetError(f"expected labelled people in {', '.join(sources)} ({split}), could follow none")
    return pd.concat(tables, ignore_index=True)


def judged(rows: pd.DataFrame, alpha: float = ALPHA) -> tuple[np.ndarray, np.ndarray]:
    """The scores (N,) of the joints that count, and whether each was a hit (N,) bool.

    Args:
        rows: of an evaluation table, of any methods and data; a figure over several of them says little.
        alpha: share of the larger side of the person's box.
    """
    values = measure_rows(rows, "box", alpha, "visible").values
    counted = values["counted"]
    return rows["score"].to_numpy(np.float64)[counted], values["hit"][counted]


def reliability_of(rows: pd.DataFrame, calibration: Calibration | None, bins: int = 10) -> Reliability:
    """Of the rows of one method in an evaluation table, in ``runs/evaluation`` for instance: nobody is followed again.

    Args:
        rows: at least one.
        calibration: of the method's model (:func:`dkd.models.confidence.calibration_of`); ``None``: scores are taken.
        bins: of the table.

    Raises:
        ConfigError: the rows are of several methods.
        DatasetError: nothing counts.
    """
    names = [str(name) for name in rows["model"].unique()]
    if len(names) != 1:
        raise ConfigError(f"expected the rows of one method, got those of {', '.join(names) or 'none'}: choose one")
    alpha = ALPHA if calibration is None else calibration.alpha
    scores, hit = judged(rows, alpha)
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
    """Follow people, fit the curve on them, and write a checkpoint that has it; the weights are the same to the bit.

    Args:
        spec: a model as it is, without variants (see :func:`dkd.evaluation.methods.get_method`).
        sources: names of data. Take people that the model was not trained on: it is surer of those it was.
        out: the new checkpoint, ``….safetensors``, written whole or not at all.
        split, n_clips, n_frames, people, tell: as for :func:`follow_people`.

    Returns:
        the new confidence on the very joints that it was fitted on, which flatters it.

    Raises:
        ConfigError: variants, or no checkpoint to write to; before anybody is followed.
        DatasetError, CheckpointError, StorageError: data or model are not there, or the file cannot be written.
    """
    source, out = source_and_target(spec, out)
    method = get_method(spec)
    limits = {"n_clips": n_clips, "n_frames": n_frames}
    rows = follow_people(method, sources, split=split, people=people, tell=tell, **limits)
    names = [str(name) for name in rows["data"].unique()]
    calibration = fit_calibration(*judged(rows), data=names)
    tensors, header = read_tensors(source)
    facts = {**json.loads(header["provenance"]), KEY: calibration.to_dict()}
    write_tensors(out, tensors, {**header, "provenance": json.dumps(facts)})
    return reliability_of(rows, calibration)


def measure_reliability(
    spec: str | Path | Method, sources: Sequence[str], bins: int = 10, **how: object
) -> Reliability:
    """The confidence of a method (variants too) on people that it has not seen; ``how``: as :func:`follow_people`."""
    method = spec if isinstance(spec, Method) else get_method(spec)
    rows = follow_people(method, sources, **how)  # type: ignore[arg-type]
    return reliability_of(rows, calibration_of(method.model), bins)
