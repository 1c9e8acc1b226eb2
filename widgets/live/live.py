"""``LiveView``: a person in front of a camera, or in a video as if it were live, tracked while you look."""

from __future__ import annotations

import base64
import html
import logging
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import simplejpeg
import traitlets

from dkd.engines.choice import accelerate, engine_of
from dkd.errors import ClosedError, ConfigError, DKDError, ShapeError, nearest_name
from dkd.io.background import start_thread
from dkd.io.paths import DEFAULT_MODEL
from dkd.live.live import Live
from dkd.live.seen import Seen
from dkd.live.sources import PlayedClip, check_source
from dkd.models.base import VideoPoseModel
from dkd.pose.crops import four_numbers
from dkd.tracking.conditions import Conditions
from dkd.tracking.opening import as_model
from dkd.tracking.progress import Preparation
from widgets.core.filmstrip import display_with_still, draw_skeleton, still_bundle
from widgets.core.library import ModuleWidget, script
from widgets.core.tables import MAP_RANGE
from widgets.core.view import describe_error
from widgets.core.wire import encode_frame, quantize_maps, write_message

_log = logging.getLogger(__name__)

_IN_FLIGHT = 2  # frames that the page has not painted yet; with more, newer ones are not sent
_FORGOTTEN_S = 2.0  # after which a page that was closed is no longer waited for
_LARGEST_FRAME = 4096  # pixels of a side of a frame that a page may send

Box = tuple[float, float, float, float]


