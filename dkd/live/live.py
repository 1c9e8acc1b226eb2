"""``Live``: track a person while frames arrive. The latest frame wins, so the delay does not grow."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from dkd.engines.choice import accelerate, engine_of
from dkd.errors import ClosedError, ConfigError, ShapeError, checked
from dkd.io.background import is_ending, start_thread
from dkd.live.seen import Box, Seen, SeenRecord
from dkd.live.sources import Captured, LiveSource, as_source, check_image
from dkd.live.window import NewestFrame
from dkd.models.base import VideoPoseModel
from dkd.models.confidence import calibration_of
from dkd.pose.crops import check_box, four_numbers
from dkd.tracking.conditions import Conditions
from dkd.tracking.opening import as_model
from dkd.tracking.progress import Preparation
from dkd.tracking.reinitialise import Reinitialise
from dkd.tracking.tracker import Tracker, confidence

log = logging.getLogger(__name__)

KEPT = 150  # frames with their pictures: 140 MB at 640 × 480
_PATIENCE_S = 5.0  # for a source that does not end at once when it is stopped


@checked
class Live(SeenRecord):
    """Track a person while frames arrive.

        with Live("dkd-mobilenetv2", 0) as live:  # the first camera
            for seen in live:
                print(seen.joints, seen.latency_ms)

    A thread takes frames from the source, another one tracks. While the network works on a frame, newer ones replace
    each other, and the latest is tracked next: so results are never late by more than the time of two steps, however
    slow the machine is. Frames that were replaced are counted in :attr:`dropped`.

    Args:
        model: the model; or the name of a shipped one, or the path of a checkpoint.
        source: a camera, a video that is played by its clock, or frames of a program: see
            :func:`dkd.live.sources.as_source`. ``None``: frames are given with :meth:`offer`.
        box: box of the person (x0, y0, x1, y1) in the first frame, in pixels; ``None``: the initializer searches the
            whole frame.
        conditions: conditions of the run, such as ``Conditions(refine=True)``. By default a lost track is
            re-initialised, as people leave and come back.
        engine: what runs the network, as for :class:`dkd.Trace`.
        drop: whether a newer frame replaces one that waits. If not, the source waits for the network: for a program
            whose frames are all to be tracked.
        keep: number of the last frames whose pictures and maps are kept.

    Attributes:
        source: the source, or ``None``.
        captured: number of frames that the source has made, also those that it has lost itself.
        tracked: number of frames with a result.
        dropped: number of frames that were left out.
        latest: the last result, or ``None``.
        calibration: the model's calibration of confidence, or ``None``.
        state: ``"ready"``, ``"running"``, ``"ended"`` (of the source), ``"stopped"`` or ``"failed"``.
        error: what has ended the run, or ``None``.

    Raises:
        ConfigError: the source is none, or as for :class:`dkd.Trace`.
        VideoError: the video or the camera cannot be used.
    """

    def __init__(
        self,
        model: VideoPoseModel | str | os.PathLike[str],
        source: Any = None,
        box: Box | None = None,
        conditions: Conditions | None = None,
        *,
        engine: str | None = None,
        drop: bool = True,
        keep: int = KEPT,
        progress: bool = False,
    ):
        if keep < 1:
            raise ConfigError(f"expected to keep at least one frame, got keep={keep}")
        if box is not None:
            four_numbers(box)
        with Preparation(progress) as prepared:
            self.model = accelerate(as_model(model).eval(), engine, prepared)
        self.skeleton, self.calibration = self.model.skeleton, calibration_of(self.model)
        self.conditions = conditions or Conditions(reinitialise=Reinitialise())
        if self.conditions.interventions:
            raise ConfigError("expected conditions without interventions: those are for frames that are known before")
        self.conditions.check(self.model, 1)
        self.source: LiveSource | None = None if source is None else as_source(source)
        self.name = "frames" if self.source is None else self.source.name
        self.box, self._drop = box, drop
        self.captured = self.tracked = self.dropped = 0
        self.latest: Seen | None = None
        self.state, self.error = "ready", None
        self._changed = threading.Condition()
        self._begin_record(keep)
        self._ended, self._is_source_over = threading.Event(), False
        self._waiting: Captured | None = None
        self._again: tuple[Box | None] | None = (box,)  # where the model is started in the next frame
        self._run, self._tracker, self._frame = -1, None, None
        self._callbacks: list[Callable[[Seen], object]] = []
        self._threads: list[threading.Thread] = []
        self._begin = 0.0

    _tracker: Tracker | None
    _frame: NewestFrame | None
    error: Exception | None

    @property
    def engine(self) -> str:
        """Name of the engine that runs the network."""
        return engine_of(self.model)

    # --- running -----------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Begin to take frames.

        Raises:
            ClosedError: it was started before.
        """
        with self._changed:
            if self.state != "ready":
                raise ClosedError(f"expected a live run that was not started before, this one is {self.state}")
            self.state = "running"
        if self.source is not None:
            self._threads.append(start_thread(self._capture, self.source, name="dkd-live-source", stop=self._end))
        self._threads.append(start_thread(self._work, name="dkd-live", stop=self._end))
        return self

    def stop(self) -> None:
        """End the run, and give camera or video back. What was seen is kept. May be called twice."""
        with self._changed:
            if self.state in ("ready", "running"):
                self.state = "stopped"
        self._end()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_PATIENCE_S)
        if any(thread.is_alive() for thread in self._threads if thread is not threading.current_thread()):
            log.warning("%s does not end; it is left alone until it gives its next frame", self.name)
        if not self._threads and self.source is not None:
            self.source.close()

    def join(self) -> None:
        """Wait until the run has ended, whatever has ended it."""
        with self._changed:
            self._changed.wait_for(lambda: self.state != "running")
        if self._threads and self._threads[-1] is not threading.current_thread():
            self._threads[-1].join()

    def wait(self) -> None:
        """Wait until the run has ended.

        Raises:
            Exception: what has ended it, such as a ``VideoError`` of the source.
        """
        self.join()
        if self.error is not None:
            raise self.error

    def offer(self, image: np.ndarray, time_s: float | None = None, taken: float | None = None, decode_ms: float = 0.0,
              number: int | None = None) -> None:  # fmt: skip
        """Give a frame, from any thread. The image is not copied: do not change it afterwards.

        Args:
            image: (H, W, 3) uint8 RGB.
            time_s: its time in seconds; by default, the time since the first one.
            taken: when it was taken, in seconds of :func:`time.perf_counter`; by default now.
            decode_ms: how long it took to decode.
            number: its number; by default the next one. Numbers that are left out count as dropped.

        Raises:
            ClosedError: the run is not running.
            ConfigError: the run has a source of its own.
            ShapeError: it is not an image, or its number is not after those before.
        """
        if self.source is not None:
            raise ConfigError("expected a run without a source of its own to give frames to; use Live(model)")
        check_image(image)
        with self._changed:
            if self.state != "running":
                raise ClosedError(f"expected a running live run, this one is {self.state}")
            now = time.perf_counter() if taken is None else taken
            self._begin = self._begin or now
            number = self.captured if number is None else number
            if number < self.captured:
                raise ShapeError(f"expected a frame after number {self.captured - 1}, got {number}")
            time_s = now - self._begin if time_s is None else time_s
            self._put(Captured(image, number, float(time_s), now, decode_ms, number - self.captured))

    def follow(self, box: Box | None = None) -> None:
        """Start the model again in the next frame.

        Args:
            box: box of the person in pixels; ``None``: search the whole frame.

        Raises:
            BoxError: the box is degenerate or outside the frame.
        """
        if box is not None and self._frame is not None:
            box = check_box(box, self._frame.width, self._frame.height)
        with self._changed:
            self._again = (box,)

    def subscribe(self, callback: Callable[[Seen], object]) -> Callable[[], None]:
        """Call ``callback(seen)`` after each frame, in the thread that tracks: the next frame waits for it.

        An exception in it ends the run, and is raised by :meth:`wait`.

        Returns:
            A function that ends this.
        """
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback) if callback in self._callbacks else None

    def __iter__(self) -> Iterator[Seen]:
        """Yield the latest result, again and again, until the run has ended; results in between are left out.

        A run that was not started is started, and stopped with the loop.

        Raises:
            Exception: what has ended the run.
        """
        if self.state == "ready":
            with self:
                yield from self
            return
        last = None
        while (seen := self._after(last)) is not None:
            yield seen
            last = seen
        if self.error is not None:
            raise self.error

    def _after(self, last: Seen | None) -> Seen | None:
        """Wait for a result after another one, and return it; ``None`` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self.latest is not last or self.state != "running")
            return None if self.latest is last else self.latest

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- threads -----------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        self._ended.set()
        with self._changed:
            self._changed.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._changed:
            if self.state == "running":
                self.state, self.error = "failed", error
        self._end()

    def _capture(self, source: LiveSource) -> None:
        try:
            for one in source.frames(self._ended):
                self._put(one)
                if self._ended.is_set():
                    break
        except Exception as error:
            self._fail(error)
        finally:
            source.close()
            with self._changed:
                self._is_source_over = True
                self._changed.notify_all()

    def _put(self, one: Captured) -> None:
        """Let a frame wait for the network, in place of the one that waits, which is dropped."""
        with self._changed:
            if self._ended.is_set():
                return
            self.captured += 1 + one.skipped
            self.dropped += one.skipped
            if not self._drop:
                self._changed.wait_for(lambda: self._waiting is None or self._ended.is_set())
            if self._waiting is not None:
                self.dropped += 1
            self._waiting = one
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while (one := self._take()) is not None:
                seen = self._track(one)
                with self._changed:
                    self.latest = seen
                    self.tracked += 1
                    self._keep(seen)
                    self._changed.notify_all()
                for callback in list(self._callbacks):
                    callback(seen)
        except Exception as error:
            self._fail(error)
        with self._changed:
            if self.state == "running":
                self.state = "ended"
            self.dropped += self._waiting is not None
            self._waiting = None
            self._ended.set()
            self._changed.notify_all()

    def _take(self) -> Captured | None:
        """Wait for a frame; ``None`` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_source_over or self._ended.is_set())
            if self._ended.is_set() or is_ending():
                return None
            one, self._waiting = self._waiting, None
            self._changed.notify_all()
            return one

    def _track(self, one: Captured) -> Seen:
        begin = time.perf_counter()
        height, width = check_image(one.image).shape[:2]
        with self._changed:
            again, self._again = self._again, None
        if again is not None:
            self._run += 1
            box = None if again[0] is None else check_box(again[0], width, height)
            self._first = self._run, one.number, box
            self._frame = NewestFrame(self.name, width, height)
            self._tracker = Tracker(self.model, self._frame, self.conditions, box)
        assert self._frame is not None and self._tracker is not None
        self._frame.show(one.image, one.time_s)
        step = self._tracker.step()
        done = time.perf_counter()
        refine_ms = 0.0 if self._tracker.refiner is None else self._tracker.refiner.ms
        capture_ms = max(0.0, 1e3 * (begin - one.taken) - one.decode_ms)
        sure = np.asarray(confidence(step.scores, self.calibration), np.float32)
        return Seen(
            one.number, one.time_s, one.image, step.joints.astype(np.float32), step.scores, sure,
            np.array(step.heatmaps), step.crop, step.reinitialised is not None, capture_ms, one.decode_ms,
            1e3 * (done - begin) - refine_ms, self._run, refine_ms,
        )  # fmt: skip

    def __repr__(self) -> str:
        counts = f"{self.tracked} of {self.captured} frames tracked, {self.dropped} dropped"
        return f"<Live {self.name!r} by {self.model.name}: {self.state}, {counts}>"
