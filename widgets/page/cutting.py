"""A part of a run as messages: the numbers of its frames begin at 0, those that are shown stay the video's."""

from __future__ import annotations

from typing import Any

import numpy as np

from dkd.tracking.protocols import TraceLike
from dkd.video.ranges import place_in_video
from widgets.core.wire import Message, read_message, render_header, render_records, write_message

CHUNK = 8  # frames in a block, as many as the browser asks for at once: core/fetching.js
FEATURE_STEPS = 31  # from 0 to a channel's largest magnitude: 6 bits with the sign, see docs/page.md for the error
_FOLLOWING = ("maps", "kernels")  # of a record, that differ little from the frame before
_PER_FRAME = ("times", "tracks", "scores", "speed", "drift", "confidence", "corrected", "hidden", "predicted", "truth")


def part_header(trace: TraceLike, frames: range) -> dict[str, Any]:
    """Return the header of some frames of a run, as :func:`read_message` returns it."""
    header = read_message(*render_header(trace, 0, place_in_video(trace.clip)))
    start, stop = frames.start, frames.stop
    if (start, stop) == (0, len(trace)):
        return header
    times = header["times"]
    header["first"] += start
    header["first_s"] += float(times[start] - times[0])
    header |= {"n_frames": len(frames), "origin": header["origin"] - start}
    for name in _PER_FRAME:
        if name in header and len(header[name]):
            header[name] = header[name][start:stop]
    header["times"] = header["times"] - header["times"][0]

    def moved(numbers: list[int]) -> list[int]:
        return [t - start for t in numbers if t in frames]

    header["unmatched"] = moved(header["unmatched"])
    header["worst"] = [moved(one) for one in header["worst"]]
    header["reinitialised"] = [
        {**event, "frame": event["frame"] - start} for event in header["reinitialised"] if event["frame"] in frames
    ]
    warnings = [(one, moved(one["frames"])) for one in header["warnings"]]
    header["warnings"] = [{**one, "frames": kept} for one, kept in warnings if kept or not one["frames"]]
    return header


def part_records(trace: TraceLike, frames: range, chunk: range) -> tuple[Message, list[np.ndarray]]:
    """Return the records of a chunk of frames without their pictures, and the pictures, (H, W, 3) uint8 RGB.

    Maps and kernels of a record are the differences from those of the record before, modulo 256, if they have the same
    shape: ``page/blocks.js`` adds them up.

    Args:
        trace: the run.
        frames: frames of the run that the page has.
        chunk: some of them.
    """
    pictures: list[np.ndarray] = []

    def keep(frame: np.ndarray) -> bytes:
        pictures.append(frame)
        return b""

    content = read_message(*render_records(trace, list(chunk), 0, keep))
    for record in content["records"]:
        del record["jpeg"]
        record["frame"] -= frames.start
        if record["previous"] is not None:
            record["previous"] -= frames.start  # −1: distilled from the frame before the part
    for record, before in reversed(list(zip(content["records"][1:], content["records"], strict=False))):
        for name in _FOLLOWING:  # as differences, modulo 256, they take a half to two thirds of the space
            if record[name].shape == before[name].shape:
                record[name] = record[name] - before[name]
    return write_message(content), pictures


def part_detail(trace: TraceLike, frame: int, start: int) -> Message:
    """Return the features V·F of a frame as int8 (H, W, C), with the factors (C,) float32 that reverse it.

    In this order, and with so few steps, they take 60 % of the space. The kernels are those of the frame's record.
    """
    projected = np.asarray(trace.projected(frame), np.float32)
    scales = np.abs(projected).reshape(len(projected), -1).max(1) / np.float32(FEATURE_STEPS)
    scales[scales == 0] = 1
    small = np.rint(projected / scales[:, None, None]).astype(np.int8).transpose(1, 2, 0)
    return write_message({"frame": frame - start, "projected": small, "scales": scales.astype(np.float32)})


def exact_detail(trace: TraceLike, frame: int, start: int) -> Message:
    """Return the features V·F (C, H, W) of a frame and the kernels that are matched there, float32 as in a notebook."""
    before = trace.previous(frame)
    assert before is not None  # the caller has checked it
    kernels = np.asarray(trace.kernels[before], np.float32)
    content = {"frame": frame - start, "previous": before - start, "kernels": kernels}
    return write_message({**content, "projected": np.asarray(trace.projected(frame), np.float32)})
