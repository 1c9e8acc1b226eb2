"""Validation during training: complete clips of unseen people, tracked as by a user."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dkd.analysis.reliance import one_step_reliance
from dkd.datasets.people import PersonSequence
from dkd.measures.metrics import acceleration_errors, pck_counts
from dkd.models.base import VideoPoseModel
from dkd.tracking.people import follow

MEASURES = ("pck@0.2", "pck@0.1", "pck@0.05", "acceleration", "reliance")
_RELIANCE_EVERY = 12  # frames


def validate(
    model: VideoPoseModel,
    people: Sequence[PersonSequence],
    n_frames: int | None = None,
    cancel: Callable[[], bool] | None = None,
) -> dict[str, float]:
    """Track people in complete clips, recursively from the first frame, without re-initialisation.

    Args:
        model: put into eval mode, and back to its mode afterwards.
        people: labelled sequences with the model's skeleton. Joints marked as hidden are not counted, as in Penn
            Action's protocol.
        n_frames: number of frames of each, from the first on; all by default.
        cancel: called before each frame; if it returns true, only the frames so far are measured.

    Returns:
        ``pck@0.2``, ``pck@0.1``, ``pck@0.05``: share of labelled joints within that part of the larger side of the
        person's box, pooled over all; ``acceleration``: mean error of the joints' acceleration, in % of that side per
        frame²; ``reliance``: change of the next maps when H_t is erased, ‖H′ − H‖ / ‖H‖, NaN for a per-frame model. All
        are NaN if nothing could be measured.
    """
    hits = np.zeros((3, 2))
    accelerations: list[np.ndarray] = []
    reliance: list[float] = []
    training = model.training
    try:
        for person in people:
            # In PyTorch: these weights are traced once, which does not pay for their export.
            trace = follow(model, person, n_frames, cancel, engine="torch")
            n = len(trace)
            if not n:
                break
            side = np.array([person.extent(t) for t in range(n)])
            truth = person.joints[:n].copy()
            if person.visible is not None:  # Penn Action's protocol: hidden joints are not counted
                truth[~person.visible[:n]] = np.nan
            for row, alpha in zip(hits, (0.2, 0.1, 0.05), strict=True):
                row += pck_counts(trace.joints, truth, side, alpha)
            accelerations.append(acceleration_errors(trace.joints, truth, side))
            if n > 1 and model.hands_on:
                reliance.append(float(one_step_reliance(trace, _RELIANCE_EVERY).loc["erased", "map_change"]))
            trace.close()
    finally:
        model.train(training)
    pooled = np.concatenate(accelerations) if accelerations else np.zeros(0)
    with np.errstate(invalid="ignore"):
        scores = hits[:, 0] / hits[:, 1]
    values = (*scores, 100 * pooled.mean() if pooled.size else np.nan, np.mean(reliance) if reliance else np.nan)
    return {name: float(value) for name, value in zip(MEASURES, values, strict=True)}
