"""Conditions of a run: everything about it except the model, the clip and the box."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from dkd.errors import ConfigError, checked
from dkd.models.base import Feedback, VideoPoseModel
from dkd.pose.smoothing import Smoother
from dkd.tracking.interventions import Intervention, frames_of
from dkd.tracking.perturbations import Corruption
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.squares import Square
from dkd.tracking.steady import Peaks


@checked
@dataclass(frozen=True)
class Conditions:
    """Conditions of a run; by default as in the paper, except for the square, of which the paper says nothing.

    The same conditions can be used for any number of runs. Because a feedback and a smoother may have state, they are
    given as functions that create a new one for each run.

    Attributes:
        feedback: function that creates a feedback, which replaces each H_t for the next frame
            (:mod:`dkd.tracking.feedback`), for instance ``shuffle_in_time`` or ``lambda: erase``; ``None``: H_t itself.
        corrupt: changes the network's input (N, N, 3) uint8 RGB of frame t after cropping, for instance
            :func:`dkd.tracking.perturbations.occlude`; a pure function of both. It is not used in the search for the
            first box.
        smooth: function that creates a smoother of the recorded joints (:mod:`dkd.pose.smoothing`), for instance
            ``OneEuro``. The crop follows the unsmoothed joints, so the model's input does not depend on the smoother.
        square: what the network's crop follows. ``"person"``: joints that can be parts of the body that was seen so
            far, at most as fast as a person, and nobody who looks different (:mod:`dkd.tracking.body`). ``"joints"``:
            all confident joints of the last frame, wherever they are.
        peaks: which peak of a map is reported. ``"highest"``: as in the paper. ``"steady"``: of peaks at least half as
            high, one near the joint's last place (:mod:`dkd.tracking.steady`). The crop and what is handed on follow
            the highest peaks in both cases, and scores are theirs.
        refine: whether the initializer makes the reported joints more exact (:mod:`dkd.tracking.refined`): it looks at
            each crop too, and a joint moves by up to two cells, to the peak of the mean of both maps. Everything else
            is as without it. Not in the paper, and one more pass of a network per frame.
        reinitialise: policy of re-initialisation of a lost track; ``None``: never, as in the paper. A frame with a
            re-initialisation is like frame 0: its maps come from the initializer, and a feedback's t is 0 there.
        interventions: changes of the run, applied in order (:mod:`dkd.tracking.interventions`). The methods of
            :class:`~dkd.tracking.counterfactuals.Counterfactuals` append to them.

    Raises:
        ConfigError: ``feedback`` or ``smooth`` cannot be called without arguments, or ``square`` or ``peaks`` is
            unknown.
    """

    feedback: Callable[[], Feedback] | None = None
    corrupt: Corruption | None = None
    smooth: Callable[[], Smoother] | None = None
    reinitialise: Reinitialise | None = None
    interventions: tuple[Intervention, ...] = ()
    square: Square = "person"
    peaks: Peaks = "highest"
    refine: bool = False

    def __post_init__(self) -> None:
        for name, value, known in (("square", self.square, Square), ("peaks", self.peaks, Peaks)):
            if value not in get_args(known):
                raise ConfigError(f"expected {name} as one of {', '.join(get_args(known))}; got {value!r}")
        for name, example in (("feedback", "shuffle_in_time, or lambda: erase"), ("smooth", "OneEuro")):
            make = getattr(self, name)
            if make is not None and not _is_factory(make):
                raise ConfigError(
                    f"expected {name} as a function without arguments that creates a new one for each run, such as "
                    f"{example}; got {make!r}"
                )

    def check(self, model: VideoPoseModel, n_frames: int) -> None:
        """Raise an error where an intervention does not fit a model, or a run of so many frames.

        Raises:
            ConfigError: it acts on no frame, on frames outside the run, or on something that the model does not have;
                or joints of a per-frame model are to be refined.
        """
        if self.refine and not model.hands_on:
            raise ConfigError(
                f"expected refine=False for {model.name}, a per-frame model without an initializer beside it; trace a "
                "DKD"
            )
        for one in self.interventions:
            frames_of(one.frames, n_frames)
            if (one.needs_kernels and not model.has_kernels) or (one.needs_past and not model.hands_on):
                what = "kernels" if one.needs_kernels else "passed-on maps"
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
