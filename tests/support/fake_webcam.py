"""A webcam for Chromium: a file that it plays, of a person who walks, with the frame's number in the picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from dkd import Clip
from dkd.video.samples import get_sample
from tests.support.video_files import BITS, draw_number

SIZE = (640, 480)
BLOCK = 20  # pixels of the frame
AT = (8, 412)  # left and top of the number, away from the person: two rows of five blocks


def numbered_walk(count: int) -> list[np.ndarray]:
    """``count`` frames (480, 640, 3) of the rendered walk; each shows its number in its lower left corner."""
    small = [(5 * BLOCK, 2 * BLOCK), AT]
    frames = []
    with Clip(get_sample("rendered_walk").path) as clip:
        for t in range(count):
            frame = cv2.resize(clip.frame(t % len(clip)), SIZE, interpolation=cv2.INTER_AREA)
            code = cv2.resize(draw_number(t)[:64], small[0], interpolation=cv2.INTER_NEAREST)
            x, y = AT
            frame[y - 8 : y + 2 * BLOCK + 8, : x + 5 * BLOCK + 8] = 128
            frame[y : y + 2 * BLOCK, x : x + 5 * BLOCK] = code
            frames.append(frame)
    return frames


def write_webcam(path: Path, count: int) -> Path:
    """Write frames as MJPEG, for Chromium's ``--use-file-for-fake-video-capture``; it plays them again and again."""
    path.write_bytes(b"".join(simplejpeg.encode_jpeg(frame, 92, "RGB", "420") for frame in numbered_walk(count)))
    return path


def number_in(frame: np.ndarray) -> int:
    """The number that a frame of :func:`numbered_walk` shows."""
    x, y = AT
    grey = frame[y : y + 2 * BLOCK, x : x + 5 * BLOCK].mean(-1).reshape(2, BLOCK, 5, BLOCK)[:, 5:-5, :, 5:-5]
    return int("".join("1" if value > 128 else "0" for value in grey.mean((1, 3)).ravel()), 2)


def is_near(joints: np.ndarray) -> bool:
    """Whether a joint (J, 2) lies so near the number that what is drawn there may hide some of it."""
    x, y = np.asarray(joints).T
    return bool(((x < AT[0] + 5 * BLOCK + 50) & (y > AT[1] - 50)).any())


# The number in the picture that a canvas of the live view shows, by most of 49 points of each block: the square of the
# network may cross it.
READ_NUMBER = f"""(canvas) => {{
    const context = canvas.getContext('2d');
    const scale = Math.min(canvas.width / {SIZE[0]}, canvas.height / {SIZE[1]});
    const [left, top] = [(canvas.width - {SIZE[0]} * scale) / 2, (canvas.height - {SIZE[1]} * scale) / 2];
    let number = 0;
    for (let k = 0; k < {BITS}; k++) {{
        let white = 0;
        for (let point = 0; point < 49; point++) {{
            const x = {AT[0]} + {BLOCK} * (k % 5 + 0.5) + 2 * (point % 7 - 3);
            const y = {AT[1]} + {BLOCK} * (Math.floor(k / 5) + 0.5) + 2 * (Math.floor(point / 7) - 3);
            const [i, j] = [Math.round(left + x * scale), Math.round(top + y * scale)];
            const [r, g, b] = context.getImageData(i, j, 1, 1).data;
            white += r + g + b > 384 ? 1 : -1;
        }}
        number = 2 * number + (white > 0 ? 1 : 0);
    }}
    return number;
}}"""
