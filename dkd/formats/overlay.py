"""The overlay video: a clip with its poses drawn in, MP4 or GIF, each frame with the time of the clip's."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from dkd.errors import ConfigError, nearest_name
from dkd.formats.drawing import OverlayStyle, draw
from dkd.formats.stopping import StoppedError
from dkd.formats.track import PoseTrack
from dkd.video.clip import Clip
from dkd.video.protocols import ClipLike, mean_rate, pixel_aspect

_TICKS = 90_000  # per second, for clips whose rate varies
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
GIF_RATE = 50  # frames per second: browsers show a GIF of a higher rate at 10


def write_mp4(track: PoseTrack, path: Path, **options: Any) -> None:
    """Write H.264; see :func:`write`."""
    write(track, path, "mp4", **options)


def write_gif(track: PoseTrack, path: Path, **options: Any) -> None:
    """Write an animated GIF, with a palette of its own for each frame; see :func:`write`."""
    write(track, path, "gif", **options)


def write(
    track: PoseTrack,
    path: Path,
    kind: str,
    *,
    clip: ClipLike | str | Path | None = None,
    traces: dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    quality: int = 20,
    preset: str = PRESETS[0],
    **style: Any,
) -> None:
    """Draw a track into the frames that it has, and encode them.

    Args:
        track, path: what and where.
        kind: ``"mp4"`` or ``"gif"``.
        clip: the video; frame ``track.frames[t]`` of it is drawn with row t.
        traces: traces by person, for their heatmaps.
        progress: called after each frame with the numbers of frames done and of all.
        cancel: called before each frame; if it returns true, no file is written.
        quality: constant rate factor of H.264, 0 (no loss) to 51.
        preset: how hard H.264 tries, from ``"ultrafast"``, which is no slower than tracing, to ``"veryslow"``, which
            gives a much smaller file.
        style: the attributes of :class:`~dkd.formats.drawing.OverlayStyle`.

    Raises:
        ConfigError: there is no video, the track has frames beyond its end, or a heatmap is asked for without traces.
        StoppedError: cancelled.
        VideoError: a frame cannot be read.
    """
    look = OverlayStyle(**style)
    if preset not in PRESETS:
        raise ConfigError(f"unknown preset {preset!r}{nearest_name(preset, PRESETS)} Known: {', '.join(PRESETS)}.")
    if clip is None:
        raise ConfigError("an overlay needs the video: add video=…, its path or a clip")
    if look.heatmap and len(traces or {}) != len(track.people):
        raise ConfigError("heatmaps can be drawn only of traces; export the traces, or leave out heatmap=True")
    opened = Clip(clip) if isinstance(clip, str | Path) else None
    source: Any = opened or clip
    while hasattr(source, "clip") and hasattr(source, "start"):  # a ClipRange: the track has the video's frames
        source = source.clip
    try:
        if track.frames[-1] >= len(source):
            raise ConfigError(
                f"the track has frames up to {track.frames[-1]}, the video only {len(source)}: is it another video?"
            )
        _encode(track, path, kind, source, look, list((traces or {}).values()), progress, cancel, quality, preset)
    finally:
        if opened is not None:
            opened.close()


def _encode(
    track: PoseTrack,
    path: Path,
    kind: str,
    clip: ClipLike,
    look: OverlayStyle,
    traces: list[Any],
    progress: Callable[[int, int], None] | None,
    cancel: Callable[[], bool] | None,
    quality: int,
    preset: str,
) -> None:
    rows = _rows(track, clip, kind)
    base, ticks = _clock(np.asarray(clip.times)[track.frames[rows]], track.frames[rows], clip.fps, kind)
    with av.open(str(path.absolute()), "w", format=kind) as container:
        encoder = _Encoder(container, kind, base, quality, preset, mean_rate(clip), float(pixel_aspect(clip)))
        for done, (t, tick) in enumerate(zip(rows, ticks, strict=True)):
            if cancel is not None and cancel():
                raise StoppedError
            number = int(track.frames[t])
            maps = [map_of(trace, number) for trace in traces] if look.heatmap else []
            image = draw(clip.frame(number), track, t, look, [one for one in maps if one is not None])
            encoder.add(image, int(tick))
            if progress is not None:
                progress(done + 1, len(rows))
        encoder.finish()


def _rows(track: PoseTrack, clip: ClipLike, kind: str) -> list[int]:
    """Return the rows to show: all, or every n-th if a GIF would have more than ``GIF_RATE`` frames per second."""
    step = 1 if kind != "gif" else max(1, int(np.ceil(mean_rate(clip) / GIF_RATE - 1e-6)))
    return list(range(0, len(track), step))


def _clock(times: np.ndarray, frames: np.ndarray, fps: float | None, kind: str) -> tuple[Fraction, np.ndarray]:
    """Return the time base and each frame's tick: frame numbers if the rate is constant, so that nothing is rounded."""
    if kind == "gif":
        ticks = np.rint((times - times[0]) * 100).astype(np.int64)
        return Fraction(1, 100), np.maximum.accumulate(ticks - 2 * np.arange(len(ticks))) + 2 * np.arange(len(ticks))
    if fps is not None:
        return 1 / Fraction(fps).limit_denominator(1001), frames - frames[0]
    ticks = np.rint((times - times[0]) * _TICKS).astype(np.int64)
    return Fraction(1, _TICKS), np.maximum.accumulate(ticks - np.arange(len(ticks))) + np.arange(len(ticks))


