"""Frames per second of ``dkd track`` next to other networks in the same loop: decode, crop, network, joints.

    python -m benchmarks.peers --model thunder=FILE.onnx [--model lightning=FILE.onnx] [--frames 200] [--rounds 3]

MoveNet (Google, Apache-2.0) is not part of this project: give its ONNX files. Input: int32 (1, N, N, 3), RGB in 0..255
of a square around one person; output (1, 1, 17, 3): y, x, score in 0..1. It runs in ONNX Runtime with as many threads.
Its square follows its joints as this library's simpler one does. Frames are decoded ahead by a thread for all of them.
The clip is the sample clip, encoded again as H.264 with 720 lines. They take turns.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.browser import keep
from benchmarks.what_ifs import write_clip
from dkd import Clip, Trace, load_model
from dkd.engines.choice import accelerate, engine_of
from dkd.pose.crops import BOX_MARGIN, box_to_crop
from dkd.tracking.squares import next_square
from dkd.video.ahead import reading_ahead


class Peer:
    """A per-frame network in ONNX Runtime that follows one person."""

    def __init__(self, file: Path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        (given,) = self._session.get_inputs()
        self._name, self.size = given.name, int(given.shape[1])
        if given.shape[3] != 3 or given.type != "tensor(int32)":
            raise SystemExit(f"expected a network with int32 input (1, N, N, 3), got {given.type} {given.shape}")

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """(N, N, 3) uint8 RGB → (17, 3) y, x, score."""
        return self._session.run(None, {self._name: pixels[None].astype(np.int32)})[0][0, 0]


def follow(peer: Peer, clip: Clip, box: tuple[float, float, float, float]) -> np.ndarray:
    """Track a person through a clip; return joints and scores, (T, 17, 3) x, y, score."""
    square, found = box_to_crop(box, BOX_MARGIN), []
    with reading_ahead(clip, range(len(clip))) as frames:
        for t in range(len(clip)):
            y, x, scores = peer(square.extract(frames.frame(t), peer.size)).T
            joints = square.to_frame(np.stack([x, y], 1) * peer.size - 0.5, peer.size)
            found.append(np.column_stack([joints, scores]))
            square = next_square(square, joints, scores, clip.width, clip.height)
    return np.stack(found)


def measure(files: dict[str, Path], frames: int, rounds: int) -> dict[str, Any]:
    """Print and return the ms per frame of each, and the ratios."""
    peers = {name: Peer(file) for name, file in files.items()}
    model = accelerate(load_model("dkd-mobilenetv2"))
    figures: dict[str, Any] = {"engine": engine_of(model), "threads": torch.get_num_threads()}
    with tempfile.TemporaryDirectory(prefix="dkd-bench-") as folder:
        path = Path(folder) / "clip.mp4"
        x0, y0, x1, y1 = write_clip(path, frames)
        times: dict[str, list[float]] = {name: [] for name in ("dkd", *peers)}
        joints: dict[str, np.ndarray] = {}
        for i in range(rounds + 1):
            for name, each in times.items():
                with Clip(path, cache_bytes=0) as clip:
                    begin = time.perf_counter()
                    if name == "dkd":
                        trace = Trace(model, clip, (x0, y0, x1, y1), progress=False)
                        joints[name] = np.dstack([trace.joints, trace.scores])
                    else:
                        joints[name] = follow(peers[name], clip, (x0, y0, x1, y1))
                    if i:  # the first round warms up
                        each.append(1e3 * (time.perf_counter() - begin) / len(clip))
        box = max(x1 - x0, y1 - y0)
        body = {name: found if name == "dkd" else found[:, 5:] for name, found in joints.items()}  # without the face
        centres = {name: np.median(found[..., :2], axis=1) for name, found in body.items()}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{frames} frames of 720 lines, {figures['threads']} threads, medians of {rounds} in turn, load {load:.1f}:")
    own = median(times["dkd"])
    for name, each in times.items():
        middle, far = median(each), float(np.linalg.norm(centres[name] - centres["dkd"], axis=1).mean()) / box
        what = f"in {figures['engine']}" if name == "dkd" else f"{peers[name].size}×{peers[name].size}, in ONNX Runtime"
        row = {"ms": middle, "per_second": 1e3 / middle, "ratio": middle / own, "centre_apart": far}
        figures[name] = {**row, "score": float(joints[name][..., 2].mean())}
        print(
            f"  {name:10} {middle:7.2f} ms per frame ({1e3 / middle:.0f} frames/s), {middle / own:.2f}× ours; {what}; "
            f"mean score {figures[name]['score']:.2f}, centre {far:.3f} of the box from ours"
        )
    return {**figures, "load": load}


def main() -> int:
    """Print the table, and write it as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], metavar="NAME=FILE", help="a network, several times")
    parser.add_argument("--frames", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    pairs = [word.partition("=") for word in arguments.model]
    if any(not name or not file for name, _, file in pairs):
        parser.error("expected --model NAME=FILE")
    files = {name: Path(file) for name, _, file in pairs}
    keep(measure(files, arguments.frames, arguments.rounds), arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
