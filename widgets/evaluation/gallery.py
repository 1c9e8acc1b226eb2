"""Gallery of single frames with one joint each: thumbnails that are sorted and filtered in the browser."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
import pandas as pd
import traitlets

from dkd.errors import ConfigError
from dkd.pose.crops import box_to_crop, joints_to_box
from dkd.pose.skeleton import get_skeleton
from dkd.tracking.protocols import TraceLike
from widgets.core.filmstrip import draw_skeleton
from widgets.core.library import ModuleWidget, script
from widgets.page.moments import VideoMoment, save_moments
from widgets.page.page import SavedPage

log = logging.getLogger(__name__)
MOST = 60  # maximum number of pictures to send
SIDE = 224  # pixels of a thumbnail, shown at about two thirds of this size, to be sharp on high-resolution screens
QUALITY = 80
_MARGIN = 1.35
_YELLOW, _WHITE, _BLACK = (255, 213, 74), (255, 255, 255), (0, 0, 0)
SORTS = {"error": "largest error", "score": "lowest score", "run": "longest bad run", "frame": "frame"}
FILTERS = {
    "joint": "Joint", "kind": "Error", "visibility": "Visibility", "action": "Action", "model": "Method", "data": "Data"
}  # fmt: skip


class Gallery(ModuleWidget):
    """Thumbnails to choose from.

    Args:
        opened: called with an item's key when it is clicked or Enter is pressed on it.
        traced: makes the run of an item, by its key, for a page.

    Attributes:
        items: one dict per item: ``key`` (unique), the fields of :data:`FILTERS`, ``error`` (share of the
            normaliser), ``error_px``, ``score``, ``run`` (frames), ``frame``, ``time``, ``video``, ``labels``.
    """

    _module = script("evaluation/gallery.js")
    _items = traitlets.List(traitlets.Dict()).tag(sync=True)
    _sorts = traitlets.Dict(SORTS).tag(sync=True)
    _filters = traitlets.Dict(FILTERS).tag(sync=True)
    _unit = traitlets.Unicode("box").tag(sync=True)
    _opened = traitlets.Unicode("").tag(sync=True)
    _message = traitlets.Unicode("").tag(sync=True)
    _code = traitlets.Unicode("").tag(sync=True)

    def __init__(self, opened: Callable[[str], None], traced: Callable[[str], TraceLike] | None = None):
        super().__init__()
        self._on_open, self._traced = opened, traced
        self.on_msg(self._hear)

    @property
    def items(self) -> list[dict[str, Any]]:
        return [{name: value for name, value in item.items() if name != "picture"} for item in self._items]

    def show(self, items: Sequence[Mapping[str, Any]], unit: str) -> None:
        """Show items, each with its ``picture`` (JPEG), keeping the order and filters."""
        with self.hold_sync():
            self._unit = unit
            self._items = [dict(item) for item in items[:MOST]]

    def choose(self, key: str) -> None:
        """Open an item like a click."""
        self._on_open(key)

    def say(self, message: str = "", code: str | None = None, opened: str | None = None) -> None:
        """Show a message below the gallery, the line of Python that opens an item, and mark that item."""
        with self.hold_sync():
            self._message = message
            self._code = self._code if code is None else code
            self._opened = self._opened if opened is None else opened

    def to_html(self, path: str | os.PathLike[str], *, moments: int = 6, around: int = 15, **options: Any) -> SavedPage:
        """Save the gallery as one HTML file that needs no kernel and no network, with the video around some moments.

        Tiles are sorted and filtered there as here. A click on one of the moments with the largest error shows its
        video in a workbench; these are tracked again first, which takes as long as it took in the evaluation.

        Args:
            path: the file, ``.html``; an existing one is replaced.
            moments: number of moments whose video is in the page, 1 or more.
            around: frames before and after each of them.
            options: ``caption``, ``licence``, ``max_mb``, ``pictures``, ``progress`` and ``cancel`` of
                :func:`widgets.save_page`.

        Raises:
            ConfigError: there are no moments yet, or an option does not fit.
            DKDError: a moment cannot be tracked again.
            StorageError: the file cannot be written.
        """
        if self._traced is None or not self._items:
            raise ConfigError("expected moments in the gallery, got none; evaluate a method first")
        if moments < 1:
            raise ConfigError(f"expected the number of moments whose video is in the page, 1 or more, got {moments}")
        worst = sorted(self._items, key=lambda item: -1 if item["error"] is None else item["error"], reverse=True)
        chosen = [
            VideoMoment(item["key"], partial(self._traced, item["key"]), item["frame"], item["joint"])
            for item in worst[:moments]
        ]
        traits = {name: getattr(self, name) for name in ("_sorts", "_filters", "_unit")}
        return save_moments(chosen, self._items, traits, path, around=around, **options)

    def _hear(self, _: Any, content: Any, __: Any) -> None:
        if content.get("type") == "open":
            self._on_open(str(content["key"]))


def moment_key(row: Mapping[str, Any]) -> str:
    """Return the key of a moment: method, data, video, frame and joint."""
    return "|".join(str(row[name]) for name in ("model", "data", "video", "frame", "joint"))


def gallery_items(
    moments: pd.DataFrame,
    table: pd.DataFrame,
    image: Callable[[str, str, int], np.ndarray],
    known: dict[str, bytes] | None = None,
    aspect: Callable[[str, str], float] = lambda data, video: 1.0,
) -> Iterator[dict[str, Any]]:
    """Create the items of a gallery.

    Args:
        moments: rows of :func:`dkd.evaluation.summaries.worst_moments`.
        table: tidy table of these moments.
        image: (data, video, frame) → (H, W, 3) uint8 RGB.
        known: pictures of earlier items by key; new ones are added.
        aspect: (data, video) → width / height of a pixel.
    """
    known = {} if known is None else known
    frames = _Frames(table)
    for row in moments.to_dict("records"):
        key = moment_key(row)
        if key not in known:
            skeleton, predicted, true = frames.joints(row)
            data, video = str(row["data"]), str(row["video"])
            picture, across = image(data, video, int(row["frame"])), aspect(data, video)
            known[key] = thumbnail(picture, predicted, true, skeleton, str(row["joint"]), across)
        yield {
            "key": key,
            "model": str(row["model"]), "data": str(row["data"]), "video": str(row["video"]),
            "joint": str(row["joint"]), "kind": str(row["kind"]), "labels": str(row["labels"]),
            "action": str(row["action"] or "–"), "visibility": "visible" if row["visible"] else "hidden",
            "frame": int(row["frame"]), "time": float(row["time_s"]), "run": int(row["n_frames"]),
            "error": _plain(row["error"]), "error_px": _plain(row["error_px"]), "score": _plain(row["score"]),
            "picture": known[key],
        }  # fmt: skip


def _plain(value: Any) -> float | None:
    """Convert to a float or ``None``: JSON has no NaN."""
    return float(value) if np.isfinite(value) else None


class _Frames:
    """Joints of single frames from the tidy table; the rows of a video are searched once."""

    def __init__(self, table: pd.DataFrame):
        self._table = table
        self._videos: dict[tuple[str, ...], pd.DataFrame] = {}

    def joints(self, row: Mapping[str, Any]) -> tuple[Any, np.ndarray, np.ndarray]:
        """Return skeleton, predicted and true joints (J, 2) in the frame of ``row``."""
        columns = ("model", "data", "video")
        key = tuple(str(row[name]) for name in columns)
        if key not in self._videos:
            found = np.ones(len(self._table), bool)
            for name, value in zip(columns, key, strict=True):
                found &= (self._table[name] == value).to_numpy()
            self._videos[key] = self._table[found]
        rows = self._videos[key]
        rows = rows[rows["frame"] == row["frame"]]
        skeleton = get_skeleton(str(rows["skeleton"].iloc[0]))
        rows = rows.assign(joint=rows["joint"].astype(str)).set_index("joint").reindex(list(skeleton.joints))
        return skeleton, rows[["x", "y"]].to_numpy(float), rows[["true_x", "true_y"]].to_numpy(float)


def thumbnail(
    frame: np.ndarray, predicted: np.ndarray, true: np.ndarray, skeleton: Any, joint: str, aspect: float = 1.0
) -> bytes:
    """Draw the person with the predicted skeleton, true joints as circles, and the joint's error as a line (JPEG).

    Args:
        frame: (H, W, 3) uint8 RGB.
        predicted, true: (J, 2) pixels; NaN where unknown.
        skeleton: skeleton of the joints.
        joint: name of the joint with the error.
        aspect: width / height of a pixel of the frame; it is shown with square pixels.
    """
    if aspect != 1:
        height, width = frame.shape[:2]
        frame = cv2.resize(frame[..., :3], (max(1, round(width * aspect)), height))
        predicted, true = ((points + 0.5) * (aspect, 1) - 0.5 for points in (predicted, true))
    j = skeleton.index(joint)
    at = np.concatenate([true, predicted if not np.isfinite(true).all(-1).any() else predicted[j : j + 1]])
    box = joints_to_box(at[np.isfinite(at).all(-1)])
    if box is None:  # no joints
        box = (0.0, 0.0, float(frame.shape[1]), float(frame.shape[0]))
    crop = box_to_crop(box, _MARGIN)
    picture = crop.extract(np.ascontiguousarray(frame[..., :3]), SIDE)
    seen, truth = (np.asarray(crop.to_grid(points, SIDE), float) for points in (predicted, true))
    picture = draw_skeleton(picture, np.clip(seen, -4 * SIDE, 4 * SIDE), skeleton)
    for point in truth[np.isfinite(truth).all(-1)]:
        _ring(picture, point, 3, _WHITE, 1)
    ends = [seen[j], truth[j]]
    if all(np.isfinite(point).all() for point in ends):
        a, b = (tuple(int(v) for v in np.clip(point, -4 * SIDE, 4 * SIDE).round()) for point in ends)
        for colour, width in ((_BLACK, 4), (_YELLOW, 2)):
            cv2.line(picture, a, b, colour, width, cv2.LINE_AA)
    for point, radius, colour in ((truth[j], 7, _WHITE), (seen[j], 9, _YELLOW)):
        if np.isfinite(point).all():
            _ring(picture, np.clip(point, -4 * SIDE, 4 * SIDE), radius, colour, 2)
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def _ring(picture: np.ndarray, point: np.ndarray, radius: int, colour: Sequence[int], width: int) -> None:
    centre = tuple(int(v) for v in point.round())
    cv2.circle(picture, centre, radius, _BLACK, width + 2, cv2.LINE_AA)
    cv2.circle(picture, centre, radius, colour, width, cv2.LINE_AA)
