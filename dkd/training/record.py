"""What is known after a training step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dkd.training.validation import MEASURES


@dataclass(frozen=True)
class Record:
    """What is known after a step.

    Attributes:
        step: steps done, from 1.
        loss: what the pose network minimised in this step.
        terms: ``pose``, the loss of the maps that are the answer: what is minimised, but where a model's stages are
            trained each on its own; then it is what can be compared between models. With the adversary also ``real``
            (L_real), ``fake`` (L_fake), ``k`` and ``convergence``; with a motion weight ``motion``.
        learning_rate: of what starts from scratch.
        gradient_norm: before clipping.
        frames_per_s: since the last record, over all processes.
        waited: share of that time spent waiting for data.
        validation: measures of :func:`dkd.training.validation.validate`, at the steps where it was done.
        snapshot: where the averaged model of this step was stored, at the steps where it was.
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
        """One flat row for tables and the log; the same columns at every step."""
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
