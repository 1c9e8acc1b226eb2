"""What a trace keeps of every frame, and measures of it over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dkd.errors import ClosedError, FrameIndexError
from dkd.models.confidence import Calibration
from dkd.pose.crops import Crop
from dkd.tracking.recompute import Recomputed
from dkd.tracking.reinitialise import Reinitialised
from dkd.tracking.storage import zeros
from dkd.tracking.tracker import Step, confidence

if TYPE_CHECKING:
    import pandas as pd


class Record(Recomputed):
    """The frames of a run that were tracked so far: arrays whose first axis is T, the frame.

    Attributes:
        n_wanted: number of frames that it has once it is complete.
        calibration: of the model's scores when the run was made, or ``None``.
        reinitialised: the frames in which the model was re-initialised, each with its reason.
        dropped: the frames that an intervention dropped.
    """

    calibration: Calibration | None
    _ground_truth: np.ndarray | None

    def _make_room(self, n_wanted: int) -> None:
        """Have no frames yet, and room for those that are wanted."""
        self.n_wanted = n_wanted
        n_joints, size = len(self.skeleton), self.model.map_size
        self._heatmaps, self._kernels = zeros(
            (n_wanted, n_joints, size, size), (n_wanted, *self.model.kernel_shape)
        )  # fmt: skip
        self._joints = np.full((n_wanted, n_joints, 2), np.nan, np.float32)
        self._raw_joints = self._joints if self.conditions.smooth is None else np.full_like(self._joints, np.nan)
        self._scores = np.zeros((n_wanted, n_joints), np.float32)
        self._crops: list[Crop] = []
        self.reinitialised: list[Reinitialised] = []
        self.dropped: list[int] = []
        self._passes: dict[int, int] = {}  # that a search took, by its frame
        self._closed = False

    def _keep(self, step: Step) -> None:
        """Record the next frame."""
        t = len(self._crops)
        self._heatmaps[t], self._kernels[t] = step.heatmaps, step.kernels
        self._raw_joints[t] = step.raw_joints
        self._joints[t] = step.joints
        self._scores[t] = step.scores
        if step.searched:
            self._passes[t] = step.extra_passes
        if step.reinitialised is not None:
            self.reinitialised.append(step.reinitialised)
        if step.dropped:
            self.dropped.append(t)
        self._crops.append(step.crop)  # last: len(self) counts whole frames only

    def _step(self, t: int) -> Step:
        """Frame t, as the tracker reported it."""
        return Step(
            self._crops[t], self._heatmaps[t], self._kernels[t], self._raw_joints[t], self._joints[t], self._scores[t],
            dropped=t in self.dropped,
        )  # fmt: skip

    def _copy_frames(self, base: Record, stop: int) -> None:
        """Take over the frames before ``stop``, the first ones here, of another run."""
        for name in ("_heatmaps", "_kernels", "_joints", "_raw_joints", "_scores"):
            getattr(self, name)[:stop] = getattr(base, name)[:stop]
        self._crops = base._crops[:stop]
        self._copy_events(base, stop)

    def _copy_events(self, base: Record, stop: int) -> None:
        self.reinitialised = [one for one in base.reinitialised if one.frame < stop]
        self.dropped = [t for t in base.dropped if t < stop]
        self._passes = {t: passes for t, passes in dict(base._passes).items() if t < stop}

    # --- what was kept -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Number T of frames traced so far."""
        self._check_open()
        return len(self._crops)

    @property
    def complete(self) -> bool:
        """All wanted frames (``n_wanted``) are traced."""
        return len(self) == self.n_wanted

    @property
    def times(self) -> np.ndarray:
        """(T,) seconds from the clip's start."""
        return self.clip.times[: len(self)]

    @property
    def joints(self) -> np.ndarray:
        """(T, J, 2) float32 x, y in pixels of the frame; smoothed, where the conditions say so."""
        return self._joints[: len(self)]

    @property
    def raw_joints(self) -> np.ndarray:
        """(T, J, 2) the joints before smoothing: the maps' peaks, which the crop follows."""
        return self._raw_joints[: len(self)]

    @property
    def scores(self) -> np.ndarray:
        """(T, J) float32 height of each map's peak, about 0..1."""
        return self._scores[: len(self)]

    @property
    def calibrated(self) -> bool:
        """Whether :attr:`confidence` is a probability: the model's checkpoint has a calibration (``calibration``)."""
        return self.calibration is not None

    @property
    def confidence(self) -> np.ndarray:
        """(T, J) float32 in 0..1: the probability that the joint lies within 0.1 × the larger side of the person's box.

        It is read off the score by the model's :class:`~dkd.models.confidence.Calibration`. A model without one has
        none: then these are the scores, clipped to 0..1, and :attr:`calibrated` is false.
        """
        return confidence(self.scores, self.calibration)

    @property
    def extra_passes(self) -> int:
        """Passes of the network beyond one per frame, which the searches for a lost person took."""
        self._check_open()
        return sum(self._passes.values())

    def from_initializer(self, t: int) -> bool:
        """Whether frame t's maps are not matched.

        They are the initializer's in frame 0 and where the model was re-initialised (``reinitialised``), and those of
        the frame before where t was dropped (``dropped``).
        """
        return t == 0 or t in self.dropped or any(one.frame == t for one in self.reinitialised)

    @property
    def heatmaps(self) -> np.ndarray:
        """(T, J, H, W) float32 H_t; the initializer's in frame 0 and where :meth:`from_initializer` says so."""
        return self._heatmaps[: len(self)]

    @property
    def kernels(self) -> np.ndarray:
        """(T, C, S, S) float32 K̃_t, distilled *from* frame t and matched *in* frame t+1; C = 0 in a model without."""
        return self._kernels[: len(self)]

    @property
    def crops(self) -> list[Crop]:
        """T squares of the frame that the network saw."""
        self._check_open()
        return self._crops

    @property
    def ground_truth(self) -> np.ndarray | None:
        """(T, J, 2) pixels, or ``None``."""
        return None if self._ground_truth is None else self._ground_truth[: len(self)]

    # --- measures over time ------------------------------------------------------------------------------------------

    def speed(self) -> np.ndarray:
        """(T, J) pixels per second from the frame before; 0 in frame 0."""
        out = np.zeros(self.scores.shape, np.float32)
        if len(self) > 1:
            step = np.linalg.norm(np.diff(self.joints, axis=0), axis=-1)
            out[1:] = step / np.maximum(np.diff(self.times), 1e-6)[:, None]
        return out

    def kernel_drift(self) -> np.ndarray:
        """(T,) 1 − cos(K̃_t, K̃_{t−1}), all channels as one vector; 0 to 2; 0 in frame 0 and without kernels."""
        out = np.zeros(len(self), np.float32)
        if not self._kernels.size:
            return out
        for t in range(1, len(self)):  # one frame at a time: a long trace's kernels lie on disk
            a, b = self._kernels[t].ravel(), self._kernels[t - 1].ravel()
            out[t] = 1 - a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
        return out

    def to_frame(self) -> pd.DataFrame:
        """A tidy table with one row per joint per frame: ``frame, time_s, joint, x, y, score``."""
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

    # --- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Free maps and kernels (and the temporary files). The clip stays open: it is the caller's."""
        self._closed = True
        self._heatmaps = self._kernels = np.zeros((0,), np.float32)

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("this trace was closed, and what it kept is gone; make a new one")

    def _index(self, t: int) -> int:
        if not 0 <= t < len(self):
            raise FrameIndexError(f"frame {t} is outside the trace's frames 0..{len(self) - 1}")
        return int(t)

    def __repr__(self) -> str:
        length = f"{len(self._crops)}" + ("" if len(self._crops) == self.n_wanted else f" of {self.n_wanted} (stopped)")
        state = "closed" if self._closed else f"{length} frames"
        return f"<Trace of {self.clip.name!r} by {self.model_name}: {state}, {self.skeleton.name}>"
