"""Calls of a trace as edits: read from their text, applied again, left out, and described for a list."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dkd.errors import ConfigError
from dkd.tracking.trace import Trace

CORRECTIONS = ("correct_joint", "hide_joint", "swap_sides", "set_box", "interpolate")
_LABELS = dict(zip(CORRECTIONS, ("moved", "hidden", "sides swapped", "box", "interpolated"), strict=True))


@dataclass(frozen=True)
class Edit:
    """One call of a method that changes a trace.

    Attributes:
        name: name of the method.
        arguments, named: its arguments.
        text: the call as Python, as in ``trace.calls``.
    """

    name: str
    arguments: tuple[Any, ...]
    named: dict[str, Any] = field(default_factory=dict)
    text: str = ""

    def apply(self, trace: Trace, others: Mapping[str, Trace]) -> Trace:
        """Return the trace that follows, stopped at once: only frames that cannot differ are there.

        Raises:
            FrameIndexError: it needs frames that ``trace`` does not have yet.
            DKDError: as the method.
        """
        arguments = [others.get(a.id, a) if isinstance(a, ast.Name) else a for a in self.arguments]
        named = {k: others.get(v.id, v) if isinstance(v, ast.Name) else v for k, v in self.named.items()}
        made: Trace = getattr(trace, self.name)(*arguments, **named, cancel=lambda: True)
        return made

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
        given = self._named("frame", 0) if "frame" in self.named else self._named("frames", 0)
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
        if name in self.named:
            return self.named[name]
        return self.arguments[place] if place < len(self.arguments) else None


def edits_of(trace: Trace) -> list[Edit]:
    """Return the calls that made a trace, oldest first."""
    return [read_call(text) for text in trace.calls]


def read_call(text: str) -> Edit:
    """Read a call such as ``"correct_joint(12, 'left_wrist', 103.5, 88.0)"`` without running it.

    Raises:
        ConfigError: it is not a call with literals, ranges and names of variables as arguments.
    """
    try:
        call = ast.parse(text, mode="eval").body
        assert isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        arguments = tuple(_value(node) for node in call.args)
        named = {str(one.arg): _value(one.value) for one in call.keywords}
    except (SyntaxError, ValueError, AssertionError):
        raise ConfigError(
            f"expected a call such as correct_joint(12, 'left_wrist', 103.5, 88.0), got {text!r}"
        ) from None
    return Edit(call.func.id, arguments, named, text)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        return range(*(ast.literal_eval(bound) for bound in node.args))
    return ast.literal_eval(node)


def superseded(trace: Trace, new: Edit) -> set[int]:
    """Return which calls of a trace a new correction makes pointless: earlier ones of the same joint and frame.

    Only if nothing but single joints was changed after them: swapped or interpolated positions depend on them.
    """
    found: set[int] = set()
    for k, old in reversed(list(enumerate(edits_of(trace)))):
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
