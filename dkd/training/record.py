"""Records of training steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dkd.training.validation import MEASURES


@dataclass(frozen=True)
class Record:
    """Record of one training step.

    Attributes:
        step: number of steps done, from 1.
        loss: loss that the pose network minimised in this step.
        terms: ``pose``, the loss of the final maps. It is the minimised loss, except in models whose stages have their
            own losses; there it can be compared between models. With the adversary also ``real`` (L_real), ``fake``
            (L_fake), ``k`` and ``convergence``; with a motion weight also ``motion``.
        learning_rate: learning rate of weights that start from scratch.
        gradient_norm: norm of the gradient before clipping.
        frames_per_s: frames per second since the last record, over all processes.
        waited: share of that time spent waiting for data.
        validation: results of :func:`dkd.training.validation.validate`, at steps with a validation.
        snapshot: file of the averaged model, at steps with a snapshot.
    """

    step: int
    loss: float
    terms: dict[str, float]
    learning_rate: float
    gradient_norm: float
    frames_per_s: float
    waited: float
    validation: dict[str, float] = field(default_factory=dict)
    snapshot: Path | None = None

    def row(self) -> dict[str, Any]:
        """Return one flat row for tables and the log, with the same columns at every step."""
        nan = math.nan
        return {
            "step": self.step,
            "loss": self.loss,
            **{name: self.terms.get(name, nan) for name in ("pose", "motion", "real", "fake", "k", "convergence")},
            "learning_rate": self.learning_rate,
            "gradient_norm": self.gradient_norm,
            "frames_per_s": self.frames_per_s,
            "waited": self.waited,
            **{name: self.validation.get(name, nan) for name in MEASURES},
        }
