"""Perturbations of the network's input, to test a model when the current frame has little information.

Each is a pure function of the network's input and the frame's index: ``(image (N, N, 3) uint8 RGB, t) → (N, N, 3)
uint8``, deterministic in its arguments. **Frame 0 stays clean**: the past has the pose, the current frame does not, so
a model that uses its past can continue. Lengths are shares of N, so that models with larger inputs get the same
picture. All sizes are ours: the paper has no such test.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from dkd.pose.crops import PADDING_GREY, joints_to_box

Corruption = Callable[[np.ndarray, int], np.ndarray]

OCCLUDER_SIDE = 1 / 3  # of the input: hides a trunk or two limbs of a person who fills 1/1.4 of it, never all
OCCLUDER_CENTRE = (0.25, 0.75)  # range in x and y, as shares of the input: where the person is
OCCLUDER_STAYS = 5  # frames in one place: too long to extrapolate the motion, short enough for many positions per clip
BLUR_SIGMA = 1 / 64  # of the input: 4 pixels of 256; a forearm stays visible, the position of the wrist does not
DARK_GAIN = 0.25  # remaining share of the light: two stops less, with 8-bit steps that are four times as coarse

CROWD_HEIGHT = 0.6  # of the input: about as large as the tracked person
CROWD_CROSSES_IN = 24  # frames from one side to the other, about a second
CROWD_FRAMES = 48  # number of frames of the sample clip, which are repeated

_SEED = 2019


def occlude(image: np.ndarray, t: int) -> np.ndarray:
    """Cover a ninth of the input with a grey square (the grey used outside the frame), from frame 1 on.

    It stays for five frames, then jumps; its centre is drawn uniformly from the middle half of the input, so it may
    hide any part of the person. Positions depend only on t: all models and all clips get the same ones.
    """
    if t == 0:
        return image
    size = image.shape[0]
    centre = np.random.default_rng((_SEED, (t - 1) // OCCLUDER_STAYS)).uniform(*OCCLUDER_CENTRE, 2) * size
    side = round(OCCLUDER_SIDE * size)
    left, top = (int(round(c - side / 2)) for c in centre)
    out = image.copy()
    out[max(top, 0) : top + side, max(left, 0) : left + side] = PADDING_GREY
    return out


def blur(image: np.ndarray, t: int) -> np.ndarray:
    """Blur the whole input from frame 1 on: a Gaussian with σ = N/64, 4 pixels of 256."""
    if t == 0:
        return image
    return cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA * image.shape[0], borderType=cv2.BORDER_REPLICATE)


def darken(image: np.ndarray, t: int) -> np.ndarray:
    """Reduce the light to a quarter from frame 1 on, also outside the frame."""
    if t == 0:
        return image
    return np.rint(image * DARK_GAIN).astype(np.uint8)


def crowd(image: np.ndarray, t: int) -> np.ndarray:
    """Let another person cross repeatedly in front, from left to right, from frame 1 on.

    It is the walking person of the rendered sample clip, cut out as a rectangle with background; it hides the tracked
    person when in front, and can be confused with that person when next to them.
    """
    if t == 0:
        return image
    size = image.shape[0]
    person = _sample_person(round(CROWD_HEIGHT * size))[(t - 1) % CROWD_FRAMES]
    height, width = person.shape[:2]
    left = round(((t - 1) % CROWD_CROSSES_IN + 0.5) / CROWD_CROSSES_IN * (size + width)) - width
    top = (size - height) // 2
    first, last = max(left, 0), min(left + width, size)
    out = image.copy()
    out[top : top + height, first:last] = person[:, first - left : last - left]
    return out


@lru_cache(maxsize=4)
def _sample_person(height: int) -> list[np.ndarray]:
    """Cut out the sample clip's person around the joints, (height, W, 3) uint8 in each of the first frames."""
    from dkd.video.clip import Clip
    from dkd.video.samples import get_sample

    sample = get_sample("rendered_walk")
    joints = sample.joints()
    assert joints is not None, "the rendered sample has known joints"
    with Clip(sample.path) as clip:
        people = []
        for t in range(CROWD_FRAMES):
            box = joints_to_box(joints[t])
            assert box is not None
            margin = 0.1 * (box[3] - box[1])
            x0, y0 = (max(round(v - margin), 0) for v in box[:2])
            x1, y1 = (round(v + margin) for v in box[2:])
            cut = clip.frame(t)[y0:y1, x0:x1]
            width = round(height * cut.shape[1] / cut.shape[0])
            people.append(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA))
    return people
