"""The anatomy view: from the picture to one joint's map, tensor by tensor, and down to the numbers of one cell."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from dkd.analysis.anatomy import anatomy
from dkd.tracking.trace import Trace
from widgets.core.answering import AnsweringView
from widgets.core.library import script
from widgets.core.wire import Message, encode_frame, quantize_kernels, write_message
from widgets.page.apart import save_apart
from widgets.page.page import SavedPage


class Anatomy(AnsweringView):
    """Shows how one joint's map in one frame was computed, on three linked levels.

    1. The pipeline with its tensors: crop → F_t → V·F_t → matched with K̃_{t−1} → weighted by U → map. Below it, the
       distillator that made K̃_{t−1} from the previous frame. Each tensor shows the channels that matter most at the
       selected cell; a click on a channel selects it on all levels.
    2. The selected channel's kernel, sliding over its projected features: step by step, or played.
    3. The arithmetic of the selected cell in numbers: patch × kernel, sum, × U, all channels + bias = the map's value.

    Frame, joint and cell are those of the cursor. Frames whose maps come from the pose initializer, and models without
    kernels, have no anatomy; the view says so.
    """

    _module = script("anatomy/anatomy.js")

    def to_html(self, path: str | os.PathLike[str], *, apart: Iterable[int] | None = None, **options: Any) -> SavedPage:
        """Save this view as one HTML file that needs no kernel and no network, below a workbench of the trace.

        In some frames a reader can choose any joint, cell and channel, as here and with the same numbers. The page says
        which frames these are. Each takes 1 to 2 MB with a shipped model.

        Args:
            path: the file, ``.html``; an existing one is replaced.
            apart: frames that can be taken apart; by default the shown one, and two before and after it.
            options: see :func:`widgets.save_page`.

        Raises:
            ArgumentError: ``apart`` has something else than whole numbers.
            FrameIndexError: a frame of ``apart`` is not in the page.
            ConfigError: nothing is matched in a frame of ``apart``, or an option does not fit.
            StorageError: the file cannot be written.
        """
        return save_apart(self, "anatomy", _answer, path, apart, options, is_exact=True)

    def _render(self, trace: Any, frame: int, generation: int) -> Message:
        return render_anatomy(trace, frame, generation)


def _answer(trace: Any, frame: int, _part: range) -> Message:
    return render_anatomy(trace, frame, 0)


def render_anatomy(trace: Trace, frame: int, generation: int) -> Message:
    """Return what the view shows of a frame in addition to the feed's detail, for all joints and channels.

    Parts: jpeg, the crop; maps and before, H_t and H_{t−1}, (J, H, W) float32 (the latter empty where nothing is
    distilled); projection, V (C, C) int8, to be multiplied by ``projection_scale``; and for each of ``tensors`` its
    values and ranges, see :func:`quantise_channels`. Tensors are ``features``, ``matched``, and of the distillator
    ``before`` (F_{t−1}), ``conv1`` to ``conv3`` and ``bias``.

    Raises:
        ConfigError, FrameIndexError: if the frame has no anatomy, see :func:`dkd.analysis.anatomy.anatomy`.
    """
    found = anatomy(trace, frame, 0)
    made = found.distillation
    tensors = {"features": found.features, "matched": found.matched}
    if made is not None:
        tensors["before"] = made.features
        tensors |= {layer.name: layer.activations for layer in made.layers}
        if made.bias is not None:
            tensors["bias"] = made.bias
    projection, scale = quantize_kernels(found.projection)
    return write_message(
        {
            "type": "anatomy",
            "generation": generation,
            "frame": frame,
            "input": list(found.crop.shape),
            "does": {} if made is None else {layer.name: layer.does for layer in made.layers},
            "handed_on": made is None or made.handed_on,
            "jpeg": encode_frame(found.crop),
            "maps": np.asarray(trace.heatmaps[frame], np.float32),
            "before": np.zeros(0, np.float32) if made is None else np.asarray(made.heatmaps, np.float32),
            "projection": projection,
            "projection_scale": scale,
            "tensors": {name: _coded(values) for name, values in tensors.items()},
        }
    )


def quantise_channels(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantise each channel over its own range: (C, h, w) real → (C, h, w) uint8 and (C, 2) float32.

    Byte b of a channel stands for low + (high − low) · b / 255; low and high are the second result.
    """
    low, high = values.min((1, 2)), values.max((1, 2))
    span = np.where(high > low, high - low, 1)[:, None, None]
    data = np.rint((values - low[:, None, None]) / span * 255).astype(np.uint8)
    return data, np.stack([low, high], 1).astype(np.float32)


def _coded(values: np.ndarray) -> dict[str, Any]:
    data, ranges = quantise_channels(values)
    return {"shape": list(values.shape), "values": data, "ranges": ranges}
