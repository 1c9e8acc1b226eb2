"""The laboratory: the original run next to the run that follows when a kernel, the input or the state is changed."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from dkd.analysis.comparison import aftermath, divergence
from dkd.errors import ConfigError, FrameIndexError, nearest_name
from dkd.measures.divergence import TOLERANCE, Recovery, recovery
from dkd.tracking.interventions import Intervention
from dkd.tracking.trace import Trace
from widgets.core.cursor import Cursor
from widgets.core.feed import Feed
from widgets.core.library import script
from widgets.core.view import View, unknown_keyword
from widgets.core.wire import write_message
from widgets.laboratory.forms import METHODS, as_arguments, as_records
from widgets.laboratory.runner import Runner
from widgets.page.page import SavedPage, save_page

_log = logging.getLogger(__name__)
_KEYWORDS = ("cursor", "others")
FIRST_S, EVERY_S = 0.25, 1.0  # a run under way is shown after FIRST_S, then every EVERY_S
Step = tuple[str, tuple[Any, ...], dict[str, Any]]  # a method's name and its arguments


class Laboratory(View):
    """Shows two runs on one cursor, "Original" and "What if", and applies interventions to the second.

    Interventions come from the controls, from painting on a kernel, or from :meth:`apply`. Each is a method of
    :class:`dkd.tracking.counterfactuals.Counterfactuals` and acts on the result of the ones before. The new run is
    computed in a thread and shown as it grows. All runs are kept until the laboratory is closed, so that undo and redo
    are instant (a frame takes about 55 kB with the default model).

    Args:
        trace: the original run, a complete :class:`dkd.Trace`.
        cursor: a :class:`Cursor` to share with other views of the same trace.
        others: other runs of the same model by name, from which kernels can be taken. Names must be valid names of
            variables, since they appear in :meth:`code`.

    Raises:
        ConfigError: if the trace is not complete, a name in ``others`` is not a valid name of a variable, or the
            cursor belongs to another clip.
        TypeError: if a keyword is unknown; the message names the nearest known one.
    """

    _module = script("laboratory/laboratory.js")
    _other_feed = anywidget.WidgetTrait().tag(sync=True)
    _forms: traitlets.List = traitlets.List().tag(sync=True)
    _others = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _effect = traitlets.Dict().tag(sync=True)
    _problem = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, trace: Trace, *, cursor: Cursor | None = None, others: Mapping[str, Trace] | None = None, **unknown: Any
    ):
        if unknown:
            raise unknown_keyword("Laboratory", next(iter(unknown)), _KEYWORDS)
        self._runs = dict(others or {})
        for name in self._runs:
            if not name.isidentifier():
                raise ConfigError(f"expected a valid variable name for each of the other runs, got {name!r}")
        if not trace.complete:
            raise ConfigError(
                f"expected a complete trace, got {len(trace)} of {trace.n_wanted} frames; trace.run() completes it"
            )
        self._lock = threading.RLock()
        self._history, self._at = [trace], 0  # traces, oldest first, and the index of the current one
        self._later: list[Step] | None = None  # steps that need frames that are still being computed
        self._served: Trace  # the trace that the page shows
        self._sent = 0.0
        self._runner = Runner(self._on_frame, self._on_end, self._on_run_error)
        feed = Feed(trace.snapshot())
        feed._users = 1
        try:
            self._open(
                trace, cursor,
                _other_feed=feed,
                _forms=as_records(bool(trace.kernels.size), list(self._runs)),
                _others=list(self._runs),
            )  # fmt: skip
        except Exception:
            feed.release()
            raise
        self._served = trace
        self._show_effect()
        self.on_msg(self._hear)

    # --- state --------------------------------------------------------------------------------------------------------

    @property
    def what_if(self) -> Trace:
        """The current counterfactual; the original trace if there are no interventions. It may still be growing."""
        return self._history[self._at]

    @property
    def others(self) -> dict[str, Trace]:
        """The other runs by name."""
        return dict(self._runs)

    def code(self) -> str:
        """Return the line of Python that makes :attr:`what_if` from :attr:`trace`."""
        return _code(self._history[0], self.what_if)

    def recovery(self) -> Recovery:
        """Measure when the track leaves the original, how far, and when it is back, in the frames computed so far."""
        trace, changed = self._history[0], self.what_if.snapshot()
        apart, added = divergence(trace, changed), _added(trace, changed)
        return aftermath(changed, apart, added).recovery if added else recovery(apart, 0)

    # --- actions ------------------------------------------------------------------------------------------------------

    def apply(self, name: str, *arguments: Any, **named: Any) -> None:
        """Apply an intervention to :attr:`what_if` and show the new run, as the controls do.

        Args:
            name: name of a method of the trace, for example ``"freeze_kernel"``.
            arguments, named: its arguments; ``put_kernel`` takes another run by its name.

        Raises:
            ConfigError: if there is no such intervention.
            DKDError: the errors of the method. Nothing is changed in either case.
        """
        self._apply([(name, arguments, named)])

    def undo(self) -> None:
        """Undo the last step, if there is one."""
        self._go(-1)

    def redo(self) -> None:
        """Redo the last step that was undone, if there is one."""
        self._go(1)

    def clear(self) -> None:
        """Remove all interventions. This can be undone."""
        with self._lock:
            if self.what_if is not self._history[0]:
                self._push(self._history[0])

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until :attr:`what_if` is computed.

        Args:
            timeout: seconds; without limit by default.

        Returns:
            Whether it is complete.
        """
        self._runner.wait(timeout)
        return bool(self.what_if.complete)

    def to_html(self, path: str | os.PathLike[str], **options: Any) -> SavedPage:
        """Save both runs next to each other as one HTML file that needs no kernel and no network.

        They move together. :attr:`what_if` is computed to its end first.

        Args:
            path: the file, ``.html``; an existing one is replaced.
            options: see :func:`widgets.save_page`.

        Raises:
            ConfigError: there are no interventions, or an option does not fit.
            StorageError: the file cannot be written.
        """
        self.wait()
        changed = self.what_if
        if changed is self.trace:
            raise ConfigError("expected a run with interventions, got the original run; apply one first")
        if not changed.complete:
            raise ConfigError(
                f"expected a complete run, got {len(changed)} of {changed.n_wanted} frames: {self._problem}"
            )
        shown = {"frame": self.frame, "joint": self.joint, "caption": _code(self.trace, changed)}
        both = {"Original": self.trace, "What if": changed}
        return save_page(both, path, **{**shown, **options}, arrange="beside")

    def close(self) -> None:
        """Close the view. A run under way stops; the traces stay open. May be called more than once."""
        if not self._closed:
            self.on_msg(self._hear, remove=True)
            self._runner.drop()
            feed = self._other_feed
            super().close()
            feed.release()

    # --- implementation -----------------------------------------------------------------------------------------------

    def _apply(self, steps: Sequence[Step]) -> None:
        with self._lock:
            self._problem, self._later = "", None
            made = base = self.what_if
            later = None
            for k, step in enumerate(steps):
                try:
                    # Of the last run the first new frame, so that the page gets it at once; the runner goes on.
                    made = self._made(made, step, n_frames=int(k + 1 == len(steps)))
                except FrameIndexError:
                    if made.complete:
                        raise
                    later = list(steps[k:])  # applied when the frames are there, see _on_end
                    break
            if made is not base:
                self._push(made)
            self._later = later
            self._show_effect()

    def _made(self, base: Trace, step: Step, n_frames: int) -> Trace:
        """Return the run with one more step, of which ``n_frames`` new frames are computed."""
        name, arguments, named = step
        if name not in METHODS:
            raise ConfigError(f"there is no intervention {name!r}{nearest_name(name, METHODS)}")
        if name == "put_kernel":
            arguments, named = self._with_run(arguments, named)
        left = iter(range(n_frames))
        return getattr(base, name)(*arguments, **named, cancel=lambda: next(left, None) is None)

    def _with_run(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of ``put_kernel`` with the run instead of its name."""
        name = named["other"] if "other" in named else (*arguments, None, None)[1]
        if not isinstance(name, str):
            return arguments, named
        if name not in self._runs:
            raise ConfigError(
                f"there is no other run {name!r}{nearest_name(name, self._runs)} There are: {', '.join(self._runs)}."
            )
        if "other" in named:
            return arguments, {**named, "other": self._runs[name], "name": name}
        return (arguments[0], self._runs[name], *arguments[2:]), {**named, "name": name}

    def _push(self, trace: Trace) -> None:
        self._history[self._at + 1 :] = [trace]
        self._go(1)

    def _go(self, by: int) -> None:
        with self._lock:
            self._problem, self._later = "", None
            if not 0 <= self._at + by < len(self._history):
                return
            self._at += by
            trace = self.what_if
            if len(trace):
                self._serve(trace)
            self._show_effect()
            if trace.complete:
                self._runner.drop()
            else:
                self._runner.complete(trace)

    def _serve(self, trace: Trace) -> None:
        """Show another run on the page, which keeps the frames that are the same in both."""
        keep = _same_frames(self._served, trace)
        self._served, self._sent = trace, time.monotonic() - EVERY_S + FIRST_S
        self._other_feed.set_trace(trace.snapshot(), self._cursor.frame, keep)

    def _grow(self, trace: Trace) -> None:
        self._sent = time.monotonic()
        self._other_feed.grow(trace.snapshot())
        self._show_effect()

    def _show_effect(self) -> None:
        can = {"undo": self._at > 0, "redo": self._at + 1 < len(self._history), "waits": self._later is not None}
        content, buffers = write_message({**render_effect(self._history[0], self.what_if), **can})
        self._effect = {**content, "buffers": buffers}  # state, not a message: a reloaded page finds it

    # The next three are called by the runner's thread.

    def _on_frame(self, trace: Trace) -> None:
        with self._lock:
            if self._closed or trace is not self.what_if or not len(trace):
                return
            if trace is not self._served:
                self._serve(trace)
                self._show_effect()
            elif time.monotonic() - self._sent > EVERY_S or self._is_awaited(trace):
                self._grow(trace)

    def _is_awaited(self, trace: Trace) -> bool:
        """Whether the run has reached the cursor's frame, which the page does not have yet."""
        return len(self._other_feed.trace) <= self._cursor.frame < len(trace)

    def _on_end(self, trace: Trace) -> None:
        with self._lock:
            if self._closed or trace is not self.what_if:
                return
            if trace is not self._served:
                self._serve(trace)
            later = self._later
            self._grow(trace)
            if later is not None:
                self._apply(later)

    def _on_run_error(self, trace: Trace, error: Exception) -> None:
        _log.warning("the laboratory's run failed", exc_info=error)
        with self._lock:
            if not self._closed and trace is self.what_if:
                self._problem = str(error)

    def _hear(self, _widget: Any, content: dict, _buffers: list) -> None:
        try:
            kind = content.get("type")
            if kind == "apply":
                self._apply([(one["name"], (), as_arguments(one["arguments"])) for one in content["steps"]])
            elif kind in ("undo", "redo", "clear"):
                getattr(self, kind)()
        except Exception as error:  # shown on the page: otherwise it would only reach the server's log
            _log.info("%s failed", content, exc_info=True)
            self._problem = str(error)


def render_effect(trace: Trace, changed: Trace) -> dict[str, Any]:
    """Return which interventions there are and what they did to the track, for the page.

    Returns:
        ``calls``: one line of Python per intervention, the newest last; ``code``: all in one line; ``frames``: how many
        are computed, ``of`` how many; ``spans``: [start, stop] of each intervention's frames; ``distances``:
        (frames, J) float32, see :func:`dkd.analysis.comparison.divergence`; ``recovery``: a
        :class:`~dkd.measures.divergence.Recovery` as a dict with ``peak_joint``, ``end``, ``lasts`` (whether an
        intervention acts to the clip's end) and ``tolerance``, or ``None`` without interventions.
    """
    changed = changed.snapshot()
    distances = divergence(trace, changed)
    new, calls = _added(trace, changed), changed.calls[len(trace.calls) :]
    found = None
    if new and len(changed):
        followed = aftermath(changed, distances, new)
        found = followed.recovery._asdict()
        found |= {
            "peak_joint": trace.skeleton.joints[int(distances[found["peak_frame"]].argmax())],
            "end": followed.end,
            "lasts": followed.lasts,
            "tolerance": TOLERANCE,
        }
    return {
        "calls": list(calls),
        "code": _code(trace, changed),
        "frames": len(changed),
        "of": changed.n_wanted,
        "spans": [[one.frames.start, one.frames.stop] for one in new],
        "distances": distances,
        "recovery": found,
    }


def _code(trace: Trace, changed: Trace) -> str:
    calls = changed.calls[len(trace.calls) :]
    return "lab_trace = " + ".".join(["trace", *calls])


def _added(trace: Trace, changed: Trace) -> tuple[Intervention, ...]:
    return tuple(changed.conditions.interventions[len(trace.conditions.interventions) :])


def _same_frames(one: Trace, other: Trace) -> int:
    """Count the first frames that are the same in two runs: no intervention that differs acts in them."""
    mine, yours = one.conditions.interventions, other.conditions.interventions
    shared = 0
    while shared < min(len(mine), len(yours)) and mine[shared] is yours[shared]:
        shared += 1
    return min(len(one), len(other), one.first_change((*mine[shared:], *yours[shared:])))
