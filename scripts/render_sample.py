"""Render the shipped sample: one person who walks in a circle, seen from the front, both sides and the back.

    pip install 'dkd-workbench[render]'
    python scripts/render_sample.py [--out data/samples] [--sheet look.png]

Writes ``rendered_walk.mp4`` and ``rendered_walk.npz`` (joints, visible, box, fps). The motion comes from our own
generator, the body from Anny (Apache-2.0; its MakeHuman data are CC0), so the clip may be shipped with the project.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np

from dkd.datasets.rendered import Light, RenderConfig, person_box, render_clip
from dkd.datasets.rendering.generators import gait
from dkd.datasets.rendering.motion import Motion
from dkd.datasets.rendering.person import SKELETON
from dkd.datasets.rendering.rasterizer import Camera
from dkd.pose.skeleton import get_skeleton

SEED = 25
N_FRAMES, FPS, WIDTH, HEIGHT = 120, 30.0, 640, 480
CAMERA = Camera(
    target=(0.0, 0.95, 0.0), azimuth_deg=0.0, elevation_deg=9.0, distance=4.6, focal=640.0, width=WIDTH, height=HEIGHT
)
LIGHT = Light(direction=(0.48, 0.72, 0.5), sun=1.0, sky=0.95, ground=0.5)  # over the camera's right shoulder


def circle_walk() -> Motion:
    """Create four seconds of walking, nearly once around a circle centred on the world's origin."""
    rng = np.random.default_rng(SEED)
    heading = np.deg2rad(-50 + 330 * np.linspace(0, 1, N_FRAMES))
    motion = gait(N_FRAMES, FPS, rng, heading=heading)
    centre = (motion.root.min(axis=0) + motion.root.max(axis=0)) / 2
    return replace(motion, root=motion.root - centre * [1, 0, 1])


def write_mp4(path: Path, frames: np.ndarray) -> None:
    """Write H.264, yuv420p, atomically. One thread is used, so that the file only depends on the frames."""
    unfinished = path.with_suffix(".tmp")
    with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=round(FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "18", "preset": "slow", "threads": "1"}
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    os.replace(unfinished, path)


def contact_sheet(frames: np.ndarray, joints: np.ndarray, visible: np.ndarray, columns: int = 6) -> np.ndarray:
    """Draw frames side by side with their joints: left blue, right orange, centre white; hidden ones hollow."""
    skeleton = get_skeleton(SKELETON)
    colour = {"left": (0, 114, 178), "right": (213, 94, 0), "centre": (255, 255, 255)}
    tiles = []
    for frame, points, seen in zip(frames, joints, visible, strict=True):
        tile = np.ascontiguousarray(frame)
        for a, b in skeleton.limb_indices:
            ends = [tuple(int(v) for v in np.rint(points[j])) for j in (a, b)]
            cv2.line(tile, ends[0], ends[1], colour[skeleton.side(b)], 1, cv2.LINE_AA)
        for j, point in enumerate(points):
            at = tuple(int(v) for v in np.rint(point))
            cv2.circle(tile, at, 3, colour[skeleton.side(j)], -1 if seen[j] else 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[i : i + columns], axis=1) for i in range(0, len(tiles), columns)]
    return np.concatenate(rows, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "data" / "samples")
    parser.add_argument("--sheet", type=Path, help="also write every eighth frame with joints to this PNG")
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    clip = render_clip(
        RenderConfig(
            seed=SEED,
            n_frames=N_FRAMES,
            fps=FPS,
            width=WIDTH,
            height=HEIGHT,
            motion=circle_walk(),
            camera=CAMERA,
            light=LIGHT,
            body="anny",
        )
    )
    write_mp4(out / "rendered_walk.mp4", clip.frames)
    unfinished = out / "rendered_walk.npz.tmp"
    with unfinished.open("wb") as file:
        np.savez_compressed(
            file,
            joints=clip.joints,
            visible=clip.visible,
            box=person_box(clip.joints[0], clip.rgba[0]),
            fps=np.float32(clip.fps),
        )
    os.replace(unfinished, out / "rendered_walk.npz")
    if arguments.sheet:
        sheet = contact_sheet(clip.frames[::8], clip.joints[::8], clip.visible[::8], columns=5)
        cv2.imwrite(str(arguments.sheet), sheet[..., ::-1])


if __name__ == "__main__":
    main()
