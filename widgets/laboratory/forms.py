"""The interventions that the laboratory offers, as one table for the forms in the browser and the calls in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from dkd.tracking.interventions import NOISE_SIGMA
from dkd.tracking.perturbations import BLUR_SIGMA, DARK_GAIN

Kind = Literal["frame", "count", "number", "joint", "joint_or_all", "trace", "box"]


@dataclass(frozen=True)
class Field:
    """One field of a form.

    Attributes:
        name: the method's argument. ``"count"`` is a number of frames: with it ``"frames"`` are so many, from the one
            that is filled in; ``"of_first"`` and ``"of_last"``, both included, make the range ``of``.
        label: shown with the field.
        kind: an empty ``"frame"`` is the cursor's frame; an empty ``"count"`` is to the end of the clip.
        default: the initial value; ``None``: empty.
        low: the smallest number allowed; ``None``: no limit.
    """

    name: str
    label: str
    kind: Kind
    default: Any = None
    low: float | None = None


@dataclass(frozen=True)
class Form:
    """One intervention.

    Attributes:
        key: unique name of the form.
        group: ``"Kernel"``, ``"Input"`` or ``"State"``.
        label: of its button.
        method: name of a method of :class:`dkd.tracking.counterfactuals.Counterfactuals`.
        help: one sentence, shown above the fields.
        fields: what the user fills in.
        fixed: arguments that the user does not choose.
    """

    key: str
    group: str
    label: str
    method: str
    help: str
    fields: tuple[Field, ...] = ()
    fixed: dict[str, Any] = field(default_factory=dict)


_FROM = Field("frames", "from frame", "frame", low=0)
_IN = Field("frames", "in frame", "frame", low=0)
_AT = Field("frame", "in frame", "frame", low=0)
_OF = Field("frame", "of frame", "frame", low=0)
_ONE = Field("count", "frames", "count", 1, low=1)
_TEN = Field("count", "frames", "count", 10, low=1)
_ALL = Field("count", "frames", "count", None, low=1)

FORMS: tuple[Form, ...] = (
    Form(
        "freeze", "Kernel", "freeze in all frames", "freeze_kernel",
        "Use the kernels distilled from one frame in every frame: the model no longer adapts.", (_OF,),
    ),
    Form(
        "freeze_on", "Kernel", "freeze from here on", "freeze_kernel",
        "Use the kernels distilled from one frame instead of those of later frames.",
        (_OF, _FROM, _ALL),
    ),
    Form(
        "swap", "Kernel", "swap two frames’", "swap_kernels", "Exchange the kernels distilled from two frames.",
        (Field("first", "of frame", "frame", low=0), Field("second", "and frame", "number", 0, low=0)),
    ),
    Form(
        "average", "Kernel", "average", "average_kernel",
        "Use the mean of the kernels of several frames instead of the kernels of each frame.",
        (
            Field("of_first", "of frames", "number", 0, low=0),
            Field("of_last", "to", "frame", low=0),
            Field("frames", "from frame", "number", 0, low=0),
            _ALL,
        ),
    ),
    Form(
        "put", "Kernel", "take from another run", "put_kernel",
        "Use kernels distilled in another run: of another clip or another person.",
        (
            Field("frames", "instead of frame", "frame", low=0),
            Field("other", "of", "trace"),
            Field("other_frame", "its frame", "number", 0, low=0),
            _ONE,
        ),
    ),
    Form(
        "readouts", "Kernel", "swap read-outs", "swap_readouts",
        "Exchange two joints’ rows of the read-out U, in all matched frames.",
        (Field("joint", "of", "joint"), Field("other", "and", "joint")),
    ),
    Form(
        "occlude", "Input", "cover", "occlude",
        "Cover part of the picture with a grey rectangle: drag it over “What if”, or type its corners in pixels.",
        (Field("box", "x0 y0 x1 y1", "box"), _FROM, _TEN),
    ),
    Form(
        "blur", "Input", "blur", "blur", "Blur the picture; σ is a share of the side of the network’s square.",
        (_FROM, _TEN, Field("sigma", "σ", "number", BLUR_SIGMA, low=0)),
    ),
    Form(
        "noise", "Input", "noise", "add_noise",
        "Add Gaussian noise of σ grey levels (of 255), different in each frame.",
        (_FROM, _TEN, Field("sigma", "σ", "number", NOISE_SIGMA, low=0), Field("seed", "seed", "number", 0, low=0)),
    ),
    Form(
        "dark", "Input", "darkness", "darken", "Darken the picture: this share of the light is left.",
        (_FROM, _TEN, Field("gain", "left", "number", DARK_GAIN, low=0)),
    ),
    Form(
        "drop", "Input", "dropped frames", "drop_frames",
        "Skip frames: the model never sees them, and its state waits.",
        (_FROM, _ONE),
    ),
    Form(
        "repeat", "Input", "repeated frame", "repeat_frame",
        "Freeze the video: the model sees the previous frame again and again.", (_FROM, _ONE),
    ),
    Form(
        "box", "Input", "shifted box", "shift_box",
        "Move the network’s square: shifts are shares of its side, the scale is a factor on it.",
        (
            _IN,
            Field("dx", "right", "number", 0.2),
            Field("dy", "down", "number", 0.0),
            Field("scale", "scale", "number", 1.0, low=0),
            _ONE,
        ),
    ),
    Form(
        "erase", "State", "erase", "change_state", "Hand on empty maps to the next frame.",
        (_IN, Field("joint", "joint", "joint_or_all"), _ONE), {"change": "erase"},
    ),
    Form(
        "sides", "State", "swap sides", "change_state",
        "Exchange left and right in the maps that are passed on to the next frame.",
        (_IN, Field("joint", "joint", "joint_or_all"), _ONE), {"change": "swap_sides"},
    ),
    Form(
        "shift", "State", "shift", "change_state",
        "Move the maps that are passed on to the next frame, by whole cells.",
        (
            _IN,
            Field("joint", "joint", "joint_or_all"),
            Field("dx", "right", "number", 3),
            Field("dy", "down", "number", 0),
            _ONE,
        ),
        {"change": "shift"},
    ),
    Form(
        "restart", "State", "re-initialise here", "restart",
        "Forget the past: the maps of this frame come from the pose initializer.", (_AT,),
    ),
)  # fmt: skip

METHODS = frozenset({form.method for form in FORMS} | {"edit_kernel"})


def as_records(with_kernels: bool, others: Sequence[str]) -> list[dict[str, Any]]:
    """Return the table as plain data for the browser, without the forms that cannot work here.

    Args:
        with_kernels: whether the model has kernels and passes on a state.
        others: the names of other runs; without any, there is no form to take kernels from one.
    """
    possible = [
        form
        for form in FORMS
        if (with_kernels or form.group == "Input" or form.method == "restart")
        and (others or form.method != "put_kernel")
    ]
    return [asdict(form) for form in possible]


def as_arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a method from what the page sends as JSON.

    Args:
        values: by name. ``frames`` is one frame or [first, stop]; ``of_first`` and ``of_last`` stand for ``of``; other
            lists become tuples, except for a matrix.
    """
    given = dict(values)
    if "of_first" in given:
        given["of"] = range(given.pop("of_first"), given.pop("of_last") + 1)
    if isinstance(given.get("frames"), list):
        given["frames"] = range(*given["frames"])
    nested = {name: isinstance(v, list) and any(isinstance(row, list) for row in v) for name, v in given.items()}
    return {name: tuple(v) if isinstance(v, list) and not nested[name] else v for name, v in given.items()}