class LiveView(ModuleWidget):
    """A live view of a :class:`dkd.Live` run: picture, skeleton, heatmap, delay, and dropped frames.

        LiveView("dkd-mobilenetv2")               # the webcam of the browser
        LiveView("dkd-mobilenetv2", "walk.mp4")   # a video, played by its clock
        LiveView("dkd-mobilenetv2", 0)            # a camera of the machine that runs the kernel

    *Start* and *Stop* on the page do what :meth:`start` and :meth:`stop` do. Drag a box around a person to follow them.
    Nothing is recorded but what :attr:`live` keeps.

    Args:
        model: the model; or the name of a shipped one, or the path of a checkpoint.
        source: as for :class:`dkd.Live`; ``None``: the webcam of the browser, which asks for permission.
        box: box of the person in the first frame, in pixels; ``None``: the whole frame is searched.
        conditions, engine: as for :class:`dkd.Live`.
        loop: whether to play a video again and again.

    Attributes:
        joint: name of the joint whose heatmap is shown; set it to choose.
        live: the current or last run, or ``None`` before the first one: ``view.live.poses()``, ``view.live.trace()``.
    """

    _module = script("live/live.js")
    _about = traitlets.Dict().tag(sync=True)
    _state = traitlets.Unicode("ready").tag(sync=True)
    _error = traitlets.Unicode("").tag(sync=True)
    _filmstrip = traitlets.Unicode().tag(sync=True)
    joint = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        model: VideoPoseModel | str | os.PathLike[str] = DEFAULT_MODEL,
        source: Any = None,
        box: Box | None = None,
        conditions: Conditions | None = None,
        *,
        engine: str | None = None,
        loop: bool = False,
    ):
        if loop and not isinstance(source, str | os.PathLike):
            raise ConfigError(f"expected the path of a video to play again and again, got source={source!r}")
        if source is not None:
            check_source(source)
        if box is not None:
            four_numbers(box)
        with Preparation(True) as prepared:
            self._model = accelerate(as_model(model).eval(), engine, prepared)
        self._source, self._box, self._conditions, self._loop = source, box, conditions, loop
        self.live: Live | None = None
        self._on_way: dict[int, float] = {}  # frames that the page has not painted yet, and when they were sent
        self._browser_ms = 0.0
        self._still: Any = None
        skeleton = self._model.skeleton
        name = "Webcam" if source is None else str(getattr(source, "name", source))
        about = {
            "name": f"Live: {os.path.basename(name)}", "model": self._model.name, "engine": engine_of(self._model),
            "refined": bool(conditions and conditions.refine), "is_browser": source is None,
            "joints": list(skeleton.joints), "map_range": list(MAP_RANGE),
            "sides": [skeleton.side(j) for j in skeleton.joints], "limbs": [list(p) for p in skeleton.limb_indices],
        }  # fmt: skip
        joint = "left_wrist" if "left_wrist" in skeleton.joints else skeleton.joints[0]
        super().__init__(_about=about, joint=joint, _filmstrip=f"dkd-{uuid.uuid4().hex[:12]}")
        self.on_msg(self._hear)

    @traitlets.validate("joint")
    def _check_joint(self, proposal: Any) -> str:
        known = self._model.skeleton.joints
        if proposal["value"] not in known:
            hint = nearest_name(proposal["value"], known)
            raise ConfigError(f"unknown joint {proposal['value']!r}{hint} Known: {', '.join(known)}.")
        return str(proposal["value"])

    # --- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin a run, in place of the one before. With the webcam of the browser, press *Start* on the page instead.

        Raises:
            ClosedError: frames of a program cannot be tracked twice.
            VideoError: the video or the camera cannot be used.
        """
        self.stop()
        self._on_way, self._browser_ms, self._error = {}, 0.0, ""
        if self.live is not None and hasattr(self._source, "__next__"):
            raise ClosedError("expected frames that can be made again, got an iterator that was read; make a new view")
        source = PlayedClip(self._source, loop=True) if self._loop else self._source
        live = Live(self._model, source, self._box, self._conditions)
        live.subscribe(self._show)
        self.live = live.start()
        start_thread(self._watch, live, name="dkd-live-view", stop=live.stop)
        self._state = live.state

    def stop(self) -> None:
        """End the run. May be called twice."""
        if self.live is not None:
            self.live.stop()

    def follow(self, box: Box | None = None) -> None:
        """Start the model again in the next frame, on the person in a box; ``None``: search the whole frame.

        Raises:
            BoxError: the box is degenerate or outside the frame.
            ClosedError: there is no run.
        """
        if self.live is None or self.live.state != "running":
            raise ClosedError("expected a run in progress; press Start first")
        self.live.follow(box)

    def _watch(self, live: Live) -> None:
        """Tell the page when a run ends."""
        live.join()
        if live is not self.live or self.comm is None:
            return
        if live.error is not None:
            self._error = _in_words(live.error)
        self._state = live.state
        if self._still is not None:
            self._still.update(still_bundle(self, self.still_html()), raw=True)

    # --- messages ----------------------------------------------------------------------------------------------------

    def _hear(self, _widget: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        try:
            match content.get("type"):
                case "start":
                    self.start()
                case "stop":
                    self.stop()
                case "follow":
                    box = content.get("box")
                    self._error = ""
                    self.follow(None if box is None else tuple(float(v) for v in box))  # type: ignore[arg-type]
                case "frame":
                    self._take(content, buffers)
                case "painted":
                    sent = self._on_way.pop(int(content["number"]), None)
                    self._browser_ms = 0.0 if sent is None else 1e3 * (time.perf_counter() - sent)
                case other:
                    raise ValueError(f"expected a message that the live view knows, got {other!r}")
        except Exception as error:
            _log.info("%s failed", content.get("type"), exc_info=True)
            self._error = _in_words(error)
            self.send({"type": "refused"})

    def _take(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Give a frame of the page's webcam to the run."""
        live, received = self.live, time.perf_counter()
        if live is None or live.state != "running" or len(buffers) != 1:
            return  # it was on its way when the run ended
        image = decode_frame(bytes(buffers[0]))
        decode_ms = 1e3 * (time.perf_counter() - received)
        number = int(content["number"])
        if number < live.captured:
            return
        with suppress(ClosedError):  # it ended meanwhile
            live.offer(image, float(content["taken_ms"]) / 1e3, received, decode_ms, number)

    def _show(self, seen: Seen) -> None:
        """Send a result to the page, if it is not busy with earlier ones."""
        live = self.live
        if self.comm is None and live is not None:  # the cell was run again: nobody looks
            live.stop()
            return
        if live is None:
            return
        is_browser = self._source is None
        if not is_browser:
            now = time.perf_counter()
            self._on_way = {n: at for n, at in list(self._on_way.items()) if now - at < _FORGOTTEN_S}
            if len(self._on_way) >= _IN_FLIGHT:
                return
            self._on_way[seen.number] = now
        self.send(*render_seen(seen, live, self.joint, None if is_browser else self._browser_ms))

    # --- still picture -----------------------------------------------------------------------------------------------

    def still_html(self) -> str:
        """Return the HTML that stays in the notebook: with the last frame of a video, but never of a camera."""
        live, picture = self.live, ""
        seen = None if live is None else live.latest
        caption = f"{self._about['name']}, {self._about['model']}"
        caption += ", joints refined by the initializer" if self._about["refined"] else ""
        if live is not None and seen is not None and isinstance(live.source, PlayedClip):
            drawn = draw_skeleton(seen.image, seen.joints, self._model.skeleton)
            data = base64.b64encode(encode_frame(drawn)).decode()
            source = f"data:image/jpeg;base64,{data}"
            picture = f'<img alt="The last frame, with the skeleton" style="max-width:640px" src="{source}">'
            caption += f", {live.tracked} frames tracked, {live.dropped} dropped"
        return (
            f'<figure data-dkd-filmstrip="{self._filmstrip}" style="margin:0">{picture}'
            f'<figcaption style="font-size:13px;opacity:.75">{html.escape(caption)}. '
            '<span class="dkd-in-lab">Run the cell for the live view.</span></figcaption></figure>'
        )

    def _ipython_display_(self) -> None:
        self._still = display_with_still(self, self.still_html())

    def close(self) -> None:
        """End the run and free the view. May be called twice."""
        if hasattr(self, "live"):  # ipywidgets also closes incomplete widgets when they are deleted
            self.stop()
        super().close()

    def __repr__(self) -> str:
        return f"<LiveView {self._about.get('name', '')!r}: {self._state}>"


