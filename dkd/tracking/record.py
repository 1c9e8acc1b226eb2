"""Record of a run: what a trace keeps of every frame, and measures over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dkd.errors import ClosedError, FrameIndexError
from dkd.models.confidence import Calibration
from dkd.pose.crops import Crop
from dkd.tracking.appearance import places
from dkd.tracking.recompute import Recomputed
from dkd.tracking.reinitialise import Reinitialised
from dkd.tracking.step import Marks, Step
from dkd.tracking.storage import zeros
from dkd.tracking.tracker import confidence

if TYPE_CHECKING:
    import pandas as pd


class Record(Recomputed):
    """The frames of a run tracked so far, as arrays whose first axis is T, the frame.

    Attributes:
        n_wanted: number of frames of the complete run.
        calibration: calibration of the model's scores at the time of the run, or ``None``.
        reinitialised: frames in which the model was re-initialised, each with its reason.
        dropped: frames that an intervention dropped.
    """

    calibration: Calibration | None
    _ground_truth: np.ndarray | None
    _ARRAYS = (  # the first axis is the frame
        "_heatmaps", "_kernels", "_joints", "_raw_joints", "_scores", "_predicted", "_corrected", "_hidden",
        "_looks", "_counted", "_strange",
    )  # fmt: skip

    def _make_room(self, n_wanted: int) -> None:
        """Start without frames, and allocate memory for all."""
        self.n_wanted = n_wanted
        self._allocate(n_wanted)
        self._crops: list[Crop] = []
        self.reinitialised: list[Reinitialised] = []
        self.dropped: list[int] = []
        self._passes: dict[int, int] = {}  # extra passes of searches, by frame
        self._closed = False

    def _allocate(self, n_wanted: int) -> None:
        """Allocate :attr:`_ARRAYS`."""
        n_joints, size = len(self.skeleton), self.model.map_size
        self._heatmaps, self._kernels = zeros(
            (n_wanted, n_joints, size, size), (n_wanted, *self.model.kernel_shape)
        )  # fmt: skip
        self._joints = np.full((n_wanted, n_joints, 2), np.nan, np.float32)
        conditions = self.conditions
        as_found = conditions.smooth is None and conditions.peaks == "highest" and not conditions.refine
        self._raw_joints = self._joints if as_found else np.full_like(self._joints, np.nan)
        self._scores = np.zeros((n_wanted, n_joints), np.float32)
        self._corrected, self._hidden = np.zeros((2, n_wanted, n_joints), bool)
        self._looks = np.zeros((n_wanted, len(places(self.skeleton)), 3), np.float32)
        self._counted, self._strange = np.zeros((n_wanted, n_joints), bool), np.zeros(n_wanted, bool)
        corrects = any(one.corrects for one in self.conditions.interventions)
        self._predicted = np.full_like(self._joints, np.nan) if corrects else self._raw_joints

    def _keep(self, step: Step) -> None:
        """Record the next frame."""
        t = len(self._crops)
        self._heatmaps[t], self._kernels[t] = step.heatmaps, step.kernels
        self._raw_joints[t] = step.raw_joints
        self._joints[t] = step.joints
        self._scores[t] = step.scores
        self._predicted[t] = step.raw_joints
        if step.marks is not None:
            self._predicted[t], self._corrected[t], self._hidden[t] = step.marks
        self._looks[t], self._counted[t], self._strange[t] = step.look, step.counted, step.strange
        if step.searched:
            self._passes[t] = step.extra_passes
        if step.reinitialised is not None:
            self.reinitialised.append(step.reinitialised)
        if step.dropped:
            self.dropped.append(t)
        self._crops.append(step.crop)  # last, so that len(self) only counts complete frames

    def _step(self, t: int) -> Step:
        """Return frame t as reported by the tracker."""
        return Step(
            self._crops[t], self._heatmaps[t], self._kernels[t], self._raw_joints[t], self._joints[t], self._scores[t],
            next((one for one in self.reinitialised if one.frame == t), None),
            dropped=t in self.dropped, marks=Marks(self._predicted[t], self._corrected[t], self._hidden[t]),
            look=self._looks[t], counted=self._counted[t], strange=bool(self._strange[t]),
        )  # fmt: skip

    def _copy_frames(self, base: Record, stop: int) -> None:
        """Copy the frames before ``stop`` from another run, as the first frames here."""
        for name in self._ARRAYS:
            getattr(self, name)[:stop] = getattr(base, name)[:stop]
        self._crops = base._crops[:stop]
        self._copy_events(base, stop)

    def _copy_events(self, base: Record, stop: int) -> None:
        self.reinitialised = [one for one in base.reinitialised if one.frame < stop]
        self.dropped = [t for t in base.dropped if t < stop]
        self._passes = {t: passes for t, passes in dict(base._passes).items() if t < stop}

    # --- recorded data -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number T of frames traced so far."""
        self._check_open()
        return len(self._crops)

    @property
    def complete(self) -> bool:
        """Whether all ``n_wanted`` frames are traced."""
        return len(self) == self.n_wanted

    @property
    def origin(self) -> int:
        """Frame in which the run starts, with the person's box: 0, except in a :class:`~dkd.TwoWayTrace`."""
        return 0

    @property
    def n_traced(self) -> int:
        """Number of frames traced so far, also those that ``len()`` does not count yet: see ``TwoWayTrace``."""
        return len(self)

    @property
    def traced_frames(self) -> range:
        """Frames traced so far: a run in progress has them, one after the other, around :attr:`origin`."""
        return range(len(self))

    @property
    def latest(self) -> int | None:
        """Frame that was traced last; ``None`` before the first one. For a picture of a run in progress."""
        return len(self) - 1 if len(self) else None

    @property
    def partial_joints(self) -> np.ndarray:
        """Joints (``n_wanted``, J, 2) of a run in progress: NaN in frames that are not traced yet."""
        self._check_open()
        return self._joints

    @property
    def times(self) -> np.ndarray:
        """Times (T,) in seconds from the clip's start."""
        return self.clip.times[: len(self)]

    @property
    def joints(self) -> np.ndarray:
        """Joints (T, J, 2) float32 x, y in pixels of the frame; smoothed if the conditions say so."""
        return self._joints[: len(self)]

    @property
    def raw_joints(self) -> np.ndarray:
        """Joints (T, J, 2) before smoothing: the maps' peaks, or corrections, which the crop follows."""
        return self._raw_joints[: len(self)]

    @property
    def predicted_joints(self) -> np.ndarray:
        """Joints (T, J, 2) that the model predicts in this run, before corrections and smoothing: the maps' peaks."""
        return self._predicted[: len(self)]

    @property
    def corrected(self) -> np.ndarray:
        """(T, J) bool, True where :attr:`raw_joints` is a correction, not the model's prediction."""
        return self._corrected[: len(self)]

    @property
    def hidden(self) -> np.ndarray:
        """(T, J) bool, True where a person marked the joint as hidden."""
        return self._hidden[: len(self)]

    @property
    def counted(self) -> np.ndarray:
        """(T, J) bool, whether a joint can be a part of the body that was seen before.

        False where it is faint, moved faster or makes a limb longer than a body can (:mod:`dkd.tracking.body`), and in
        :attr:`strange` frames.
        """
        return self._counted[: len(self)]

    @property
    def strange(self) -> np.ndarray:
        """(T,) bool, whether the joints look like somebody else (:mod:`dkd.tracking.appearance`), or most jumped."""
        return self._strange[: len(self)]

    @property
    def scores(self) -> np.ndarray:
        """Heights (T, J) float32 of the maps' peaks, about 0..1; of corrected joints 1, of hidden ones 0."""
        return self._scores[: len(self)]

    @property
    def calibrated(self) -> bool:
        """Whether :attr:`confidence` is a probability: the model's checkpoint has a calibration (``calibration``)."""
        return self.calibration is not None

    @property
    def confidence(self) -> np.ndarray:
        """Probability (T, J) float32 that the joint is within 0.1 × the larger side of the person's box.

        It is computed from the score by the model's :class:`~dkd.models.confidence.Calibration`. In a model without
        calibration these are the scores, clipped to 0..1, and :attr:`calibrated` is false. That of a joint marked as
        hidden is 0.
        """
        values = confidence(self.scores, self.calibration)
        values[self.hidden] = 0
        return values

    @property
    def extra_passes(self) -> int:
        """Number of network passes for searches, beyond one per frame."""
        self._check_open()
        return sum(self._passes.values())

    def from_initializer(self, t: int) -> bool:
        """Whether frame t's maps are not matched.

        They come from the initializer in the frame :attr:`origin` and after a re-initialisation (``reinitialised``),
        and from the previous frame if t was dropped (``dropped``).
        """
        return t == self.origin or t in self.dropped or any(one.frame == t for one in self.reinitialised)

    def previous(self, t: int) -> int | None:
        """Return the frame whose kernels are matched in frame t: t − 1, or t + 1 where a run goes backwards in time.

        ``None`` if frame t's maps are not matched (:meth:`from_initializer`).
        """
        if self.from_initializer(self._index(t)):
            return None
        return t - 1 if t > self.origin else t + 1

    @property
    def heatmaps(self) -> np.ndarray:
        """Maps H_t (T, J, H, W) float32; :meth:`from_initializer` tells which come from the initializer."""
        return self._heatmaps[: len(self)]

    @property
    def kernels(self) -> np.ndarray:
        """Kernels K̃_t (T, C, S, S) float32, distilled *from* frame t; C = 0 in a model without kernels.

        They are matched in the next frame of the run, which is t + 1, or t − 1 where it goes backwards in time:
        :meth:`previous` is the inverse.
        """
        return self._kernels[: len(self)]

    @property
    def crops(self) -> list[Crop]:
        """T squares of the frame that the network saw."""
        self._check_open()
        return self._crops

    @property
    def ground_truth(self) -> np.ndarray | None:
        """Ground truth (T, J, 2) in pixels, or ``None``."""
        return None if self._ground_truth is None else self._ground_truth[: len(self)]

    # --- measures over time ------------------------------------------------------------------------------------------

    def speed(self) -> np.ndarray:
        """Compute the speed (T, J) from the previous frame in pixels per second; 0 in frame 0."""
        out = np.zeros(self.scores.shape, np.float32)
        if len(self) > 1:
            step = np.linalg.norm(np.diff(self.joints, axis=0), axis=-1)
            out[1:] = step / np.maximum(np.diff(self.times), 1e-6)[:, None]
        return out

    def kernel_drift(self) -> np.ndarray:
        """Compute 1 − cos(K̃_t, K̃_{t−1}), (T,) in 0..2, channels as one vector; 0 in frame 0 or without kernels."""
        out = np.zeros(len(self), np.float32)
        if not self._kernels.size:
            return out
        for t in range(1, len(self)):  # one frame at a time: the kernels of a long trace are on disk
            a, b = self._kernels[t].ravel(), self._kernels[t - 1].ravel()
            out[t] = 1 - a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
        return out

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy table with one row per joint per frame: ``frame, time_s, joint, x, y, score``."""
        import pandas as pd

        n, joints = len(self), self.skeleton.joints
        return pd.DataFrame(
            {
                "frame": np.repeat(np.arange(n), len(joints)),
                "time_s": np.repeat(self.times, len(joints)),
                "joint": np.tile(np.array(joints), n),
                "x": self.joints[..., 0].ravel(),
                "y": self.joints[..., 1].ravel(),
                "score": self.scores.ravel(),
            }
        )

    # --- closing -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Free maps and kernels (and temporary files)."""
        self._closed = True
        self._heatmaps = self._kernels = np.zeros((0,), np.float32)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("this trace was closed and its data were freed; create a new one")

    def _index(self, t: int) -> int:
        if not 0 <= t < len(self):
            raise FrameIndexError(f"frame {t} is outside the trace's frames 0..{len(self) - 1}")
        return int(t)

    def __repr__(self) -> str:
        length = f"{len(self._crops)}" + ("" if len(self._crops) == self.n_wanted else f" of {self.n_wanted} (stopped)")
        state = "closed" if self._closed else f"{length} frames"
        return f"<Trace of {self.clip.name!r} by {self.model_name}: {state}, {self.skeleton.name}>"
