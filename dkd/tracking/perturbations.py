"""What is done to the pixels that a network sees, to ask what it does when the present says little.

Each is a pure function of the network's input and the frame's index: ``(image (N, N, 3) uint8 RGB, t) → (N, N, 3)
uint8``, always the same for the same arguments. **Frame 0 stays clean**: the past knows the pose, the present does not,
so a model that uses its past can go on. Lengths are shares of N: a model with larger inputs sees the same picture.
All sizes are ours: the paper has no such test.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from dkd.pose.crops import PADDING_GREY, joints_to_box

Corruption = Callable[[np.ndarray, int], np.ndarray]

OCCLUDER_SIDE = 1 / 3  # of the input: hides a trunk or two limbs of a person who fills 1/1.4 of it, never the whole
OCCLUDER_CENTRE = (0.25, 0.75)  # range in x and y, as shares of the input: where the person is
OCCLUDER_STAYS = 5  # frames in one place: too long to be bridged by one frame's motion, short enough to need no luck
BLUR_SIGMA = 1 / 64  # of the input: 4 pixels of 256; a forearm is left, the wrist's place on it is not
DARK_GAIN = 0.25  # what is left of the light: two stops less, with the 8 bits' steps four times as coarse

CROWD_HEIGHT = 0.6  # of the input: about as large as the person who is followed
CROWD_CROSSES_IN = 24  # frames from one side to the other, about a second
CROWD_FRAMES = 48  # of the sample clip, its first ones; then they begin anew

_SEED = 2019


def occlude(image: np.ndarray, t: int) -> np.ndarray:
    """A grey square (the grey that lies outside the frame) over a ninth of the input, from frame 1 on.

    It stays for five frames, then jumps; its centre is drawn evenly from the middle half of the input, so it may hide
    any part of the person. Places depend on t alone: all models and all clips get the same.
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
    """The whole input out of focus from frame 1 on: a Gaussian with σ = N/64, 4 pixels of 256."""
    if t == 0:
        return image
    return cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA * image.shape[0], borderType=cv2.BORDER_REPLICATE)


def darken(image: np.ndarray, t: int) -> np.ndarray:
    """A quarter of the light from frame 1 on; also outside the frame."""
    if t == 0:
        return image
    return np.rint(image * DARK_GAIN).astype(np.uint8)


def crowd(image: np.ndarray, t: int) -> np.ndarray:
    """Another person crosses in front from frame 1 on, from left to right again and again: a second one in the crop.

    It is the rendered sample clip's, walking, cut out as a rectangle with what is behind; in front of the person who is
    followed it hides, beside it is somebody else to mistake for.
    """
    if t == 0:
        return image
    size = image.shape[0]
    person = _somebody(round(CROWD_HEIGHT * size))[(t - 1) % CROWD_FRAMES]
    height, width = person.shape[:2]
    left = round(((t - 1) % CROWD_CROSSES_IN + 0.5) / CROWD_CROSSES_IN * (size + width)) - width
    top = (size - height) // 2
    first, last = max(left, 0), min(left + width, size)
    out = image.copy()
    out[top : top + height, first:last] = person[:, first - left : last - left]
    return out


@lru_cache(maxsize=4)
def _somebody(height: int) -> list[np.ndarray]:
    """The sample clip's person, (height, W, 3) uint8 in each of its first frames, about its joints."""
    from dkd.video.clip import Clip
    from dkd.video.samples import get_sample

    sample = get_sample("rendered_walk")
    joints = sample.joints()
    assert joints is not None, "the rendered sample knows its joints"
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
