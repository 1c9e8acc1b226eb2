"""Measures of a diagnosis in each frame: jumps, flips, swapped sides, the crop's border, and reconstruction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from dkd.models.discriminator import frame_pairs
from dkd.pose.crops import Crop, joints_to_box
from dkd.pose.skeleton import Skeleton
from dkd.tracking.protocols import TraceLike

BOX_REACH = 15  # frames on either side for the box of a clip without ground truth


def box_sides(trace: TraceLike) -> np.ndarray:
    """Compute the larger side of the person's box (T,) in pixels, from the true joints, else from the predicted ones.

    Predictions may jump and must not rescale their own errors: without ground truth the result is therefore the median
    over ``BOX_REACH`` frames on either side (our decision). NaN if neither has two joints, or they coincide.
    """

    def sides(joints: np.ndarray) -> np.ndarray:
        boxes = [joints_to_box(frame) for frame in joints]
        found = np.array([np.nan if b is None else max(b[2] - b[0], b[3] - b[1]) for b in boxes])
        return np.where(found > 0, found, np.nan)

    predicted = sides(np.asarray(trace.joints, np.float64))
    padded = np.pad(predicted, BOX_REACH, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * BOX_REACH + 1)
    some = np.isfinite(windows).any(1)
    out = np.full(len(predicted), np.nan)
    out[some] = np.nanmedian(windows[some], 1)
    if trace.ground_truth is None:
        return out
    true = sides(np.asarray(trace.ground_truth, np.float64))
    return np.where(np.isfinite(true), true, out)


def jumps(acceleration: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Compute how much each step differs from the previous and the next step: the smaller of the two.

    Our definition: with speed alone, every fast movement would be a jump. Uniform motion gives 0, however fast; a joint
    at rest that is displaced by d in one frame, permanently or only in that frame, gives d.

    The first and the last step have one neighbour. Their value is how much longer they are than it, at least 0: their
    difference from it would also be large if only the neighbour were a jump.

    Args:
        acceleration: (T, J) ‖Δ²x‖ at the middle of three frames, NaN at both ends.
        speed: (T, J) ‖Δx‖ at the later frame of each step, NaN in frame 0.

    Returns:
        (T, J) at the later frame of each step; NaN in frame 0, and everywhere if T < 3.
    """
    before = np.full_like(acceleration, np.nan)
    before[1:] = acceleration[:-1]
    out = np.fmin(before, acceleration)
    out[:1] = np.nan
    last = len(out) - 1
    if last >= 2:
        for end, neighbour in ((1, 2), (last, last - 1)):
            out[end] = np.maximum(speed[end] - speed[neighbour], 0)
    return out


def flips(joints: np.ndarray, skeleton: Skeleton, side: np.ndarray) -> np.ndarray:
    """Find where swapping left and right continues the two tracks with clearly less motion.

    With K = ‖l_t − l_{t−1}‖ + ‖r_t − r_{t−1}‖ unchanged and S = ‖r_t − l_{t−1}‖ + ‖l_t − r_{t−1}‖ swapped, the result
    is max(0, K/2 − S): above 0 only if swapping more than halves the motion, and equal to the distance between the two
    if joints at rest swap places. (Our definition.)

    Args:
        joints: (T, J, 2) pixels.
        skeleton: skeleton of the axis J.
        side: (T,) length in pixels.

    Returns:
        (T, J) as a share of ``side``, the same for both joints of a pair, in the frame in which they swap places (and
        in the one in which they swap back); NaN for joints without a mirrored joint, and in frame 0.
    """
    out = np.full(joints.shape[:2], np.nan)
    mirror = np.array(skeleton.flip_permutation)
    pairs = np.flatnonzero(mirror != np.arange(len(mirror)))
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=-1)
    crossed = np.linalg.norm(joints[1:, mirror] - joints[:-1], axis=-1)
    kept, exchanged = (d + d[:, mirror] for d in (steps, crossed))
    saved = kept / 2 - exchanged
    out[1:, pairs] = (np.where(saved < 0, 0, saved) / side[1:, None])[:, pairs]
    return out


