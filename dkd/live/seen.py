"""What a live run has seen: the last frames with their pictures and maps, and the joints of all."""

from __future__ import annotations

import threading
from collections import deque
from statistics import median
from typing import NamedTuple

import numpy as np

from dkd.errors import ShapeError
from dkd.formats.track import PERSON, PoseTrack
from dkd.live.window import SeenClip
from dkd.models.base import VideoPoseModel
from dkd.models.confidence import Calibration
from dkd.pose.crops import BOX_MARGIN, Crop
from dkd.pose.skeleton import Skeleton
from dkd.tracking.conditions import Conditions
from dkd.tracking.trace import Trace
from dkd.tracking.tracker import confidence

POSES = 108_000  # frames whose joints are kept: an hour at 30 frames per second, 50 MB
_RECENT = 60  # frames over which the budget is summed up

Box = tuple[float, float, float, float]


class Seen(NamedTuple):
    """What was found in one frame.

    Attributes:
        number: number of the frame in the source, from 0; the numbers of dropped frames are missing.
        time_s: seconds from the source's first frame.
        image: (H, W, 3) uint8 RGB.
        joints: (J, 2) float32 pixels of the frame.
        scores: (J,) float32 heights of the peaks.
        confidence: (J,) float32 in 0..1, calibrated if the model has a calibration.
        heatmaps: (J, H, W) float32.
        crop: the square of the frame that the network saw.
        reinitialised: whether the model was started again here, because the track was lost.
        capture_ms: from the moment at which the frame was there until the network could take it, without decoding.
        decode_ms: making the image of what arrived.
        network_ms: crop, network and read-out.
        refine_ms: what the frame waited in addition for the initializer that refines joints; 0 if it does not.
        run: how many times :meth:`Live.follow` had started the model again before.
    """

    number: int
    time_s: float
    image: np.ndarray
    joints: np.ndarray
    scores: np.ndarray
    confidence: np.ndarray
    heatmaps: np.ndarray
    crop: Crop
    reinitialised: bool
    capture_ms: float
    decode_ms: float
    network_ms: float
    run: int
    refine_ms: float = 0.0

    @property
    def latency_ms(self) -> float:
        """Time from the frame to its joints; a view adds what it takes to paint them."""
        return self.capture_ms + self.decode_ms + self.network_ms + self.refine_ms


class SeenRecord:
    """The part of :class:`~dkd.live.live.Live` that keeps what was seen, in bounded memory."""

    name: str
    model: VideoPoseModel
    skeleton: Skeleton
    calibration: Calibration | None
    conditions: Conditions
    _changed: threading.Condition

    def _begin_record(self, keep: int) -> None:
        self._kept: deque[Seen] = deque(maxlen=keep)
        self._poses: deque[tuple[int, float, np.ndarray, np.ndarray]] = deque(maxlen=POSES)
        self._first: tuple[int, int, Box | None] = (-1, 0, None)  # of the last start: run, number of the frame, box

    def _keep(self, seen: Seen) -> None:
        self._kept.append(seen)
        self._poses.append((seen.number, seen.time_s, seen.joints, seen.scores))

    def budget(self) -> dict[str, float]:
        """Return where the time of the last frames went: medians in ms of ``capture``, ``decode``, ``network``, of
        ``refine`` if joints are refined, and of their sum, ``latency``. Empty before the first result."""
        with self._changed:
            recent = list(self._kept)[-_RECENT:]
        stages = ("capture", "decode", "network", *(["refine"] if self.conditions.refine else []), "latency")
        return {name: float(median(getattr(one, f"{name}_ms") for one in recent)) for name in stages if recent}

    @property
    def kept(self) -> list[Seen]:
        """The last results, ``keep`` at most, the oldest first."""
        with self._changed:
            return list(self._kept)

    def poses(self) -> PoseTrack:
        """Return the joints of all frames so far, the last hour at most, with their true times, to export or compare.

        Raises:
            ShapeError: nothing was tracked yet.
        """
        with self._changed:
            poses, last = list(self._poses), self._kept[-1] if self._kept else None
        if last is None:
            raise ShapeError("expected at least one tracked frame, got none; start the run first")
        numbers, times, joints, scores = zip(*poses, strict=True)
        heights = np.stack(scores)[:, None]
        made = f"{self.model.name}+refined" if self.conditions.refine else self.model.name
        return PoseTrack(
            np.stack(joints)[:, None], heights, self.skeleton, np.array(numbers), np.array(times), (PERSON,), None,
            last.image.shape[1::-1], self.name, made,
            None if self.calibration is None else np.asarray(confidence(heights, self.calibration), np.float32),
        )  # fmt: skip

    def trace(self, *, progress: bool = False) -> Trace:
        """Trace the kept frames again, for all views: kernels, contributions, what-ifs. Times are the true ones.

        The trace begins where :meth:`follow` was called last, if that frame is kept, and then has the same joints;
        else at the oldest kept frame with a square around the person, after which joints may differ a little.

        Raises:
            ShapeError: nothing was tracked yet.
        """
        with self._changed:
            kept, (run, number, box) = list(self._kept), self._first
        kept = [one for one in kept if one.run == kept[-1].run]
        if not kept:
            raise ShapeError("expected at least one tracked frame, got none; start the run first")
        first = kept[0]
        if (first.run, first.number) != (run, number):
            side, middle = first.crop.side / BOX_MARGIN / 2, first.crop.side / 2
            x, y = first.crop.left + middle, first.crop.top + middle
            box = (x - side, y - side, x + side, y + side)
        return Trace(self.model, SeenClip(kept, self.name), box, self.conditions, progress=progress)
