"""Wire format of messages between Python and the browser, and the three messages of a trace.

A message is JSON with buffers. :func:`write_message` extracts arrays and bytes from a nested content and lists them
under ``parts``: path, dtype and shape of each buffer, in order. ``readMessage`` in ``wire.js`` and :func:`read_message`
here insert them again.

A trace is sent in three kinds of messages. The *header* is sent once per trace and has the small data of the whole
clip. *Records* are sent in chunks, one per frame, each with everything that is drawn for that frame: picture, joints,
maps and kernels are sent together, so they always match. A *detail* is the exact float32 input of the matching step in
one frame, from which the browser computes the arithmetic of any cell.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np

from dkd.analysis.moments import worst_frames
from dkd.errors import FrameIndexError
from dkd.tracking.protocols import TraceLike, matches_joints
from dkd.video.protocols import mean_rate, pixel_aspect, rate_text, warnings_about
from widgets.core.tables import DTYPES, MAP_RANGE, MAX_RECORDS

Message = tuple[dict[str, Any], list[bytes]]

_TAKEN = object()  # placeholder for an extracted part

MAX_HEIGHT = 720  # maximum height of a transmitted picture in pixels; taller frames are scaled down
JPEG_QUALITY = 82


def write_message(content: Mapping[str, Any]) -> Message:
    """Extract the arrays and bytes from ``content``, at any depth.

    Returns:
        The content without them but with ``parts``, a list of [path, dtype, shape] (``[["records", 0, "joints"],
        "float32", [13, 2]]``; bytes have the dtype ``"bytes"``), and the buffers in the same order, in C order.

    Raises:
        TypeError: an array of a dtype that is not in ``tables.json``.
    """
    parts: list[list[Any]] = []
    buffers: list[bytes] = []

    def take(value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, Mapping):
            named = {str(name): take(item, (*path, str(name))) for name, item in value.items()}
            return {name: item for name, item in named.items() if item is not _TAKEN}
        if isinstance(value, (list, tuple)):
            listed = [take(item, (*path, i)) for i, item in enumerate(value)]
            return [None if item is _TAKEN else item for item in listed]
        if isinstance(value, bytes):
            parts.append([list(path), "bytes", [len(value)]])
            buffers.append(value)
            return _TAKEN
        if isinstance(value, np.ndarray):
            if value.dtype.name not in DTYPES:
                name = ".".join(map(str, path))
                raise TypeError(f"expected {name} as one of {', '.join(DTYPES)}, got {value.dtype.name}")
            parts.append([list(path), value.dtype.name, list(value.shape)])
            buffers.append(np.ascontiguousarray(value).tobytes())
            return _TAKEN
        return value

    return {**take(content, ()), "parts": parts}, buffers


def read_message(content: Mapping[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
    """Restore the content passed to :func:`write_message`, with arrays and bytes."""
    message = copy.deepcopy({name: value for name, value in content.items() if name != "parts"})
    for (path, dtype, shape), buffer in zip(content.get("parts", ()), buffers, strict=True):
        owner: Any = message
        for step in path[:-1]:
            owner = owner[step]
        owner[path[-1]] = bytes(buffer) if dtype == "bytes" else np.frombuffer(buffer, dtype).reshape(shape)
    return message


def image_size(width: int, height: int) -> tuple[int, int]:
    """Return (width, height) of the transmitted picture for a frame of this size, at most ``MAX_HEIGHT`` high."""
    scale = min(1.0, MAX_HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def render_header(trace: TraceLike, generation: int, first: tuple[int, float] = (0, 0.0)) -> Message:
    """Build the header with the data of the whole clip. ``first``: number and seconds of frame 0 as they are shown.

    Parts: times (T,) float64; tracks (T,J,2), scores (T,J), speed (T,J), drift (T,), truth (T,J,2) or empty, readout
    (J,C), bias (J,), confidence (T,J), all float32. Only if there are corrections: corrected and hidden (T,J) uint8,
    and predicted (T,J,2) float32, the joints that the model predicts.
    """
    skeleton, clip = trace.skeleton, trace.clip
    scores, drift = _f32(trace.scores), _f32(trace.kernel_drift())
    truth = trace.ground_truth
    content = {
        "type": "header",
        "generation": generation,
        "n_frames": len(trace),
        "first": first[0],
        "first_s": first[1],
        "origin": trace.origin,
        "fps": mean_rate(clip),
        "rate": rate_text(clip),
        "pixel_aspect": float(pixel_aspect(clip)),
        "warnings": [{"kind": w.kind, "text": w.text, "frames": list(w.frames)} for w in warnings_about(clip)],
        "clip": clip.name,
        "model": trace.model_name,
        "backend": clip.backend,
        "engine": getattr(trace, "engine", "torch"),
        "is_track": bool(getattr(trace, "is_track", False)),
        "refined": trace.conditions.refine,
        "at_joints": matches_joints(trace),
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
        "reinitialised": [asdict(event) for event in trace.reinitialised],
        "strange": np.flatnonzero(trace.strange).tolist(),
        "unmatched": [t for t in range(len(trace)) if trace.from_initializer(t)],
        "worst": [worst_frames(scores[:, j], drift, mean_rate(clip)) for j in range(len(skeleton))],
        "times": np.asarray(trace.times, np.float64),
        "tracks": _f32(trace.joints),
        "scores": scores,
        "speed": _f32(trace.speed()),
        "drift": drift,
        "truth": _f32([] if truth is None else truth),
        "readout": _f32(trace.readout),
        "bias": _f32(trace.bias),
        "confidence": _f32(trace.confidence),
    }
    if trace.corrected.any() or trace.hidden.any():
        content["corrected"], content["hidden"] = trace.corrected.astype(np.uint8), trace.hidden.astype(np.uint8)
        content["predicted"] = _f32(trace.predicted_joints)
    return write_message(content)


def render_records(
    trace: TraceLike,
    frames: Sequence[int],
    generation: int,
    picture: Callable[[np.ndarray], bytes] | None = None,
) -> Message:
    """Build the records of some frames, with everything that is drawn.

    A record's parts: jpeg; joints (J,2) and scores (J,) float32; peaks (J,2) uint8, the cells x, y; maps (J,H,W) uint8
    over ``MAP_RANGE``; kernels (C,S,S) int8, those *used in* this frame, to be multiplied by the record's
    ``kernel_scale``. They were distilled from the frame ``previous``; they are empty and it is ``None`` if the maps
    come from the initializer: in the frame of the box and after a re-initialisation.

    Args:
        trace: the trace.
        frames: indices of the frames.
        generation: number of the trace in its feed.
        picture: how a frame is encoded, by default :func:`encode_frame`.

    Raises:
        FrameIndexError: a frame is outside the trace, or there are more than ``MAX_RECORDS`` of them.
    """
    if len(frames) > MAX_RECORDS:
        raise FrameIndexError(f"expected at most {MAX_RECORDS} frames in one request, got {len(frames)}")
    encode = encode_frame if picture is None else picture
    records = []
    for t in frames:
        if not 0 <= t < len(trace):
            raise FrameIndexError(f"expected a frame in 0..{len(trace) - 1}, got {t}")
        maps, crop = np.asarray(trace.heatmaps[t]), trace.crops[t]
        kernels, scale = np.zeros(0, np.int8), 0.0
        if (before := trace.previous(t)) is not None:
            kernels, scale = quantize_kernels(trace.kernels[before])
        records.append(
            {
                "frame": int(t),
                "previous": before,
                "crop": [crop.left, crop.top, crop.side],
                "kernel_scale": scale,
                "jpeg": encode(trace.picture(int(t))),
                "joints": _f32(trace.joints[t]),
                "scores": _f32(trace.scores[t]),
                "peaks": _peak_cells(maps),
                "maps": quantize_maps(maps),
                "kernels": kernels,
            }
        )
    return write_message({"type": "records", "generation": generation, "records": records})


def render_detail(trace: TraceLike, frame: int, generation: int) -> Message:
    """Build the exact input of the matching step in a frame, float32: V·F (C,H,W) and kernels (C,S,S).

    The kernels were distilled from the frame ``previous``.

    Raises:
        FrameIndexError: the frame is outside the trace, or its maps come from the initializer (the frame of the box,
            and frames with a re-initialisation), so there is no matching.
    """
    if not 0 <= frame < len(trace):
        raise FrameIndexError(f"expected a frame in 0..{len(trace) - 1}, got {frame}")
    before = trace.previous(frame)
    if before is None:
        raise FrameIndexError(
            f"expected a frame whose maps come from matching, got {frame}: its maps come from the initializer, as in "
            "the first frame of a run and where it was re-initialised"
        )
    content = {"type": "detail", "generation": generation, "frame": int(frame), "previous": before}
    return write_message({**content, "projected": _f32(trace.projected(frame)), "kernels": _f32(trace.kernels[before])})


def encode_frame(frame: np.ndarray) -> bytes:
    """Encode (H, W, 3) uint8 RGB as JPEG, scaled down to ``MAX_HEIGHT`` if it is taller."""
    height, width = frame.shape[:2]
    size = image_size(width, height)
    if size != (width, height):
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()


def quantize_maps(maps: np.ndarray) -> np.ndarray:
    """Quantise real values to uint8 over ``MAP_RANGE``; a step is 0.006, so the rounding error is at most 0.003."""
    low, high = MAP_RANGE
    return np.rint(np.clip((maps - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def quantize_kernels(kernels: np.ndarray) -> tuple[np.ndarray, float]:
    """Quantise (C,S,S) real values to int8, with the factor that reverses it: the largest magnitude maps to 127.

    Without kernels (C = 0) the result is an empty array with factor 1.
    """
    if not kernels.size:
        return np.zeros(0, np.int8), 1.0
    scale = float(np.abs(kernels).max()) / 127 or 1.0
    return np.rint(kernels / scale).astype(np.int8), scale


def _peak_cells(maps: np.ndarray) -> np.ndarray:
    """Find x, y of each map's largest cell: (J,H,W) → (J,2) uint8."""
    flat = maps.reshape(len(maps), -1).argmax(1)
    return np.stack([flat % maps.shape[-1], flat // maps.shape[-1]], 1).astype(np.uint8)


def _f32(values: Any) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)
