"""What is done to the pixels that a network sees, to ask what it does when the present says little.

Each is a pure function of the network's input and the frame's index: ``(image (N, N, 3) uint8 RGB, t) → (N, N, 3)
uint8``, always the same for the same arguments. **Frame 0 stays clean**: the past knows the pose, the present does not,
so a model that uses its past can go on. Lengths are shares of N: a model with larger inputs sees the same picture.
All sizes are ours: the paper has no such test.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from dkd.crops import PADDING_GREY

Corruption = Callable[[np.ndarray, int], np.ndarray]

OCCLUDER_SIDE = 1 / 3  # of the input: hides a trunk or two limbs of a person who fills 1/1.4 of it, never the whole
OCCLUDER_CENTRE = (0.25, 0.75)  # range in x and y, as shares of the input: where the person is
OCCLUDER_STAYS = 5  # frames in one place: too long to be bridged by one frame's motion, short enough to need no luck
BLUR_SIGMA = 1 / 64  # of the input: 4 pixels of 256; a forearm is left, the wrist's place on it is not
DARK_GAIN = 0.25  # what is left of the light: two stops less, with the 8 bits' steps four times as coarse

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
