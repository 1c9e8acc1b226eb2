"""Methods by name: a model with variants, such as ``dkd-mobilenetv2+frozen`` or ``runs/mine+erased+occluded``.

A method is a model with optional changes: a different rule for its memory (control), changed maps for the next frame
(feedback), a changed input, smoothed joints, or re-initialisation of a lost track (policy). Variants are applied from
left to right; each is an entry of :data:`VARIANTS`. Evaluation, the command line and the panel all use such names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dkd.errors import ConfigError, checked, nearest_name
from dkd.models.base import Feedback, VideoPoseModel
from dkd.models.checkpoints import load_model
from dkd.models.controls import (
    FlowMoved,
    FrozenKernel,
    GateOnly,
    KernelControl,
    LookingTwice,
    PooledOnly,
    RunningAverageKernel,
    RunningMean,
    Wrapped,
)
from dkd.models.dkd import DKD
from dkd.models.sources import checkpoint_name, split_spec
from dkd.pose.smoothing import OneEuro
from dkd.tracking.conditions import Conditions
from dkd.tracking.feedback import erase, shuffle_in_time, swap_sides
from dkd.tracking.perturbations import Corruption, blur, crowd, darken, occlude
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.squares import Square
from dkd.tracking.trace import Trace

if TYPE_CHECKING:
    from dkd.video.protocols import ClipLike

Kind = Literal["control", "feedback", "input", "smoothing", "policy"]


@checked
@dataclass(frozen=True)
class Method:
    """A model and the conditions under which it is run.

    Attributes:
        name: name in tables, for instance ``dkd-mobilenetv2+erased``.
        model: model in eval mode.
        conditions: conditions of its runs.
        source: file of the checkpoint; ``None`` for random weights. Methods from different sources may share a name.
        variants: names of the applied variants, in order.
    """

    name: str
    model: VideoPoseModel
    conditions: Conditions = Conditions()
    source: Path | None = None
    variants: tuple[str, ...] = ()

    def trace(self, clip: ClipLike, box: tuple[float, float, float, float] | None = None, **options: Any) -> Trace:
        """Trace a clip; ``options`` are those of :class:`~dkd.tracking.trace.Trace`, such as ``ground_truth``."""
        trace = Trace(self.model, clip, box, self.conditions, **options)
        trace.model_name = self.name
        return trace

    def costed(self) -> VideoPoseModel:
        """Return the model whose step costs what a frame of this method costs."""
        return LookingTwice(self.model) if self.conditions.refine else self.model

    def under(self, **conditions: Any) -> Method:
        """Return this method with some of its :class:`~dkd.tracking.conditions.Conditions` replaced."""
        return replace(self, conditions=replace(self.conditions, **conditions))

    def with_variant(self, name: str) -> Method:
        """Return this method with one more variant.

        Raises:
            ConfigError: there is no such variant, or it does not fit; the message says what to do.
        """
        if name not in VARIANTS:
            raise ConfigError(
                f"unknown variant {name!r} of {self.name}{nearest_name(name, VARIANTS)} Known: {', '.join(VARIANTS)}."
            )
        if name in self.variants:
            raise ConfigError(f"{self.name} already has {name!r}; use each variant only once")
        changed = VARIANTS[name].apply(self)
        return replace(changed, name=f"{self.name}+{name}", variants=(*self.variants, name))


@dataclass(frozen=True)
class Variant:
    """A change of a method.

    Attributes:
        name: name after the ``+``.
        summary: description in one line.
        kind: what it changes.
        apply: returns the changed method, with the old name; raises ConfigError if it does not fit.
    """

    name: str
    summary: str
    kind: Kind
    apply: Callable[[Method], Method]


# --- controls ---------------------------------------------------------------------------------------------------------


def _control(name: str, make: Callable[[Any], VideoPoseModel], needs_kernels: bool) -> Callable[[Method], Method]:
    def apply(method: Method) -> Method:
        model = method.model
        if isinstance(model, KernelControl | Wrapped):
            raise ConfigError(
                f"{name!r} replaces the memory of a model, but {method.name} already does; "
                f"use only one of them, and {name!r} first"
            )
        if needs_kernels and not model.has_kernels:
            raise ConfigError(
                f"{name!r} needs a model that distils kernels, {method.name} does not; use a DKD, or another "
                "variant, such as 'mean'"
            )
        return _with_model(method, make(model), name)

    return apply


def _initializer(dkd: DKD) -> VideoPoseModel:
    alone = dkd.initializer_alone()
    alone.name, alone.provenance = f"{dkd.name}+initializer", dkd.provenance
    return alone


def _of_joint_kernels(name: str, make: Callable[[DKD], VideoPoseModel]) -> Callable[[Method], Method]:
    def apply(method: Method) -> Method:
        if not (isinstance(method.model, DKD) and method.model.matches_joints):
            raise ConfigError(
                f"{name!r} leaves out a part of kernels that are made at the joints, but {method.name} makes none; "
                f"remove {name!r}, or use a DKD whose distillation is 'both' or 'at_joints'"
            )
        return _control(name, make, needs_kernels=True)(method)

    return apply


def _mean(method: Method) -> Method:
    return _with_model(method, RunningMean(method.model), "mean")


def _with_model(method: Method, model: VideoPoseModel, name: str) -> Method:
    if method.conditions.feedback is not None and not model.hands_on:
        raise ConfigError(
            f"{method.name} changes what is passed on from frame to frame, but {name!r} passes nothing on; "
            "remove one of them"
        )
    return replace(method, model=model.eval())


# --- feedback, input, smoothing, policy -------------------------------------------------------------------------------


def _feedback(name: str, make: Callable[[Method], Feedback]) -> Callable[[Method], Method]:
    def apply(method: Method) -> Method:
        if not method.model.hands_on:
            raise ConfigError(
                f"{name!r} changes what a model passes on to the next frame, but {method.name} is a per-frame model "
                f"and passes nothing on; remove {name!r}, or use a model with a past, such as a DKD"
            )
        before = method.conditions.feedback

        def both() -> Feedback:
            first, second = before() if before else None, make(method)
            return second if first is None else lambda heatmaps, t: second(first(heatmaps, t), t)

        return method.under(feedback=both)

    return apply


def _input(corrupt: Corruption) -> Callable[[Method], Method]:
    def apply(method: Method) -> Method:
        before = method.conditions.corrupt
        both: Corruption = corrupt if before is None else lambda image, t: corrupt(before(image, t), t)
        return method.under(corrupt=both)

    return apply


def _one_euro(method: Method) -> Method:
    return method.under(smooth=OneEuro)


def _steady(method: Method) -> Method:
    return method.under(peaks="steady")


def _refined(method: Method) -> Method:
    if not method.model.hands_on:
        raise ConfigError(
            f"'refined' asks the initializer beside a model with a past, but {method.name} is a per-frame model; "
            "remove 'refined', or use a DKD"
        )
    return method.under(refine=True)


def _square(square: Square) -> Callable[[Method], Method]:
    return lambda method: method.under(square=square)


def _reinit(method: Method) -> Method:
    return method.under(reinitialise=Reinitialise())


VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            "initializer",
            "the DKD's own initializer on every frame: no past",
            "control",
            _control("initializer", _initializer, needs_kernels=True),
        ),
        Variant(
            "frozen",
            "the kernels of the first frame in all frames: a fixed template",
            "control",
            _control("frozen", FrozenKernel, needs_kernels=True),
        ),
        Variant(
            "average",
            "a running average of the kernels, as in correlation filters",
            "control",
            _control("average", RunningAverageKernel, needs_kernels=True),
        ),
        Variant(
            "pooled",
            "without kernels made at the joints: the paper's pooled ones alone",
            "control",
            _of_joint_kernels("pooled", PooledOnly),
        ),
        Variant(
            "gated",
            "kernels made at the joints say exactly where a joint is, not only at which peak",
            "control",
            _of_joint_kernels("gated", GateOnly),
        ),
        Variant(
            "flow",
            "the first frame's maps, moved by optical flow: no network after it",
            "control",
            _control("flow", FlowMoved, needs_kernels=False),
        ),
        Variant("mean", "a running mean of the maps: smoothness without memory", "control", _mean),
        Variant("steady", "of nearly equal peaks of a map, the one near the joint's last place", "smoothing", _steady),
        Variant("refined", "joints made more exact by the model's initializer", "smoothing", _refined),
        Variant("one-euro", "joints smoothed by a 1 € filter", "smoothing", _one_euro),
        Variant(
            "erased",
            "the last frame's maps are erased before they are used",
            "feedback",
            _feedback("erased", lambda _: erase),
        ),
        Variant(
            "shuffled",
            "the maps of a random earlier frame instead of the last one",
            "feedback",
            _feedback("shuffled", lambda _: shuffle_in_time()),
        ),
        Variant(
            "swapped",
            "the last frame's maps with left and right swapped",
            "feedback",
            _feedback("swapped", lambda method: swap_sides(method.model.skeleton)),
        ),
        Variant("reinit", "searches for the person and re-initialises when the track is lost", "policy", _reinit),
        Variant("square-joints", "the crop follows all joints of the last frame", "policy", _square("joints")),
        Variant("square-person", "the crop follows one person's body", "policy", _square("person")),
        Variant("occluded", "a grey square hides a part of every frame but the first", "input", _input(occlude)),
        Variant("blurred", "every frame but the first is out of focus", "input", _input(blur)),
        Variant("darkened", "every frame but the first has a quarter of the light", "input", _input(darken)),
        Variant("crowded", "another person crosses in front in every frame but the first", "input", _input(crowd)),
    )
}


# --- by name ----------------------------------------------------------------------------------------------------------


@checked
def changes_cost(variant: str) -> bool:
    """Return whether a variant changes what a frame costs: another network, or one more pass of one."""
    return VARIANTS[variant].kind == "control" or variant == "refined"


def get_method(spec: str | Path) -> Method:
    """Load a trained model by name or path, with the variants that follow.

    Args:
        spec: ``SOURCE[+variant[+variant…]]``. The source is the name of a shipped model, a ``.safetensors`` file, or
            the folder of a training run (its result, else its newest snapshot). It may contain ``+`` itself: the
            longest part that is a source is used.

    Returns:
        A method, whose ``name`` is the shipped model's, the file's (``NAME.safetensors``), or the run's: ``RUN`` for
        its result, ``RUN@STEP`` for a snapshot; followed by the variants as written.

    Raises:
        ConfigError: there is no such source or variant (the nearest name is given), the run has no model yet, or a
            variant does not fit.
        CheckpointError: the file is damaged.
    """
    source, names = split_spec(spec, VARIANTS)
    unknown = next((n for n in names if n not in VARIANTS), None)
    if unknown is not None:  # before reading the weights
        raise ConfigError(
            f"unknown variant {unknown!r} in {str(spec)!r}{nearest_name(unknown, VARIANTS)} "
            f"Known: {', '.join(VARIANTS)}."
        )
    model = load_model(source)
    model.name = checkpoint_name(source)
    method = Method(model.name, model, source=source)
    for name in names:
        method = method.with_variant(name)
    return method
