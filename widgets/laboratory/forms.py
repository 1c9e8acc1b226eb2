"""The interventions that the laboratory offers, as one table: forms in the browser and calls in Python come from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from dkd.tracking.interventions import NOISE_SIGMA
from dkd.tracking.perturbations import BLUR_SIGMA, DARK_GAIN

Kind = Literal["frame", "count", "number", "joint", "joint_or_all", "trace", "box"]


@dataclass(frozen=True)
class Field:
    """One thing to fill in.

    Attributes:
        name: the method's argument; ``"count"``, a number of frames, becomes its ``stop``.
        label: for people.
        kind: ``"frame"`` is the cursor's frame where it is left empty; an empty ``"count"`` is to the end of the clip.
        default: what stands in it at first; ``None``: empty.
        step: of a number.
        low: the least number that is allowed.
    """

    name: str
    label: str
    kind: Kind
    default: Any = None
    step: float = 1
    low: float | None = None


@dataclass(frozen=True)
class Form:
    """One intervention.

    Attributes:
        key: its name here.
        group: ``"Kernel"``, ``"Input"`` or ``"State"``.
        label: of its button.
        method: of :class:`dkd.tracking.counterfactuals.Counterfactuals`.
        help: one sentence.
        fields: what is to be filled in.
        fixed: arguments that are not.
    """

    key: str
    group: str
    label: str
    method: str
    help: str
    fields: tuple[Field, ...] = ()
    fixed: dict[str, Any] = field(default_factory=dict)


_FROM = Field("start", "from frame", "frame", low=0)
_IN = Field("frame", "in frame", "frame", low=0)
_OF = Field("frame", "of frame", "frame", low=0)
_ONE = Field("count", "frames", "count", 1, low=1)
_TEN = Field("count", "frames", "count", 10, low=1)
_ALL = Field("count", "frames", "count", None, low=1)

FORMS: tuple[Form, ...] = (
    Form(
        "freeze", "Kernel", "freeze in all frames", "freeze_kernel",
        "Match what was distilled from one frame in every frame: the model no longer adapts.", (_OF,),
    ),
    Form(
        "freeze_on", "Kernel", "freeze from here on", "freeze_kernel",
        "Match what was distilled from one frame instead of what later frames give.",
        (_OF, _FROM, _ALL),
    ),
    Form(
        "swap", "Kernel", "swap two frames’", "swap_kernels", "Exchange what was distilled from two frames.",
        (Field("first", "of frame", "frame", low=0), Field("second", "and frame", "number", 0, low=0)),
    ),
    Form(
        "average", "Kernel", "average", "average_kernel",
        "Match the mean of the kernels of some frames instead of what each frame gives.",
        (
            Field("first", "of frames", "number", 0, low=0),
            Field("last", "to", "frame", low=0),
            Field("start", "from frame", "number", 0, low=0),
            _ALL,
        ),
    ),
    Form(
        "put", "Kernel", "take from another run", "put_kernel",
        "Match what another run distilled: of another clip, or another person.",
        (
            Field("frame", "instead of frame", "frame", low=0),
            Field("other", "of", "trace"),
            Field("other_frame", "its frame", "number", 0, low=0),
            _ONE,
        ),
    ),
    Form(
        "readouts", "Kernel", "swap read-outs", "swap_readouts",
        "Let two joints read with each other’s row of U, in all matched frames.",
        (Field("joint", "of", "joint"), Field("other", "and", "joint")),
    ),
    Form(
        "occlude", "Input", "cover", "occlude",
        "A grey rectangle stands in the picture: drag it over “what if”, or type its corners in pixels.",
        (Field("box", "x0 y0 x1 y1", "box"), _FROM, _TEN),
    ),
    Form(
        "blur", "Input", "blur", "blur", "Out of focus; σ as a share of the square that the network sees.",
        (_FROM, _TEN, Field("sigma", "σ", "number", BLUR_SIGMA, 0.005, 0)),
    ),
    Form(
        "noise", "Input", "noise", "add_noise", "Gaussian noise of σ grey levels (of 255), another one in each frame.",
        (_FROM, _TEN, Field("sigma", "σ", "number", NOISE_SIGMA, 5, 0), Field("seed", "seed", "number", 0, low=0)),
    ),
    Form(
        "dark", "Input", "darkness", "darken", "Less light: this share of it is left.",
        (_FROM, _TEN, Field("gain", "left", "number", DARK_GAIN, 0.05, 0)),
    ),
    Form(
        "drop", "Input", "dropped frames", "drop_frames", "Frames that never arrive: the model’s state waits.",
        (_FROM, _ONE),
    ),
    Form(
        "repeat", "Input", "repeated frame", "repeat_frame",
        "The camera stands still: the frame before is seen again and again.", (_FROM, _ONE),
    ),
    Form(
        "box", "Input", "shifted box", "shift_box",
        "The network looks elsewhere: shifts are shares of its square’s side, the scale a factor on it.",
        (
            _IN,
            Field("dx", "right", "number", 0.2, 0.05),
            Field("dy", "down", "number", 0.0, 0.05),
            Field("scale", "scale", "number", 1.0, 0.1, 0),
            _ONE,
        ),
    ),
    Form(
        "erase", "State", "erase", "change_state", "The maps that are handed on are empty.",
        (_IN, Field("joint", "joint", "joint_or_all"), _ONE), {"change": "erase"},
    ),
    Form(
        "sides", "State", "swap sides", "change_state", "The maps that are handed on call left right.",
        (_IN, Field("joint", "joint", "joint_or_all"), _ONE), {"change": "swap_sides"},
    ),
    Form(
        "shift", "State", "shift", "change_state", "The maps that are handed on are moved by whole cells.",
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
        "restart", "State", "start anew here", "restart",
        "The model forgets its past, and the initializer looks at the frame.", (_IN,),
    ),
)  # fmt: skip

METHODS = frozenset({form.method for form in FORMS} | {"edit_kernel"})


def as_records(with_kernels: bool, others: Sequence[str]) -> list[dict[str, Any]]:
    """The table as plain data for the browser, without what a model or this laboratory cannot do.

    Args:
        with_kernels: whether the model has kernels, and a past that it hands on.
        others: the names of other runs; without any, no kernel can be taken from one.
    """
    possible = [
        form
        for form in FORMS
        if (with_kernels or form.group == "Input" or form.method == "restart")
        and (others or form.method != "put_kernel")
    ]
    return [asdict(form) for form in possible]
