"""Augmentation: make a training clip from a labelled person, with camera motion, other people, occluders, bad frames.

Scale, rotation, flip and window are drawn once per clip (as in Luo 2018), plus a small smooth motion. Difficulties that
make the *past* useful are drawn here too: later frames are occluded, blurred, darkened, or crossed by another person,
while the first frame is clean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from dkd.datasets.people import PersonSequence
from dkd.errors import ConfigError, DatasetError
from dkd.io.config import STRICT, check_ranges
from dkd.pose.crops import PADDING_GREY, joints_to_box
from dkd.pose.skeleton import get_skeleton

CROP_MARGIN = 1.25  # crop side = margin × the joints' extent × a draw from `scale`


@dataclass(frozen=True)
class AugmentConfig:
    """Settings of the augmentation. Probabilities are per clip, except ``degrade``, which is per frame after the first.

    Attributes:
        scale: range of the crop's side in units of CROP_MARGIN × extent.
        rotation: standard deviation in degrees, truncated at twice that; applied with probability 0.7.
        shift: standard deviation of the window's offset, as a share of its side.
        motion: size of the smooth camera motion within a clip (1: about 4 % of the side, 3° and 4 % in scale per
            frame).
        distractor: probability of another person in the clip, in front of the person or next to it.
        occluder: probability of a moving patch in front.
        company: probability of one or two other people of similar size, in the clip from its first frame to its
            last, next to the person or partly in front; what they look like is the only way to tell them apart.
        repeat: probability that all frames show the first one, without motion or degradation: then kernels have to find
            a pose in the picture that they were made from.
        degrade: probability that a frame is blurred, darkened, covered or replaced by the previous one; half of the
            frames after a degraded one are degraded in the same way.
    """

    __pydantic_config__ = STRICT

    scale: tuple[float, float] = (0.8, 1.45)
    rotation: float = 20.0
    shift: float = 0.05
    motion: float = 1.0
    distractor: float = 0.3
    occluder: float = 0.3
    company: float = 0.0
    repeat: float = 0.0
    degrade: float = 0.3

    def __post_init__(self) -> None:
        check_ranges(
            self, scale=(0.05, 20), rotation=(0, 180), shift=(0, 2), motion=(0, 20), distractor=(0, 1), occluder=(0, 1),
            degrade=(0, 1),
        )  # fmt: skip
        if self.scale[0] > self.scale[1]:
            raise ConfigError(f"expected scale as smallest and largest, got {self.scale}")


@dataclass(frozen=True)
class ClipSample:
    """One training clip.

    Attributes:
        frames: (T, N, N, 3) uint8 RGB.
        joints: (T, J, 2) float32 pixel indices of the N×N frames; NaN where unlabelled, infinite outside the frame.
        visible: (T, J) bool; False where a label says that the joint is hidden. Joints that are covered by augmentation
            stay visible: the model should learn to locate them from the past.
    """

    frames: np.ndarray
    joints: np.ndarray
    visible: np.ndarray


def _smooth_walk(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw a smooth path (n,) of order 1 that starts at 0: an accelerated motion that may reverse once."""
    t = np.arange(n) / 4.0
    return rng.normal() * t * 0.7 + rng.normal() * t**2 * 0.25 if n > 1 else np.zeros(1)


def _window(centre: np.ndarray, side: float, degrees: float, size: int) -> np.ndarray:
    """Return the 2×3 affine from image indices to an N×N grid: a rotated square around ``centre`` (continuous)."""
    scale, angle = size / side, np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # index + 0.5 is continuous: out + 0.5 = linear·(in + 0.5 − centre) + size/2
    return np.column_stack([linear, linear @ (0.5 - centre) + size / 2 - 0.5])


def _apply(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ affine[:, :2].T + affine[:, 2]


def _warp(image: np.ndarray, affine: np.ndarray, size: int, border: int) -> np.ndarray:
    scale = np.sqrt(abs(np.linalg.det(affine[:, :2])))
    if scale < 0.6:  # warpAffine does not low-pass: blur first
        image = cv2.GaussianBlur(image, (0, 0), 0.5 / scale)
    return cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=(PADDING_GREY,) * 3 + (0,)
    )