def render_seen(seen: Seen, live: Live, joint: str, browser_ms: float | None) -> tuple[dict[str, Any], list[bytes]]:
    """Build the message of one result.

    Args:
        seen, live: the result, and its run.
        joint: the joint whose map is sent.
        browser_ms: how long the page took lately to answer, for a source that is not the page's own, whose picture is
            sent with the result; ``None``: the page has the picture.

    Returns:
        Its parts: joints (J,2) and scores (J,) float32, map (H·W) uint8 over ``MAP_RANGE``, and jpeg.
    """
    j = live.skeleton.joints.index(joint)
    height, width = seen.image.shape[:2]
    content: dict[str, Any] = {
        "type": "seen", "number": seen.number, "time_s": seen.time_s, "size": [width, height],
        "crop": [seen.crop.left, seen.crop.top, seen.crop.side], "map_joint": j,
        "map_size": [seen.heatmaps.shape[2], seen.heatmaps.shape[1]], "map": quantize_maps(seen.heatmaps[j]),
        "joints": seen.joints, "scores": np.asarray(seen.scores, np.float32),
        "capture_ms": seen.capture_ms, "decode_ms": seen.decode_ms, "network_ms": seen.network_ms,
        "refine_ms": seen.refine_ms,
        "captured": live.captured, "tracked": live.tracked, "dropped": live.dropped,
    }  # fmt: skip
    if browser_ms is not None:
        begin = time.perf_counter()
        content["jpeg"] = encode_frame(seen.image)
        encode_ms = 1e3 * (time.perf_counter() - begin)
        content["stages"] = {
            "capture": seen.capture_ms, "decode": seen.decode_ms, "network": seen.network_ms,
            **({"refine": seen.refine_ms} if live.conditions.refine else {}), "encode": encode_ms,
            "browser": max(0.0, browser_ms - encode_ms),
        }  # fmt: skip
    return write_message(content)


def decode_frame(jpeg: bytes) -> np.ndarray:
    """Decode a JPEG that a page has sent: (H, W, 3) uint8 RGB.

    Raises:
        ShapeError: it is no JPEG, or too large.
    """
    try:
        height, width = simplejpeg.decode_jpeg_header(jpeg)[:2]
        if max(height, width) > _LARGEST_FRAME:
            raise ShapeError(f"expected frames of at most {_LARGEST_FRAME} pixels, got {width}×{height}")
        return simplejpeg.decode_jpeg(jpeg, colorspace="RGB")
    except ValueError as error:
        if isinstance(error, DKDError):
            raise
        raise ShapeError(f"expected a frame as JPEG, got {len(jpeg)} bytes that are none ({error})") from error


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, DKDError) else describe_error(error, "in the live view")
