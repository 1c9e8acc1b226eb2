"""What a trace looks like on the wire: pure functions from a trace to (JSON, buffers).

Three messages go to the browser. The *header* comes once a trace and holds what is small over the whole clip. *Records*
come in chunks, one a frame, each with all that is painted for that frame: picture, joints, maps and kernels travel
together and cannot be out of step. A *detail* is the exact float32 input of the matching step in one frame, from which
the browser computes the arithmetic of any cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np

from dkd.analysis.moments import worst_frames
from dkd.errors import FrameIndexError
from widgets.core.tables import MAP_RANGE

Message = tuple[dict[str, Any], list[bytes]]

MAX_HEIGHT = 720  # pixels of a picture on the wire; a taller frame is reduced
JPEG_QUALITY = 82
RECORD_PARTS = ("jpeg", "joints", "scores", "peaks", "maps", "kernels")  # order of a record's buffers
MAX_RECORDS = 32  # in one message: a browser's request beyond that is an error, not a stall


def image_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the picture that is sent for a frame of this size: at most ``MAX_HEIGHT`` high."""
    scale = min(1.0, MAX_HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def render_header(trace: Any, generation: int) -> Message:
    """What is known of the whole clip at once.

    Buffers: times (T,) float64; joints (T,J,2), scores (T,J), speed (T,J), drift (T,), truth (T,J,2) or empty, readout
    (J,C), bias (J,), confidence (T,J), all float32 in C order.
    """
    skeleton, clip = trace.skeleton, trace.clip
    scores, drift = _f32(trace.scores), _f32(trace.kernel_drift())
    truth = trace.ground_truth
    content = {
        "type": "header",
        "generation": generation,
        "n_frames": len(trace),
        "fps": float(clip.fps),
        "clip": clip.name,
        "model": trace.model_name,
        "backend": clip.backend,
        "size": [clip.width, clip.height],
        "image": list(image_size(clip.width, clip.height)),
        "joints": list(skeleton.joints),
        "sides": [skeleton.side(j) for j in skeleton.joints],
        "limbs": [list(pair) for pair in skeleton.limb_indices],
        "channels": int(trace.kernels.shape[1]),
        "kernel": int(trace.kernels.shape[-1]),
        "map": [int(trace.heatmaps.shape[-1]), int(trace.heatmaps.shape[-2])],
        "map_range": list(MAP_RANGE),
        "truth_kind": trace.ground_truth_kind if truth is not None else "",
        "calibrated": bool(trace.calibrated),
        "reinitialised": [asdict(anew) for anew in trace.reinitialised],
        "unmatched": [t for t in range(len(trace)) if trace.from_initializer(t)],
        "worst": [worst_frames(scores[:, j], drift, clip.fps) for j in range(len(skeleton))],
    }
    speed, known = trace.speed(), [] if truth is None else truth
    arrays = (trace.joints, scores, speed, drift, known, trace.readout, trace.bias, trace.confidence)
    times = np.ascontiguousarray(trace.times, np.float64).tobytes()
    return content, [times, *(_f32(a).tobytes() for a in arrays)]


def render_records(trace: Any, frames: Sequence[int], generation: int) -> Message:
    """All that is painted for some frames, one record each.

    A record's buffers, in the order of ``RECORD_PARTS``: JPEG; joints (J,2) and scores (J,) float32; the peak cells
    (J,2) uint8 x, y; maps (J,H,W) uint8 over ``MAP_RANGE``; kernels (C,S,S) int8, those *used in* this frame (distilled
    from the one before; empty where the initializer made the maps: in frame 0, and where the model was started anew),
    to be multiplied by the record's ``kernel_scale``.

    Raises:
        FrameIndexError: a frame outside the trace, or more than ``MAX_RECORDS`` of them.
    """
    if len(frames) > MAX_RECORDS:
        raise FrameIndexError(f"expected at most {MAX_RECORDS} frames in one request, got {len(frames)}")
    entries, buffers = [], []
    for t in frames:
        if not 0 <= t < len(trace):
            raise FrameIndexError(f"expected a frame in 0..{len(trace) - 1}, got {t}")
        maps, crop = np.asarray(trace.heatmaps[t]), trace.crops[t]
        kernels, scale = (b"", 0.0) if trace.from_initializer(t) else quantize_kernels(trace.kernels[t - 1])
        entries.append({"frame": int(t), "crop": [crop.left, crop.top, crop.side], "kernel_scale": scale})
        buffers += [
            encode_frame(trace.picture(int(t))),
            _f32(trace.joints[t]).tobytes(),
            _f32(trace.scores[t]).tobytes(),
            _peak_cells(maps).tobytes(),
            quantize_maps(maps).tobytes(),
            kernels,
        ]
    return {"type": "records", "generation": generation, "records": entries}, buffers


def render_detail(trace: Any, frame: int, generation: int) -> Message:
    """The matching step's exact input in ``frame`` ≥ 1: projected features V·F (C,H,W) and kernels (C,S,S), float32.

    Raises:
        FrameIndexError: the initializer made its maps (frame 0, or where the model was started anew), so there is no
            matching; or outside the trace.
    """
    if not 1 <= frame < len(trace):
        raise FrameIndexError(f"expected a frame in 1..{len(trace) - 1}, where maps come from matching, got {frame}")
    if trace.from_initializer(frame):
        raise FrameIndexError(
            f"expected a frame whose maps come from matching, got {frame}, where the model was started anew"
        )
    buffers = [_f32(trace.projected(frame)).tobytes(), _f32(trace.kernels[frame - 1]).tobytes()]
    return {"type": "detail", "generation": generation, "frame": int(frame)}, buffers


def encode_frame(frame: np.ndarray) -> bytes:
    """(H, W, 3) uint8 RGB → JPEG, reduced to ``MAX_HEIGHT`` where it is taller."""
    height, width = frame.shape[:2]
    size = image_size(width, height)
    if size != (width, height):
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()


def quantize_maps(maps: np.ndarray) -> np.ndarray:
    """Real values → uint8 over ``MAP_RANGE``; a step is 0.006, so the rounding error is at most 0.003."""
    low, high = MAP_RANGE
    return np.rint(np.clip((maps - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def quantize_kernels(kernels: np.ndarray) -> tuple[bytes, float]:
    """(C,S,S) real → int8 bytes and the factor that turns them back: the largest magnitude maps to 127.

    A model without kernels (C = 0) has none to send: no bytes, factor 1.
    """
    if not kernels.size:
        return b"", 1.0
    scale = float(np.abs(kernels).max()) / 127 or 1.0
    return np.rint(kernels / scale).astype(np.int8).tobytes(), scale


def _peak_cells(maps: np.ndarray) -> np.ndarray:
    """(J,H,W) → (J,2) uint8: x, y of each map's largest cell."""
    flat = maps.reshape(len(maps), -1).argmax(1)
    return np.stack([flat % maps.shape[-1], flat // maps.shape[-1]], 1).astype(np.uint8)


def _f32(values: Any) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)
