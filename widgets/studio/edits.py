"""Calls of a trace as edits: read from their text, applied again, left out, and described for a list."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dkd.errors import ConfigError
from dkd.tracking.changes import call_text
from dkd.tracking.replay import read_call, replay
from dkd.tracking.trace import Trace

CORRECTIONS = ("correct_joint", "hide_joint", "swap_sides", "set_box", "interpolate")
_LABELS = dict(zip(CORRECTIONS, ("moved", "hidden", "sides swapped", "box", "interpolated"), strict=True))


@dataclass(frozen=True)
class Edit:
    """One call of a method that changes a trace.

    Attributes:
        text: the call as Python, as in ``trace.calls``.
    """

    text: str

    @classmethod
    def of(cls, name: str, *arguments: Any, **named: Any) -> Edit:
        """Return the edit of a method with these arguments."""
        return cls(call_text(name, *arguments, **named))

    @property
    def name(self) -> str:
        """Name of the method."""
        return self.text.partition("(")[0].strip()

    def apply(self, trace: Trace, others: Mapping[str, Trace]) -> Trace:
        """Return the trace that follows, stopped at once: only frames that cannot differ are there.

        Raises:
            StoppedError: it needs frames that ``trace`` does not have yet.
            DKDError: as the method, or as :func:`dkd.replay`.
        """
        return replay(trace, [self.text], others, cancel=lambda: True)

    @property
    def is_correction(self) -> bool:
        """Whether it corrects the track; other changes are what-ifs."""
        return self.name in CORRECTIONS

    @property
    def frames(self) -> range | None:
        """The frames that it names; ``None`` if it is not a correction, or acts on all frames."""
        if not self.is_correction:
            return None
        if self.name == "interpolate":
            first, last = self._named("first", 1), self._named("last", 2)
            return range(first, last + 1)
        place = "frame" if self.name in ("correct_joint", "set_box") else "frames"
        given = self._named(place, 0)
        return range(given, given + 1) if isinstance(given, int) else given

    @property
    def joint(self) -> str | None:
        """The joint, or the part of the body, that it is about; ``None``: the whole person."""
        place = {"correct_joint": 1, "hide_joint": 1, "swap_sides": 1, "interpolate": 0}.get(self.name)
        if place is None:
            return None
        value = self._named("joints" if self.name == "swap_sides" else "joint", place)
        return value if value is None or isinstance(value, str) else ", ".join(value)

    def describe(self, index: int) -> dict[str, Any]:
        """Return it for the page's list of corrections, as JSON."""
        frames = self.frames
        return {
            "index": index,
            "first": None if frames is None else frames.start,
            "last": None if frames is None else frames.stop - 1,
            "joint": self.joint,
            "action": _LABELS.get(self.name, ""),
            "text": self.text,
        }

    def _named(self, name: str, place: int) -> Any:
        _, arguments, named = read_call(self.text)
        if name in named:
            return named[name]
        return arguments[place] if place < len(arguments) else None


def edits_of(trace: Trace) -> list[Edit]:
    """Return the calls that made a trace, oldest first."""
    return [Edit(text) for text in trace.calls]


def superseded(edits: Sequence[Edit], new: Edit) -> set[int]:
    """Return the indices of edits that a new correction makes pointless: earlier ones of the same joint and frame.

    Only if single joints alone were changed after them: swapped or interpolated positions depend on them.
    """
    found: set[int] = set()
    for k, old in reversed(list(enumerate(edits))):
        if old.name not in ("correct_joint", "hide_joint") and not (old.name == new.name == "set_box"):
            break
        if new.name in ("correct_joint", "hide_joint", "set_box") and _same_place(old, new):
            found.add(k)
    return found


def _same_place(old: Edit, new: Edit) -> bool:
    kinds = {old.name, new.name} <= {"correct_joint", "hide_joint"} or old.name == new.name
    return kinds and (old.frames, old.joint) == (new.frames, new.joint)


def before_calls(trace: Trace, count: int) -> Trace:
    """Return the trace that only had the first ``count`` calls.

    Raises:
        ConfigError: it is not known any more, because the trace was not made by the calls one after the other.
    """
    earlier: Trace | None = trace
    while earlier is not None and len(earlier.calls) > count:
        earlier = earlier.base
    if earlier is None or len(earlier.calls) != count:
        raise ConfigError(
            f"expected a trace that was made by its {len(trace.calls)} calls one after the other, got one that does "
            "not know the traces before; open the session again"
        )
    return earlier


def uncorrected(trace: Trace) -> Trace:
    """Return the run before the first correction; the trace itself if there are none."""
    first = next((k for k, one in enumerate(edits_of(trace)) if one.is_correction), None)
    return trace if first is None else before_calls(trace, first)


def rebuilt(trace: Trace, left_out: Collection[int], added: Sequence[Edit] = ()) -> tuple[Trace, list[Edit]]:
    """Return the trace from which to start again, and the edits that lead to a trace without some of its calls.

    Args:
        trace: a trace.
        left_out: indices of calls to leave out.
        added: edits to append.
    """
    if not left_out:
        return trace, list(added)
    first = min(left_out)
    kept = [one for k, one in enumerate(edits_of(trace)) if k >= first and k not in left_out]
    return before_calls(trace, first), [*kept, *added]


def as_python(name: str, trace: Trace) -> str:
    """Return the line of Python that makes the trace from the one before all corrections."""
    start = uncorrected(trace)
    calls = trace.calls[len(start.calls) :]
    return f"traces[{name!r}] = " + ".".join([f"traces[{name!r}]", *calls])
