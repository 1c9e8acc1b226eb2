"""How good is a model that is being trained? Whole clips of people it has not seen, followed as a user would."""

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
    """Follow people through whole clips, recursively from the first frame, without re-initialisation.

    Args:
        model: is put into eval mode for it, and back.
        people: sequences with labels, of the model's joint set. Joints that are marked as hidden are not counted, as in
            Penn Action's protocol.
        n_frames: of each, the first ones; all by default.
        cancel: called before each frame; once it is true, what was seen until then is measured.

    Returns:
        ``pck@0.2``, ``pck@0.1``, ``pck@0.05``: share of labelled joints within that part of the larger side of the
        person's box, pooled over all; ``acceleration``: mean error of the joints' acceleration, in % of that side a
        frame²; ``reliance``: how far the next maps move when H_t is erased, ‖H′ − H‖ / ‖H‖, NaN for a model that
        looks at each frame on its own. All are NaN where nothing could be measured.
    """
    hits = np.zeros((3, 2))
    accelerations: list[np.ndarray] = []
    reliance: list[float] = []
    training = model.training
    try:
        for person in people:
            trace = follow(model, person, n_frames, cancel)
            n = len(trace)
            if not n:
                break
            side = np.array([person.extent(t) for t in range(n)])
            truth = person.joints[:n].copy()
            if person.visible is not None:  # Penn Action's protocol: what is hidden is not counted
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
