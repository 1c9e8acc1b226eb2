"""Under which conditions a model is run: everything about a run but the model, the clip and the box."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from dkd.errors import ConfigError
from dkd.models.base import Feedback, VideoPoseModel
from dkd.pose.smoothing import Smoother
from dkd.tracking.interventions import Intervention, frames_of
from dkd.tracking.perturbations import Corruption
from dkd.tracking.reinitialise import Reinitialise


@dataclass(frozen=True)
class Conditions:
    """How a run is made; by default as in the paper.

    The same conditions serve any number of runs. A feedback and a smoother may remember what they saw, so they are
    given as functions that make a new one for each run.

    Attributes:
        feedback: makes what the model is given instead of each H_t (:mod:`dkd.tracking.feedback`), for instance
            ``shuffle_in_time`` or ``lambda: erase``; ``None``: H_t itself.
        corrupt: changes the network's input (N, N, 3) uint8 RGB of frame t after cropping, for instance
            :func:`dkd.tracking.perturbations.occlude`; a pure function of both. Not used in the search for the first
            box.
        smooth: makes what changes the joints that are kept (:mod:`dkd.pose.smoothing`), for instance ``OneEuro``. The
            square follows the joints as the model found them: what the model sees does not depend on the smoother.
        reinitialise: when to re-initialise a lost track; ``None``: never, as in the paper. A frame in which the model
            was re-initialised is like frame 0: its maps are the initializer's, and a feedback's t is 0 there.
        interventions: what is changed in this run, one after the other (:mod:`dkd.tracking.interventions`). The methods
            of :class:`~dkd.tracking.counterfactuals.Counterfactuals` add to them.

    Raises:
        ConfigError: ``feedback`` or ``smooth`` cannot be called without arguments, so it makes nothing.
    """

    feedback: Callable[[], Feedback] | None = None
    corrupt: Corruption | None = None
    smooth: Callable[[], Smoother] | None = None
    reinitialise: Reinitialise | None = None
    interventions: tuple[Intervention, ...] = ()

    def __post_init__(self) -> None:
        for name, example in (("feedback", "shuffle_in_time, or lambda: erase"), ("smooth", "OneEuro")):
            make = getattr(self, name)
            if make is not None and not _is_factory(make):
                raise ConfigError(
                    f"expected {name} as a function without arguments that makes a new one for each run, such as "
                    f"{example}; got {make!r}"
                )

    def check(self, model: VideoPoseModel, n_frames: int) -> None:
        """Raise an error where an intervention does not fit a model, or a run of so many frames.

        Raises:
            ConfigError: it acts on no frame, on frames outside the run, or on something that the model does not have.
        """
        for one in self.interventions:
            frames_of(one.frames, n_frames)
            if (one.needs_kernels and not model.has_kernels) or (one.needs_past and not model.hands_on):
                what = "kernels" if one.needs_kernels else "maps that it hands on"
                raise ConfigError(
                    f"{type(one).__name__} changes a model's {what}; {model.name} has none: change the input "
                    "instead, or trace a DKD"
                )


def _is_factory(make: Callable[..., object]) -> bool:
    try:
        inspect.signature(make).bind()
    except TypeError:
        return False
    except ValueError:  # a function without a signature that Python knows
        return True
    return True
