"""Filmstrip: the still picture that stays in a notebook without the live widget, with frames and a caption."""

from __future__ import annotations

import base64
import html
import uuid
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from IPython.display import display

from dkd.datasets.people import PersonSequence
from dkd.pose.skeleton import get_skeleton
from dkd.tracking.protocols import TraceLike
from dkd.video.protocols import pixel_aspect

HEIGHT = 150  # pixels of a picture in the strip
GAP = 6
# JupyterLab and nbconvert look for formulas in the HTML of an output: a name in dollars is none.
AS_TEXT = "mathjax_ignore tex2jax_ignore"
_COLOURS = {"left": (0, 114, 178), "right": (213, 94, 0), "centre": (150, 150, 150)}  # RGB, as in the live views


def draw_skeleton(frame: np.ndarray, joints: np.ndarray, skeleton: Any) -> np.ndarray:
    """Draw joints (J, 2) in pixels and limbs on a copy of a frame (H, W, 3) uint8 RGB; NaN joints are left out."""
    picture = frame.copy()
    width = max(1, round(frame.shape[0] / 70))
    points = [tuple(int(round(v)) for v in p) if np.isfinite(p).all() else None for p in joints]
    for a, b in skeleton.limb_indices:
        if points[a] is None or points[b] is None:
            continue
        sides = {skeleton.side(a), skeleton.side(b)}
        colour = _COLOURS[sides.pop() if len(sides) == 1 else "centre"]
        cv2.line(picture, points[a], points[b], (255, 255, 255), width + 2, cv2.LINE_AA)
        cv2.line(picture, points[a], points[b], colour, width, cv2.LINE_AA)
    for j, point in enumerate(points):
        if point is not None:
            cv2.circle(picture, point, width + 2, (255, 255, 255), -1, cv2.LINE_AA)
            cv2.circle(picture, point, width + 1, _COLOURS[skeleton.side(j)], -1, cv2.LINE_AA)
    return picture


def still_bundle(widget: Any, still: str) -> dict[str, str]:
    """Return the still picture of a widget as the data of an output: HTML, and a line of text for what has no HTML."""
    return {"text/html": f'<div class="{AS_TEXT}">{still}</div>', "text/plain": repr(widget)}


def display_with_still(widget: Any, still: str) -> Any:
    """Display a widget and, below it, the HTML that stays in the notebook without it.

    The widget's own output has no text: an export without the widget, such as nbconvert's, has the still picture only.

    Returns:
        The handle with which the still picture can be updated.
    """
    bundle = widget._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    display({name: value for name, value in data.items() if name != "text/plain"}, metadata=metadata, raw=True)
    return display(still_bundle(widget, still), raw=True, display_id=f"still-{uuid.uuid4().hex[:12]}")


def small_still(trace: TraceLike, frame: int, width: int = 160) -> bytes:
    """Render one frame as a small JPEG of a few kilobytes, or nothing if it cannot be decoded."""
    try:
        picture = trace.clip.frame(min(frame, len(trace) - 1))
    except Exception:  # the view reports it, with the reason
        return b""
    size = (width, max(1, round(picture.shape[0] * width / picture.shape[1])))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(small[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 70])
    return data.tobytes()


def strip_image(trace: TraceLike, count: int = 5) -> tuple[bytes, list[int]]:
    """Render ``count`` frames (fewer in a shorter clip) spread over the clip, with skeletons, side by side.

    Returns:
        The strip as JPEG, and the indices of its frames.
    """
    frames = np.unique(np.linspace(0, len(trace) - 1, min(count, len(trace))).round().astype(int)).tolist()
    pictures: list[np.ndarray] = []
    for t in frames:
        frame = trace.clip.frame(t)
        scale = HEIGHT * 2 / frame.shape[0]  # twice the displayed size, for high-resolution screens
        across = scale * float(pixel_aspect(trace.clip))
        size = (max(1, round(frame.shape[1] * across)), HEIGHT * 2)
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        joints = (np.asarray(trace.joints[t]) + 0.5) * (across, scale) - 0.5
        pictures.append(draw_skeleton(small, joints, trace.skeleton))
        pictures.append(np.full((HEIGHT * 2, GAP * 2, 3), 255, np.uint8))
    strip = np.concatenate(pictures[:-1], axis=1)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(strip[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return data.tobytes(), frames


def contact_sheet(people: Sequence[PersonSequence], columns: int = 5, side: int = 200) -> bytes:
    """Render the first frame of labelled people with their joints, side by side, as JPEG.

    Args:
        people: at least one person.
        columns: pictures per row.
        side: side of the square of each picture in pixels.
    """
    rows = -(-len(people) // columns)
    sheet = np.full((rows * (side + GAP) - GAP, columns * (side + GAP) - GAP, 3), 255, np.uint8)
    for i, person in enumerate(people):
        frame = person.images[0][..., :3]
        scale = side / max(frame.shape[:2])
        width, height = (max(1, round(length * scale)) for length in (frame.shape[1], frame.shape[0]))
        small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        joints = (person.joints[0] + 0.5) * scale - 0.5
        top, left = (i // columns) * (side + GAP), (i % columns) * (side + GAP)
        sheet[top : top + height, left : left + width] = draw_skeleton(small, joints, get_skeleton(person.skeleton))
    _, data = cv2.imencode(".jpg", sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data.tobytes()


def filmstrip_html(trace: TraceLike, name: str) -> str:
    """Create the strip as one self-contained HTML figure.

    Args:
        trace: the trace to show.
        name: marks the figure (``data-dkd-filmstrip``), so that the live widget can hide it.
    """
    jpeg, frames = strip_image(trace)
    numbers = ", ".join(str(t) for t in frames)
    caption = f"{trace.clip.name} · {trace.model_name} · frames {numbers} of {len(trace)}"
    if trace.conditions.refine:
        caption += " · joints refined by the initializer"
    if starts := [event.frame for event in trace.reinitialised]:
        caption += f" · re-initialised in frame{'s' * (len(starts) > 1)} {', '.join(map(str, starts))}"
    alt = f"Frames {numbers} of the clip {trace.clip.name} with the skeleton that {trace.model_name} found"
    return (
        f'<figure data-dkd-filmstrip="{html.escape(name)}" style="margin:0">'
        f'<img alt="{html.escape(alt)}" style="width:100%;max-width:1200px" '
        f'src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
        f'<figcaption style="font-size:13px;opacity:.75;padding-top:4px">{html.escape(caption)}. '
        '<span class="dkd-in-lab">Run the cell for the live view.</span></figcaption></figure>'
    )