def _paste(frame: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return (frame * (1 - alpha) + rgba[..., :3] * alpha).astype(np.uint8)


def _colour_jitter(rng: np.random.Generator, frames: np.ndarray) -> np.ndarray:
    gain = rng.uniform(0.7, 1.3) * rng.uniform(0.9, 1.1, 3)
    table = np.arange(256, dtype=np.float32)[:, None] * gain + rng.uniform(-25, 25)
    table = 255 * (np.clip(table, 0, 255) / 255) ** rng.uniform(0.75, 1.35)
    # One tall image in one call: OpenCV's table look-up is ten times faster than NumPy's indexing.
    n_frames, size = frames.shape[:2]
    frames = cv2.LUT(frames.reshape(n_frames * size, size, 3), table.astype(np.uint8)[None])
    if rng.random() < 0.1:
        frames = cv2.cvtColor(cv2.cvtColor(frames, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return frames.reshape(n_frames, size, size, 3)


_BAD_FRAMES = ("blur", "dark", "noise", "cover", "cover", "motion", "freeze")
_BAD_FRAMES_GO_ON = 0.5  # probability that the frame after a degraded one is degraded in the same way


def _degrade_later_frames(rng: np.random.Generator, clip: np.ndarray, points: np.ndarray, share: float) -> None:
    """Degrade later frames of a clip, in place. Bad frames come in runs: what one hides, the next may hide too."""
    kind = ""
    for k in range(1, len(clip)):
        if not (kind and rng.random() < _BAD_FRAMES_GO_ON):
            kind = str(rng.choice(_BAD_FRAMES)) if rng.random() < share else ""
        if kind:
            clip[k] = _degrade(rng, kind, clip[k], points[k], clip[k - 1])


def _degrade(
    rng: np.random.Generator, kind: str, frame: np.ndarray, joints: np.ndarray, previous: np.ndarray
) -> np.ndarray:
    size = len(frame)
    if kind == "blur":
        return cv2.GaussianBlur(frame, (0, 0), rng.uniform(1.5, 5) * size / 256)
    if kind == "dark":
        return (frame * rng.uniform(0.08, 0.4)).astype(np.uint8)
    if kind == "noise":
        return np.clip(frame + rng.normal(0, rng.uniform(10, 45), frame.shape), 0, 255).astype(np.uint8)
    if kind == "motion":
        length = int(rng.integers(5, 21) * size / 256) | 1
        line = cv2.warpAffine(
            np.eye(1, length, length // 2, dtype=np.float32).repeat(length, 0),
            cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1),
            (length, length),
        )
        return cv2.filter2D(frame, -1, line / max(line.sum(), 1e-6))
    if kind == "freeze":  # a dropped frame: the previous one is shown again
        return previous.copy()
    out = frame.copy()
    labelled = joints[np.isfinite(joints).all(-1)]
    for _ in range(int(rng.integers(1, 4))):
        centre = labelled[rng.integers(len(labelled))] if len(labelled) else np.full(2, size / 2)
        half = rng.uniform(0.04, 0.16, 2) * size
        (x0, y0), (x1, y1) = (np.clip(centre + s * half, 0, size).astype(int) for s in (-1, 1))
        out[y0:y1, x0:x1] = rng.integers(0, 256, 3)
    return out


def make_clip(
    person: PersonSequence,
    frame_indices: list[int],
    size: int,
    rng: np.random.Generator,
    config: AugmentConfig,
    other: PersonSequence | None = None,
    company: Sequence[PersonSequence] = (),
) -> ClipSample:
    """Draw one training clip.

    Args:
        person: the person to follow.
        frame_indices: T indices into its images (all 0 for a still).
        size: side N of the result in pixels.
        rng: the only source of randomness: the same state gives the same clip.
        config: what is drawn.
        other: a person who crosses the picture, pasted as a rectangle with soft edges.
        company: people of whom one or two stay with the person, see :class:`AugmentConfig`.
    """
    if config.repeat and rng.random() < config.repeat:  # no draw without the setting: old recipes stay the same
        frame_indices = frame_indices[:1] * len(frame_indices)
        config = replace(config, motion=0, distractor=0, occluder=0, degrade=0)
    n_frames, joints_in = len(frame_indices), person.joints[frame_indices]
    extent = float(np.median([person.extent(t) for t in frame_indices]))
    side = CROP_MARGIN * extent * rng.uniform(*config.scale)
    centres = _box_centres(person, frame_indices)
    angle = float(np.clip(rng.normal(0, config.rotation), -2 * config.rotation, 2 * config.rotation))
    angle *= rng.random() < 0.7
    offset = rng.normal(0, config.shift, 2) * side
    pan = np.stack([_smooth_walk(rng, n_frames), _smooth_walk(rng, n_frames)], 1) * 0.04 * side * config.motion
    turn = _smooth_walk(rng, n_frames) * 3 * config.motion
    zoom = np.exp(np.clip(_smooth_walk(rng, n_frames) * 0.04 * config.motion, -0.3, 0.3))
    flip = rng.random() < 0.5

    images = {t: person.images[t] for t in set(frame_indices)}  # they may be on disk: read each once
    border = cv2.BORDER_CONSTANT if rng.random() < 0.6 else cv2.BORDER_REFLECT
    frames, joints = [], []
    for k, t in enumerate(frame_indices):
        affine = _window(centres[k] + offset + pan[k], side * zoom[k], angle + turn[k], size)
        frames.append(_warp(images[t], affine, size, border))
        joints.append(_apply(affine, joints_in[k]))
    clip = np.stack(frames)
    points = np.stack(joints).astype(np.float32)
    visible = np.ones(points.shape[:2], bool) if person.visible is None else person.visible[frame_indices].copy()
    if other is not None and rng.random() < config.distractor:
        clip = _add_person(rng, clip, other, extent / side * size)
    if company and config.company and rng.random() < config.company:
        for one in company[: int(rng.integers(1, len(company) + 1))]:
            clip = _add_company(rng, clip, one, extent / side * size)
    if rng.random() < config.occluder:
        clip = _add_occluder(rng, clip)
    if flip:
        clip = np.ascontiguousarray(clip[:, :, ::-1])
        points[..., 0] = size - 1 - points[..., 0]
        mirrored = list(get_skeleton(person.skeleton).flip_permutation)
        points, visible = points[:, mirrored], visible[:, mirrored]
    clip = _colour_jitter(rng, clip)
    _degrade_later_frames(rng, clip, points, config.degrade)
    points[(points < -0.5).any(-1) | (points > size - 0.5).any(-1)] = np.inf  # outside: trained to an all-zero map
    return ClipSample(clip, points, visible)


def _box_centres(person: PersonSequence, indices: list[int]) -> np.ndarray:
    """Return the centre (T, 2) of the person's box, else of the box of its joints; continuous coordinates."""
    if person.boxes is not None:
        boxes = person.boxes[indices]
        return (boxes[:, :2] + boxes[:, 2:]) / 2 + 0.5
    joints = person.joints[indices]
    found = [joints_to_box(j) for j in joints]
    known = [((b[0] + b[2]) / 2 + 0.5, (b[1] + b[3]) / 2 + 0.5) for b in found if b is not None]
    if not known:
        raise DatasetError(f"expected a labelled joint of {person.name} in frames {indices}, found none")
    mean = np.mean(known, axis=0)  # used for frames without labels
    return np.array([mean if b is None else ((b[0] + b[2]) / 2 + 0.5, (b[1] + b[3]) / 2 + 0.5) for b in found])


def _add_company(rng: np.random.Generator, clip: np.ndarray, other: PersonSequence, extent: float) -> np.ndarray:
    """Paste another person of similar size who is there from the first frame on, and moves slowly."""
    n_frames, size = clip.shape[:2]
    rgba = _cut_out(other, 0)
    if rgba is None:
        return clip
    if rng.random() < 0.5:
        rgba = cv2.flip(rgba, 1)
    side = rng.choice([-1, 1])
    first = np.array([side * rng.uniform(0.25, 0.7), rng.normal(0, 0.06)]) * extent + size / 2
    speed = np.array([rng.normal(-0.02 * side, 0.05), rng.normal(0, 0.02)]) * extent
    scale = extent * rng.uniform(0.8, 1.2) / other.extent(0)
    middle = np.flatnonzero(rgba[..., 3].any(0)).mean(), np.flatnonzero(rgba[..., 3].any(1)).mean()
    out = clip.copy()
    for k in range(n_frames):
        affine = np.column_stack([np.eye(2) * scale, first + speed * k - scale * np.array(middle)])
        out[k] = _paste(out[k], _warp(rgba, affine, size, cv2.BORDER_CONSTANT))
    return out


def _add_person(rng: np.random.Generator, clip: np.ndarray, other: PersonSequence, extent: float) -> np.ndarray:
    """Paste another person of similar size, passing next to or in front; not in the middle in the first frame."""
    n_frames, size = clip.shape[:2]
    scale = extent * rng.uniform(0.7, 1.2) / other.extent(0)
    side = rng.choice([-1, 1])
    first = np.array([side * rng.uniform(0.4, 0.75), rng.normal(0, 0.08)]) * extent + size / 2
    speed = np.array([rng.normal(-0.05 * side, 0.06), rng.normal(0, 0.02)]) * extent  # more often towards than away
    start = int(rng.integers(len(other.images)))
    out = clip.copy()
    rgba, shown = None, -1
    for k in range(n_frames):
        t = min(start + k, len(other.images) - 1)
        if t != shown:  # read a still once
            rgba, shown = _cut_out(other, t), t
        if rgba is None:
            return out
        middle = other.joints[t][np.isfinite(other.joints[t]).all(-1)].mean(0)
        affine = np.column_stack([np.eye(2) * scale, first + speed * k - scale * middle])
        out[k] = _paste(out[k], _warp(rgba, affine, size, cv2.BORDER_CONSTANT))
    return out


def _cut_out(person: PersonSequence, t: int) -> np.ndarray | None:
    """Cut out frame t as (H, W, 4) uint8, alpha a feathered rectangle around the joints; ``None`` without joints."""
    image, joints = person.images[t], person.joints[t]
    labelled = joints[np.isfinite(joints).all(-1)]
    if len(labelled) < 2:
        return None
    margin = 0.08 * person.extent(t)
    (x0, y0), (x1, y1) = (
        np.maximum(labelled.min(0) - margin, 0).astype(int),
        np.maximum(labelled.max(0) + margin, 1).astype(int),
    )
    alpha = np.zeros(image.shape[:2], np.uint8)
    alpha[y0:y1, x0:x1] = 255
    return np.dstack([image, cv2.blur(alpha, (7, 7))])


def _add_occluder(rng: np.random.Generator, clip: np.ndarray) -> np.ndarray:
    """Paste a plain or textured patch that moves across, from the second frame on: the first one stays clean."""
    n_frames, size = clip.shape[:2]
    width, height = (int(v) for v in rng.uniform(0.08, 0.4, 2) * size)
    if rng.random() < 0.5:
        texture = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    else:
        y, x = rng.integers(0, size - height), rng.integers(0, size - width)
        texture = clip[0, y : y + height, x : x + width].copy()
    position, speed = rng.uniform(0.15, 0.6, 2) * size, rng.normal(0, 0.05, 2) * size
    out = clip.copy()
    for k in range(1 if n_frames > 1 else 0, n_frames):
        x0, y0 = np.clip(position + speed * k, 0, size - 1).astype(int)
        patch = texture[: size - y0, : size - x0]
        out[k, y0 : y0 + patch.shape[0], x0 : x0 + patch.shape[1]] = patch
    return out
