"""How a tracked person looks: colours at places on the body, compared with those that are remembered. This is ours.

Somebody who crosses in front, or a neighbour to whom the track has moved, wears other clothes. Colours at places
between the joints (chest, thighs, arms, head) are enough to notice this, cheap, and can be shown. They cannot tell
people in the same clothes apart.
"""

from __future__ import annotations

import cv2
import numpy as np

from dkd.pose.skeleton import Skeleton

# Places on a body: each a mixture of joints. Without a joint of them in a skeleton, the place is left out.
_TRUNK = [(down, across) for down in (0.25, 0.6, 0.9) for across in (0.25, 0.75)]
_MIDDLES = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"))
]
PATCH = 0.02  # half a side of the patch of which a place's colour is the mean, as a share of the picture's side
LIGHT = 0.5  # weight of lightness beside the two axes of colour: shadows change it most

# Difference of colours (CIE Lab) above which a person counts as somebody else: colours that everybody would call
# different. On filmed clips of one person, nineteen of twenty frames are below 7.
STRANGE = 10.0
ALIKE = 7.0  # and below which a person who was searched for is taken for the same one
ADAPTS_S = 1.0  # seconds over which the remembered colours adapt


def places(skeleton: Skeleton) -> np.ndarray:
    """Return weights (P, J) with which joints are mixed to P places on the body."""
    rows = []
    corners = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    for down, across in _TRUNK:
        weights = ((1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across)
        rows.append(dict(zip(corners, weights, strict=True)))
    rows += [{a: 0.5, b: 0.5} for a, b in _MIDDLES] + [{"head": 1.0}]
    usable = [row for row in rows if all(name in skeleton.joints for name in row)]
    out = np.zeros((len(usable), len(skeleton)))
    for p, row in enumerate(usable):
        for name, weight in row.items():
            out[p, skeleton.joints.index(name)] = weight
    return out


def look_at(pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Measure the colours of places in the network's input.

    Brightness is relative to the mean of the picture, so that it does not matter when lamps or the exposure change.

    Args:
        pixels: (N, N, 3) uint8 RGB.
        points: (P, 2) x, y in pixel indices.

    Returns:
        (P, 3) float32 CIE Lab, lightness weighted with :data:`LIGHT`; NaN for places outside the picture.
    """
    if not len(points):  # of a skeleton without these joints
        return np.zeros((0, 3), np.float32)
    n = len(pixels)
    radius = max(1, round(PATCH * n))
    inside = np.asarray(((points > -0.5) & (points < n - 0.5)).all(-1))
    x, y = np.rint(np.where(inside[:, None], points, 0)).astype(int).T
    # All patches at once, (P, 2·radius + 1, 2·radius + 1): what is beyond the border does not count.
    reach = np.arange(-radius, radius + 1)
    rows, columns = (y[:, None] + reach)[:, :, None], (x[:, None] + reach)[:, None, :]
    counts = (rows >= 0) & (rows < n) & (columns >= 0) & (columns < n)
    patches = pixels[rows.clip(0, n - 1), columns.clip(0, n - 1)] * counts[..., None]
    colours = (patches.sum((1, 2), dtype=np.int64) / counts.sum((1, 2))[:, None]).astype(np.float32)
    gain = 110.0 / max(sum(cv2.sumElems(pixels)) / pixels.size, 1.0)
    lab = cv2.cvtColor(np.clip(colours * (gain / 255), 0, 1).astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
    lab[:, 0] *= LIGHT
    lab[~inside] = np.nan
    return lab


def median(values: np.ndarray) -> np.ndarray:
    """Compute the median of finite values over the first axis, as ``np.median``, which takes ten times as long."""
    ordered, n = np.sort(values, axis=0), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


class Appearance:
    """Remembered look of a person.

    Attributes:
        colours: (P, 3) as of :func:`look_at`, NaN where never seen; ``None`` before the first look.
        looks: number of looks that were remembered.
    """

    def __init__(self) -> None:
        self.colours: np.ndarray | None = None
        self.looks = 0

    def difference(self, look: np.ndarray) -> float:
        """Return the median difference of colour over the places seen in both; 0 if they share less than half."""
        if self.colours is None:
            return 0.0
        apart = np.linalg.norm(look - self.colours, axis=-1)
        known = np.isfinite(apart)
        return float(median(apart[known])) if known.any() and known.sum() * 2 >= len(apart) else 0.0

    def is_other(self, look: np.ndarray) -> bool:
        """Return whether this is probably somebody else."""
        return self.difference(look) > STRANGE

    def is_alike(self, look: np.ndarray) -> bool:
        """Return whether this is clearly nobody else."""
        return self.difference(look) < ALIKE

    def remember(self, look: np.ndarray, seconds: float) -> None:
        """Adapt to a look of the person, ``seconds`` after the last one; the first looks are averaged."""
        self.looks += 1
        if self.colours is None:
            self.colours = np.array(look, np.float64)
            return
        share = max(1 - float(np.exp(-seconds / ADAPTS_S)), 1 / self.looks)
        new = np.where(np.isfinite(self.colours), self.colours + share * (look - self.colours), look)
        self.colours = np.where(np.isfinite(look), new, self.colours)