def map_of(trace: Any, number: int) -> tuple[np.ndarray, Any] | None:
    """Return a trace's maps and crop in a frame of the video, if it has that frame."""
    clip, first = trace.clip, 0
    while hasattr(clip, "clip") and hasattr(clip, "start"):
        first, clip = first + clip.start, clip.clip
    t = number - first
    return (np.asarray(trace.heatmaps[t]), trace.crops[t]) if 0 <= t < len(trace) else None


class _Encoder:
    """One video stream: H.264 in BT.709, or GIF through a palette."""

    def __init__(
        self, container: Any, kind: str, base: Fraction, quality: int, preset: str, rate: float, aspect: float
    ):
        self.container, self.kind, self.base, self.aspect = container, kind, base, aspect
        self.sized = False
        self.reformatter = VideoReformatter()  # one for all frames: making one takes as long as using it
        rate_of = Fraction(rate).limit_denominator(1001)
        self.stream = container.add_stream("gif" if kind == "gif" else "libx264", rate=rate_of)
        self.stream.time_base = base
        self.stream.codec_context.time_base = base
        if kind == "gif":
            self.stream.pix_fmt = "pal8"
            return
        self.stream.pix_fmt = "yuv420p"
        self.stream.options = {"crf": str(quality), "preset": preset}
        context = self.stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709; untagged is read as BT.601
        context.color_range = 1
        if aspect != 1:  # the frames keep their size, and say how wide a pixel is, as the video's
            context.sample_aspect_ratio = Fraction(aspect).limit_denominator(1000)

    def add(self, image: np.ndarray, tick: int) -> None:
        """Encode an RGB image at a time. H.264 needs even sizes: the last row or column is then repeated."""
        height, width = image.shape[:2]
        if self.kind == "gif" and self.aspect != 1:  # a GIF has square pixels only
            image = cv2.resize(image, (max(1, round(width * self.aspect)), height), interpolation=cv2.INTER_LINEAR)
        if self.kind != "gif" and (height % 2 or width % 2):
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if not self.sized:  # PyAV's own default is 640 × 480
            self.stream.height, self.stream.width = image.shape[:2]
            self.sized = True
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), format="rgb24")
        if self.kind == "gif":
            frame = self._with_palette(frame)
        else:
            frame = self.reformatter.reformat(
                frame, format="yuv420p", src_colorspace=Colorspace.ITU709, dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG, interpolation=Interpolation.POINT,
            )  # fmt: skip
        frame.pts, frame.time_base = tick, self.base
        self.container.mux(self.stream.encode(frame))

    def _with_palette(self, frame: Any) -> Any:
        graph = av.filter.Graph()
        source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=self.base)
        split, palette, use = graph.add("split"), graph.add("palettegen"), graph.add("paletteuse", "dither=none")
        sink = graph.add("buffersink")
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        source.push(frame)
        source.push(None)
        return sink.pull()

    def finish(self) -> None:
        self.container.mux(self.stream.encode(None))
