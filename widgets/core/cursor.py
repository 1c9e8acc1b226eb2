"""Cursor: the state shared by the views of a clip: frame, joint, layers, and whether it is playing.

Views in the browser observe the cursor's model directly, so linking them needs no round trip to the kernel. While the
user scrubs, the kernel is notified of the frame a few times per second, and always of the final one.
"""

from __future__ import annotations

import operator
from typing import Any

import traitlets

from dkd.errors import ConfigError, FrameIndexError, nearest_name
from dkd.tracking.protocols import TraceLike
from widgets.core.library import HiddenWidget, script
from widgets.core.tables import LAYERS


class _FrameIndex(traitlets.TraitType):
    """A frame index: any integer type (including NumPy's), checked against ``n_frames``."""

    default_value = 0

    def validate(self, obj: Any, value: Any) -> int:
        try:
            index = operator.index(value)
        except TypeError:
            raise FrameIndexError(f"expected a whole number as the frame, got {value!r}") from None
        if isinstance(value, bool) or not 0 <= index < obj.n_frames:
            raise FrameIndexError(
                f"expected a frame in 0..{obj.n_frames - 1}, got {value!r}; frames are counted from 0, and negative "
                "indices are not allowed"
            )
        return index


class Cursor(HiddenWidget):
    """Shared state of the views of one trace. The cursor itself is not displayed.

    Args:
        n_frames: number of frames T, at least 1.
        joints: names of the joints.
        joint: selected joint; by default the last of ``joints`` named ``…wrist``, else the first.

    Attributes:
        frame: current frame, 0..T−1. An invalid value raises :class:`~dkd.errors.FrameIndexError`.
        joint: name of the selected joint. An unknown one raises :class:`~dkd.errors.ConfigError`.
        layers: layers that the player draws (``skeleton, trails, heatmap, box, truth``: bool) and the ``opacity`` of
            the heatmap over the frame, 0..1. A dict with only some of them leaves the others unchanged.
        cell: pinned map cell (x, y), or ``None`` to explain the cell of the joint's peak.
        playing: whether the browser is playing.
        speed: playing speed as a factor.
        range: first and last frame of the range to repeat, or ``None`` to play the whole clip once.
    """

    _module = script("core/cursor.js")

    n_frames = traitlets.Int(1).tag(sync=True)
    joint_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    frame = _FrameIndex().tag(sync=True)
    joint = traitlets.Unicode().tag(sync=True)
    layers = traitlets.Dict(default_value=LAYERS).tag(sync=True)
    cell = traitlets.Any(None, allow_none=True).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    speed = traitlets.Float(1.0).tag(sync=True)
    range = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(self, n_frames: int, joints: tuple[str, ...], joint: str | None = None):
        if n_frames < 1 or not joints:
            raise ConfigError(f"expected at least one frame and one joint, got {n_frames} and {len(joints)}")
        names = list(joints)
        if joint is None:
            joint = next((n for n in names if n.endswith("wrist")), names[0])
        super().__init__(n_frames=n_frames, joint_names=names, joint=joint)

    @classmethod
    def for_trace(cls, trace: TraceLike) -> Cursor:
        """Create a cursor at the first frame of ``trace``."""
        return cls(len(trace), trace.skeleton.joints)

    def retarget(self, trace: TraceLike) -> None:
        """Change to another trace, keeping the frame if the new clip has it, and the joint if it exists.

        If the number of frames and the joints are the same, as for another model on the same clip, nothing changes.
        """
        names = list(trace.skeleton.joints)
        if (len(trace), names) == (self.n_frames, self.joint_names):
            return
        with self.hold_sync():
            self.playing, self.range, self.cell = False, None, None
            self.frame = min(self.frame, len(trace) - 1)
            joint = self.joint if self.joint in names else names[0]
            self.n_frames, self.joint_names = len(trace), names
            self.joint = joint

    def extend(self, n_frames: int) -> None:
        """Go on with more frames of the same trace: frame, range and cell stay.

        Raises:
            ConfigError: there are fewer frames than before.
        """
        if n_frames < self.n_frames:
            raise ConfigError(
                f"expected at least {self.n_frames} frames, got {n_frames}; use retarget for another trace"
            )
        self.n_frames = n_frames

    @traitlets.validate("joint")
    def _check_joint(self, proposal: Any) -> str:
        name = proposal["value"]
        if name not in self.joint_names:
            hint = nearest_name(name, self.joint_names)
            raise ConfigError(f"there is no joint {name!r}{hint} There are: {', '.join(self.joint_names)}.")
        return name

    @traitlets.validate("layers")
    def _check_layers(self, proposal: Any) -> dict:
        given = proposal["value"]
        for name, value in given.items():
            if name not in LAYERS:
                raise ConfigError(f"unknown layer {name!r}{nearest_name(name, LAYERS)} Layers: {', '.join(LAYERS)}.")
            if name == "opacity" and not (isinstance(value, int | float) and 0 <= value <= 1):
                raise ConfigError(f"expected an opacity in 0..1, got {value!r}")
        before = self._trait_values.get("layers", LAYERS)
        return {n: float(v) if n == "opacity" else bool(v) for n, v in {**LAYERS, **before, **given}.items()}

    @traitlets.validate("speed")
    def _check_speed(self, proposal: Any) -> float:
        if not 0.01 <= proposal["value"] <= 16:
            raise ConfigError(f"expected a speed factor in 0.01..16, got {proposal['value']!r}")
        return proposal["value"]

    @traitlets.validate("range", "cell")
    def _check_pair(self, proposal: Any) -> list[int] | None:
        name, value = proposal["trait"].name, proposal["value"]
        if value is None:
            return None
        try:
            first, second = (operator.index(v) for v in value)
        except (TypeError, ValueError):
            raise ConfigError(f"expected two whole numbers or None as the {name}, got {value!r}") from None
        if name == "range" and not 0 <= first < second < self.n_frames:
            raise ConfigError(f"expected a range (first, last) with 0 <= first < last < {self.n_frames}, got {value!r}")
        if first < 0 or second < 0:
            raise ConfigError(f"expected a cell (x, y) of the map, both at least 0, got {value!r}")
        return [first, second]