def swapped(joints: np.ndarray, truth: np.ndarray, skeleton: Skeleton, side: np.ndarray) -> np.ndarray:
    """Compute how much closer the two joints of a pair are to each other's true place than to their own.

    The result is the smaller of the two differences, or 0: both must be closer. For two joints that are exactly swapped
    it is the distance between them. Unlike :func:`dkd.measures.metrics.side_flips` it does not require a hit. (Our
    definition.)

    Returns:
        (T, J) as a share of ``side``, the same for both; NaN for joints without a mirrored joint, and without both
        labels.
    """
    mirror = np.array(skeleton.flip_permutation)
    nearer = np.linalg.norm(joints - truth, axis=-1) - np.linalg.norm(joints - truth[:, mirror], axis=-1)
    both = np.minimum(nearer, nearer[:, mirror])
    out = np.where(both < 0, 0, both) / side[:, None]
    out[:, mirror == np.arange(len(mirror))] = np.nan
    return out


def border(joints: np.ndarray, truth: np.ndarray | None, crops: Sequence[Crop], size: int) -> np.ndarray:
    """Compute the distance (T, J) of joints to the crop's border in cells; negative for a true joint outside."""

    def inside(points: np.ndarray) -> np.ndarray:
        at = np.stack([crop.to_grid(p, size) for crop, p in zip(crops, points, strict=True)]) + 0.5
        return np.minimum(at, size - at).min(-1)

    out = inside(joints)
    if truth is None:
        return out
    true = inside(truth)
    return np.where(true < 0, true, out)


@torch.inference_mode()
def reconstruction(trace: TraceLike, discriminator: Callable[[Tensor, Tensor], Tensor]) -> np.ndarray:
    """Compute the mean (D(d) − d)² over cells of each map change d, (T, J), at the later frame; NaN in frame 0.

    As in training (:mod:`dkd.training.losses`), d is scaled to a root mean square of 1, here over the clip. The crop
    follows the person, so map and picture of the previous frame are first resampled to the crop of the later frame (our
    decision).
    """
    n, size = len(trace), trace.heatmaps.shape[-1]
    out = np.full(trace.scores.shape, np.nan)

    def change(t: int) -> np.ndarray:
        before = _moved(trace.heatmaps[t - 1].transpose(1, 2, 0), trace.crops[t - 1], trace.crops[t])
        return np.asarray(trace.heatmaps[t]) - before.reshape(size, size, -1).transpose(2, 0, 1)

    power = [float(np.square(change(t), dtype=np.float64).mean()) for t in range(1, n)]
    scale = max(float(np.sqrt(np.mean(power))), 1e-12) if power else 1.0
    for t in range(1, n):
        before = _moved(trace.network_pixels(t - 1), trace.crops[t - 1], trace.crops[t])
        pixels = np.stack([before, trace.network_pixels(t)]).transpose(0, 3, 1, 2)
        pair = frame_pairs(torch.from_numpy(pixels)[None].float() / 255, size)
        d = torch.from_numpy(change(t) / np.float32(scale)).float()[None]
        out[t] = (discriminator(d, pair) - d).square().mean((-2, -1))[0].numpy()
    return out


def _moved(image: np.ndarray, old: Crop, new: Crop) -> np.ndarray:
    """Resample a picture (N, N, K) of the square ``old`` to the square ``new``; 0 where there is no data."""
    size = image.shape[0]
    corners = np.array([[0.0, 0.0], [1.0, 1.0]])
    (x0, y0), (x1, _) = new.to_grid(old.to_frame(corners, size), size)
    forward = np.array([[x1 - x0, 0, x0], [0, x1 - x0, y0]])
    planes = [
        cv2.warpAffine(np.ascontiguousarray(image[..., k]), forward, (size, size), flags=cv2.INTER_LINEAR)
        for k in range(image.shape[2])  # OpenCV warps at most 4 channels at a time
    ]
    return np.stack(planes, -1)
