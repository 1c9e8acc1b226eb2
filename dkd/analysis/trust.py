"""Whether a track can be trusted, in one sentence, and the frames in which it is lost.

The limits are our decisions. A frame is *lost* if its mean confidence over the joints is below the threshold at which
the track would be re-initialised: 0.45 with a calibration, a score of 0.2 without one
(:mod:`dkd.tracking.reinitialise`). Noise, or a wall with a pattern, can be above it by chance. Therefore a track is
*doubtful* if its mean over all frames is below 0.65, even where no frame is lost. Measured with the shipped model, over
25 frames each: people on the sample clips have a mean of 0.84 to 0.93; grey, black and noisy pictures 0.17 to 0.45;
boxes on nobody in the sample clips 0.25 to 0.55.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dkd.errors import ShapeError, checked
from dkd.tracking.protocols import TraceLike
from dkd.tracking.reinitialise import Reinitialise, mean_confidence

DOUBTFUL_CONFIDENCE = 0.65  # mean over all frames and joints, with a calibration
DOUBTFUL_SCORE = 0.3  # without one
MOSTLY = 0.5  # share of lost frames from which there is probably nobody
SHOWN = 8  # ranges of frames that the sentence names

Verdict = Literal["followed", "partly lost", "doubtful", "nobody"]


@dataclass(frozen=True)
class Trust:
    """Result of :func:`trust`.

    Attributes:
        verdict: ``"followed"``: no frame is lost. ``"partly lost"``: some are. ``"doubtful"``: the model is unsure in
            the whole clip. ``"nobody"``: most frames are lost; there is probably no person in the box.
        confidence: mean confidence over frames and joints, 0..1.
        calibrated: whether this is a probability; otherwise it is a mean score, clipped to 0..1.
        lost: ranges of lost frames, ascending.
        n_frames: number of frames of the track.
        text: all of this in words.
    """

    verdict: Verdict
    confidence: float
    calibrated: bool
    lost: tuple[range, ...]
    n_frames: int
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def n_lost(self) -> int:
        """Number of lost frames."""
        return sum(len(frames) for frames in self.lost)


@checked
def trust(trace: TraceLike, first: int = 0) -> Trust:
    """Judge a track by its confidence. Joints that a person marked as hidden do not count.

    Args:
        trace: a :class:`dkd.Trace` of at least one frame.
        first: number of the trace's first frame in the video; added to all frame numbers of the result.

    Raises:
        ShapeError: the trace has no frames.
    """
    n = len(trace)
    if n < 1:
        raise ShapeError("expected a trace of at least one frame, got none: run it first (trace.run())")
    calibrated = bool(trace.calibrated)
    means = mean_confidence(np.asarray(trace.confidence, np.float64), np.asarray(trace.hidden))
    limit = Reinitialise().limit(calibrated)
    lost = _ranges(np.flatnonzero(means < limit) + first)
    n_lost = int((means < limit).sum())
    mean = float(means.mean())
    verdict: Verdict = "partly lost" if n_lost else "followed"
    if n_lost >= MOSTLY * n:
        verdict = "nobody"
    elif mean < (DOUBTFUL_CONFIDENCE if calibrated else DOUBTFUL_SCORE):
        verdict = "doubtful"
    text = _sentence(verdict, mean, calibrated, lost, n_lost, n, limit)
    return Trust(verdict, mean, calibrated, lost, n, text)


def _sentence(
    verdict: Verdict, mean: float, calibrated: bool, lost: tuple[range, ...], n_lost: int, n: int, limit: float
) -> str:
    what = "confidence" if calibrated else "score"
    measured = f"the mean {what} is {mean:.2f}"
    if n_lost:
        of = "all" if n_lost == n else f"{n_lost} of {n}"
        measured += f", and {of} frames are below {limit:g} ({frames_text(lost)})"
    if verdict == "nobody":
        return f"There is probably no person here: {measured}. Give a box on the person, or choose other frames."
    if verdict == "doubtful":
        return f"The track is doubtful: {measured}. Look at it before you use it."
    if verdict == "partly lost":
        return f"The track is lost in {n_lost} of {n} frames ({frames_text(lost)}): there, the mean {what} is below " \
            f"{limit:g}; over all frames it is {mean:.2f}."  # fmt: skip
    return f"The person is followed in all {n} frames: {measured}, and no frame is below {limit:g}."


def frames_text(frames: tuple[range, ...]) -> str:
    """Return ranges of frames in words: ``frames 3 to 9, 12, 40 to 55``."""
    parts = [str(r.start) if len(r) == 1 else f"{r.start} to {r[-1]}" for r in frames[:SHOWN]]
    if len(frames) > SHOWN:
        parts.append(f"and {sum(len(r) for r in frames[SHOWN:])} more")
    single = len(frames) == 1 and len(frames[0]) == 1
    return f"frame{'' if single else 's'} {', '.join(parts)}"


def _ranges(frames: np.ndarray) -> tuple[range, ...]:
    """Group ascending frame numbers into ranges without gaps."""
    if not len(frames):
        return ()
    groups = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
    return tuple(range(int(group[0]), int(group[-1]) + 1) for group in groups)
