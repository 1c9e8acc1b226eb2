"""Input pixels of the network: the picture after interventions, cropped, resampled and corrupted."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dkd.errors import ShapeError
from dkd.pose.crops import Crop
from dkd.tracking.conditions import Conditions
from dkd.tracking.patches import Patches
from dkd.video.protocols import ClipLike


def picture(clip: ClipLike, conditions: Conditions, t: int, square: Crop) -> np.ndarray:
    """Return the whole frame t after interventions, (H, W, 3) uint8 RGB.

    Args:
        clip, conditions: clip and conditions of the run.
        t: index of the frame.
        square: the crop of the network; some interventions change that part only.
    """
    image = clip.frame(_source(conditions, t))
    for one in conditions.interventions:
        image = one.picture(image, t, square)
    return image


def _source(conditions: Conditions, t: int) -> int:
    """Return the frame of the clip that is shown in frame t."""
    for one in conditions.interventions:
        t = one.source(t)
    return t


def frames_read(conditions: Conditions, frames: range, patches: Patches | None = None) -> list[int]:
    """Return which frames of the clip a run over ``frames`` probably reads, in order: those without a patch."""
    changes, read = conditions.interventions, []
    for t in frames:
        if any(one.drops(t) for one in changes):
            continue
        source = _source(conditions, t)
        if patches is None or source not in patches or any(one.paints(t) for one in changes):
            read.append(source)
    return read


def network_pixels(
    clip: ClipLike, conditions: Conditions, t: int, square: Crop, size: int, patches: Patches | None = None
) -> np.ndarray:
    """Return the network's input in frame t, (size, size, 3) uint8 RGB.

    Args:
        clip, conditions: clip and conditions of the run.
        t: index of the frame.
        square: the crop of the network.
        size: side N of the network's input.
        patches: where pixels may be found without reading the frame, and are kept.

    Raises:
        ShapeError: the conditions' ``corrupt`` does not return such an image.
    """
    if patches is None or any(one.paints(t) for one in conditions.interventions):
        pixels = square.extract(picture(clip, conditions, t, square), size)
    else:
        source = _source(conditions, t)
        found = patches.get(source, square)
        pixels = patches.put(source, clip.frame(source), square) if found is None else found
    if conditions.corrupt is None:
        return pixels
    corrupted = conditions.corrupt(pixels, t)
    if corrupted.shape != pixels.shape or corrupted.dtype != np.uint8:
        raise ShapeError(
            f"expected corrupt to return {pixels.shape} uint8, got {corrupted.shape} {corrupted.dtype} at frame {t}"
        )
    return np.ascontiguousarray(corrupted)


def unchanged_source(conditions: Conditions, t: int) -> int | None:
    """Return the frame of the clip that is shown in frame t; ``None`` if its pixels are changed."""
    if conditions.corrupt is not None or any(one.paints(t) for one in conditions.interventions):
        return None
    return _source(conditions, t)


def as_input(pixels: np.ndarray, device: torch.device) -> Tensor:
    """Convert (N, N, 3) uint8 RGB to (1, 3, N, N) in 0..1 on a device, as models expect it."""
    # By NumPy: torch shares even this between its threads, which wait for each other on a busy machine.
    image = torch.from_numpy(np.divide(pixels, np.float32(255), dtype=np.float32))
    return image.to(device).permute(2, 0, 1)[None]
