"""Figures for papers and slides with matplotlib: a frame with its poses, lanes over the clip, the kernels of a joint.

They are saved as SVG, with the frame embedded and all lines as vectors, or as PNG. They look like the views.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.patheffects import Normal, Stroke

from dkd.errors import ConfigError, FrameIndexError, checked
from dkd.formats.drawing import PEOPLE, SIDES, SURE, OverlayStyle
from dkd.formats.track import PoseTrack, as_track, made_by, traces_in
from dkd.tracking.protocols import TraceLike, matches_joints
from dkd.video.clip import Clip
from dkd.video.protocols import ClipLike, pixel_aspect
from dkd.video.ranges import place_in_video

_DPI = 72  # of a figure of a frame: a point of the figure is a pixel of the video
_GREY = "#8a8a8a"
# Text stays text, so that it can be edited and found; and equal figures are equal files.
SVG: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "dkd", "svg.image_inline": True}


class ViewFigure(Figure):
    """A matplotlib figure that a notebook shows without pyplot; ``figure.savefig("x.svg")`` saves it."""

    def _repr_png_(self) -> bytes:
        data = io.BytesIO()
        self.savefig(data, format="png")
        return data.getvalue()


@checked
def plot_frame(
    poses: Any, frame: int | None = None, *, video: ClipLike | str | os.PathLike[str] | None = None,
    traces: dict[str, Any] | None = None, **style: Any,
) -> ViewFigure:  # fmt: skip
    """Plot a frame of the video with its poses; one point of the figure is one pixel.

    ::

        plot_frame(trace, 41, heatmap=True, joint="left_wrist").savefig("frame.svg")

    Args:
        poses: a trace, several by name, or a :class:`~dkd.formats.track.PoseTrack`.
        frame: number of the frame in the video; by default the first of the track.
        video: clip or path of the video, for a track; a trace knows its own.
        traces: traces by person, for heatmaps; by default those among ``poses``.
        style: the attributes of :class:`~dkd.formats.drawing.OverlayStyle`; ``scale`` is that of a PNG.

    Raises:
        ConfigError: there is no video, or a heatmap is asked for without traces.
        FrameIndexError: the track or the video does not have this frame.
        VideoError: the frame cannot be read.
    """
    from dkd.formats.files import traces_of
    from dkd.formats.overlay import map_of

    poses = traces_in(poses)
    look, track = OverlayStyle(**style), as_track(poses)
    given = traces_of(poses) if traces is None else traces
    frame = int(track.frames[0]) if frame is None else frame
    found = np.flatnonzero(track.frames == frame)
    if not len(found):
        raise FrameIndexError(f"expected a frame of the track, {track.frames[0]} to {track.frames[-1]}, got {frame}")
    if look.heatmap and len(given) != len(track.people):
        raise ConfigError("heatmaps can be drawn only of traces; plot the traces, or leave out heatmap=True")
    source = video if video is not None else next(iter(given.values())).clip if given else None
    if source is None:
        raise ConfigError("a picture of a frame needs the video: add video=…, its path or a clip")
    opened = Clip(source) if isinstance(source, str | os.PathLike) else None
    clip: Any = opened or source
    while hasattr(clip, "clip") and hasattr(clip, "start"):  # a ClipRange: the track has the video's frames
        clip = clip.clip
    try:
        image, aspect = clip.frame(frame), float(pixel_aspect(clip))
    finally:
        if opened is not None:
            opened.close()
    figure, axes = _picture(image, aspect, look.scale)
    maps = [map_of(trace, frame) for trace in given.values()] if look.heatmap else []
    for one in maps:
        if one is not None:
            _plot_heatmap(axes, *one, None if look.joint is None else track.skeleton.index(look.joint))
    for p in range(len(track.people)):
        _plot_person(axes, track, int(found[0]), p, look, aspect)
    return figure


def _picture(image: np.ndarray, aspect: float, scale: float) -> tuple[ViewFigure, Any]:
    """Return a figure that is filled by a picture; pixel (x, y) of it is (x, y) of its axes."""
    height, width = image.shape[:2]
    figure = ViewFigure(figsize=(width * aspect * scale / _DPI, height * scale / _DPI), dpi=_DPI)
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.imshow(image, interpolation="none", aspect="auto")
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_axis_off()
    return figure, axes


def _plot_heatmap(axes: Any, heatmap: np.ndarray, crop: Any, joint: int | None) -> None:
    values = np.clip((heatmap if joint is None else heatmap[joint : joint + 1]).max(0), 0, 1)
    colours = colormaps["viridis"](values)
    colours[..., 3] = 0.75 * values
    n = values.shape[-1]
    (x0, y0), (x1, y1) = crop.to_frame(np.array([[-0.5, -0.5], [n - 0.5, n - 0.5]]), n)
    limits = axes.axis()
    axes.imshow(colours, extent=(x0, x1, y1, y0), interpolation="bilinear", aspect="auto", zorder=1)
    axes.axis(limits)


def _plot_person(axes: Any, track: PoseTrack, t: int, p: int, look: OverlayStyle, aspect: float) -> None:
    weight = max(max(axes.get_xlim()[1], axes.get_ylim()[0]) / 640, 0.75)
    several = len(track.people) > 1
    by_person = look.colours == "people" or (look.colours is None and several)
    start = max(0, t - look.trail)
    points = np.asarray(track.xy[start : t + 1, p], np.float64)
    sure = (track.scores if track.confidence is None else track.confidence)[t, p]
    opacity = np.clip(np.where(np.isnan(sure), 1, sure) / SURE, 0.15, 1) if look.confidence else np.ones(len(sure))
    there = ~np.isnan(points[-1, :, 0])

    def colour(side: str) -> tuple[float, ...]:
        rgb = PEOPLE[p % len(PEOPLE)] if by_person else SIDES[side]
        return tuple(value / 255 for value in rgb)

    size, weight = weight, weight * look.scale  # in pixels of the video, and in points
    halo = [Stroke(linewidth=3.6 * weight, foreground="white", alpha=0.8), Normal()]
    for j in range(len(track.joints)) if look.joint is None else [track.skeleton.index(look.joint)]:
        for k in range(len(points) - 1):
            if np.isnan(points[k : k + 2, j]).any():
                continue
            shade = {"color": colour(track.skeleton.side(j)), "alpha": (k + 1) / len(points)}
            axes.plot(*points[k : k + 2, j].T, lw=weight, zorder=2, **shade)
    for a, b in track.skeleton.limb_indices:
        if not (there[a] and there[b]):
            continue
        sides = {track.skeleton.side(a), track.skeleton.side(b)}
        side = sides.pop() if len(sides) == 1 else "centre"
        dash = (0, (3.5, 2)) if side == "right" and not by_person else "-"
        axes.plot(
            *points[-1, [a, b]].T, color=colour(side), lw=2 * weight, ls=dash, alpha=min(opacity[a], opacity[b]),
            path_effects=halo, dash_capstyle="butt", zorder=3,
        )  # fmt: skip
    for j in np.flatnonzero(there).tolist():
        # A patch, because markers are moved to whole pixels in a PNG.
        dot = Ellipse(
            points[-1, j], 4 * size / aspect, 4 * size, facecolor=colour(track.skeleton.side(j)), edgecolor="white",
            lw=0.7 * weight, alpha=opacity[j], zorder=4, gid=f"{track.people[p]} {track.joints[j]}", snap=False,
        )  # fmt: skip
        axes.add_patch(dot)
    if (look.names if look.names is not None else several) and there.any():
        x, y = points[-1, there, 0].mean(), points[-1, there, 1].min() - 8 * size
        axes.text(
            x, max(y, 12), track.people[p], color=colour("centre") if by_person else "white", ha="center",
            fontsize=11 * weight, clip_on=True, zorder=5, parse_math=False,
            bbox={"facecolor": "black", "alpha": 0.65, "linewidth": 0, "pad": 1.5 * weight},
        )  # fmt: skip


@checked
def plot_lanes(trace: TraceLike, joint: str | int = 0, *, frame: int | None = None) -> ViewFigure:
    """Plot confidence (score without a calibration), speed and kernel drift over the clip, as in the timeline.

    Args:
        trace: a trace, or a track as one (:func:`dkd.as_trace`).
        joint: the joint.
        frame: a frame to mark with a line, 0..T−1.

    Raises:
        ConfigError: there is no such joint.
    """
    skeleton = trace.skeleton
    j = skeleton.index(joint)
    name, colour = skeleton.joints[j].replace("_", " "), [value / 255 for value in SIDES[skeleton.side(j)]]
    n, sure = len(trace), np.asarray(trace.confidence if trace.calibrated else trace.scores)
    drift = np.asarray(trace.kernel_drift()).copy()
    drift[:1] = np.nan  # there is none before the first frame
    figure = ViewFigure(figsize=(8, 4.2), dpi=150, layout="constrained")
    axes: Any = figure.subplots(3, 1, sharex=True)
    axes[0].plot(sure.mean(1), color="#b5b5b5", lw=1, label="mean of all joints")
    axes[0].plot(sure[:, j], color=colour, lw=1.5, label=name)
    axes[0].set_ylabel("confidence" if trace.calibrated else "score")
    axes[0].set(ylim=(0, max(1.0, float(np.nanmax(sure, initial=0.0)))))
    for label in axes[0].legend(loc="lower left", fontsize="small", ncols=2, frameon=False).get_texts():
        label.set_parse_math(False)
    axes[1].plot(np.asarray(trace.speed())[:, j], color=colour, lw=1.5)
    axes[1].set(ylabel="speed, px/s", ylim=(0, None))
    if trace.kernels.size:
        axes[2].plot(drift, color="#333333", lw=1.5)
        axes[2].set(ylim=(0, None))
    else:
        axes[2].text(0.5, 0.5, "no kernels", transform=axes[2].transAxes, ha="center", color=_GREY)
        axes[2].set(yticks=[])
    axes[2].set(ylabel="kernel drift", xlabel="frame", xlim=(0, max(n - 1, 1)))
    for lane in axes:
        lane.spines[["top", "right"]].set_visible(False)
        for event in trace.reinitialised:
            lane.axvline(event.frame, color="#333333", lw=1, ls="--")
        if frame is not None:
            lane.axvline(frame, color="#0072b2", lw=1.5)
    figure.suptitle(f"{trace.clip.name} · {made_by(trace)} · {name}", fontsize="medium", parse_math=False)
    return figure


@checked
def plot_kernels(trace: TraceLike, frame: int, joint: str | int = 0, *, n: int = 6) -> ViewFigure:
    """Plot how a joint was found: its heatmap, and of the strongest channels features × kernel → contribution.

    The title has the sum at the heatmap's peak. In a model with kernels made at the joints, that is the matched value,
    and the title has the heatmap's value, too.

    Args:
        trace: a trace of a model with kernels.
        frame: a frame whose heatmap comes from matching, 0..T−1.
        joint: the joint.
        n: number of channels.

    Raises:
        FrameIndexError: the trace does not have this frame.
        ConfigError: the trace has no kernels.
        DKDError: the heatmap of this frame comes from the initializer.
    """
    if not 0 <= frame < len(trace):
        raise FrameIndexError(f"expected a frame from 0 to {len(trace) - 1}, got {frame}")
    if not trace.kernels.size:
        raise ConfigError(f"{trace.model_name} has no kernels to plot; choose a DKD, or plot_lanes(trace)")
    j, name = trace.skeleton.index(joint), trace.skeleton.joints[trace.skeleton.index(joint)]
    parts = np.asarray(trace.contributions(frame, j))  # (C, H, W)
    before = trace.previous(frame)
    assert before is not None  # contributions() would have failed
    heatmap = np.asarray(trace.heatmaps[frame][j])
    y, x = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    terms, bias = parts[:, y, x], float(trace.bias[j])
    order = np.argsort(-np.abs(terms))[:n]
    side = trace.kernels.shape[-1]
    padded = np.pad(np.asarray(trace.projected(frame)), ((0, 0), (side // 2,) * 2, (side // 2,) * 2))
    figure = ViewFigure(figsize=(8, 0.62 * len(order) + 1.3), dpi=150, layout="constrained")
    grid = figure.add_gridspec(len(order), 4, width_ratios=(len(order) * 0.8, 1, 1, 3.2))
    large: Any = figure.add_subplot(grid[:, 0])
    large.imshow(heatmap, vmin=0, vmax=1, cmap="viridis", interpolation="none")
    large.plot(x, y, "+", color="white", ms=9, mew=2)
    large.set(xticks=[], yticks=[])
    large.set_title(f"heatmap, peak at ({x}, {y})", fontsize="small")
    most = float(np.abs(terms[order]).max()) or 1.0
    for row, c in enumerate(order.tolist()):
        pictures = padded[c, y : y + side, x : x + side], np.asarray(trace.kernels[before][c])
        for column, (values, title) in enumerate(zip(pictures, ("features", "kernel"), strict=True), 1):
            small: Any = figure.add_subplot(grid[row, column])
            largest = float(np.abs(values).max()) or 1.0
            small.imshow(values, vmin=-largest, vmax=largest, cmap="PRGn", interpolation="none")
            small.set(xticks=[], yticks=[])
            if row == 0:
                small.set_title(title, fontsize="small")
        bar: Any = figure.add_subplot(grid[row, 3])
        bar.barh(0, terms[c], color="#1b7837" if terms[c] > 0 else "#762a83", height=0.5)
        bar.set(xlim=(-1.6 * most, 1.6 * most), ylim=(-0.5, 0.5), xticks=[], yticks=[])
        bar.set_title(f"contribution of channel {c}" if row == 0 else f"channel {c}", fontsize="small", loc="left")
        bar.text(1.55 * most, 0, f"{terms[c]:+.3f}", ha="right", va="center", fontsize="small")
        bar.spines[:].set_visible(False)
        bar.axvline(0, color=_GREY, lw=0.8)
    held = f"{float(heatmap[y, x]):.3f}"
    if matches_joints(trace):
        held = f"{held}, by the kernels at the joint from {float(terms.sum()) + bias:.3f}"
    shown = f"{held} = bias {bias:+.3f}, these {float(terms[order].sum()):+.3f}"
    rest = float(terms.sum() - terms[order].sum())
    figure.suptitle(
        f"{name.replace('_', ' ')}, frame {frame}: {shown}, {len(terms) - len(order)} other channels {rest:+.3f}",
        fontsize="medium",
        parse_math=False,
    )
    return figure


VIEWS = ("player", "lanes", "kernels")


def write_svg(track: PoseTrack, path: Path, **options: Any) -> None:
    """Write a figure as SVG; see :func:`write`."""
    write(track, path, "svg", **options)


def write_png(track: PoseTrack, path: Path, **options: Any) -> None:
    """Write a figure as PNG; see :func:`write`."""
    write(track, path, "png", **options)


def write(
    track: PoseTrack,
    path: Path,
    kind: str,
    *,
    clip: Any = None,
    traces: dict[str, Any] | None = None,
    view: str = "player",
    frame: int | None = None,
    joint: str | None = None,
    **style: Any,
) -> None:
    """Write the picture of a view.

    Args:
        track, path: what and where.
        kind: ``"svg"`` or ``"png"``.
        clip: the video.
        traces: traces by person, for heatmaps, lanes and kernels; the first one's lanes and kernels are plotted.
        view: ``"player"`` (:func:`plot_frame`), ``"lanes"`` (:func:`plot_lanes`) or ``"kernels"``
            (:func:`plot_kernels`).
        frame: number of the frame in the video; by default the first one.
        joint: the joint of the trail, the heatmap, the lanes or the kernels.
        style: what the player shows, see :class:`~dkd.formats.drawing.OverlayStyle`.

    Raises:
        ConfigError: the view is unknown, or what it needs is missing.
    """
    if view not in VIEWS:
        raise ConfigError(f"expected a view {', '.join(VIEWS)}, got {view!r}")
    given = traces or {}
    if view == "player":
        figure = plot_frame(track, frame, video=clip, traces=given, joint=joint, **style)
    else:
        if not given:
            from dkd.formats.as_trace import as_trace

            given = {"": as_trace(track, clip)}
        trace = next(iter(given.values()))
        at = None if frame is None else frame - place_in_video(trace.clip)[0]
        chosen = 0 if joint is None else joint
        if view == "lanes":
            figure = plot_lanes(trace, chosen, frame=at)
        else:
            figure = plot_kernels(trace, 1 if at is None else at, chosen)
    with rc_context(SVG):
        metadata = {"Date": None} if kind == "svg" else {}
        figure.savefig(path, format=kind, metadata=metadata)
