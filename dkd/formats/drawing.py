"""A frame with its poses: skeleton, trails, heatmap, names and confidence, drawn with OpenCV."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dkd.errors import ConfigError
from dkd.formats.track import PoseTrack
from dkd.pose.crops import Crop

# As in the views: left, right and midline; then people, in colours that are told apart (Okabe and Ito).
SIDES = {"left": (0, 114, 178), "right": (213, 94, 0), "centre": (138, 138, 138)}
PEOPLE = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (240, 228, 66), (0, 114, 178), (213, 94, 0))
_SHIFT = 4  # bits of a pixel's fraction: OpenCV draws at sixteenths of a pixel
_LEVELS = (0.3, 0.5, 0.75, 1.0)  # opacities; what is less certain is drawn fainter
# (256, 1, 3) RGB.
_VIRIDIS = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[..., ::-1].copy()
_LEAST = 0.02  # of a heatmap's values: less is not seen
SURE = 0.8  # confidence from which a joint is drawn at full opacity


@dataclass(frozen=True)
class OverlayStyle:
    """What an overlay shows.

    Attributes:
        trail: number of past frames whose joints are drawn as a fading line; 0 for none.
        heatmap: draw the maximum of a trace's heatmaps over its joints.
        joint: draw the trail and the heatmap of this joint only.
        colours: ``"sides"`` (left blue, right orange) or ``"people"``; by default people if there are several.
        names: write people's names; by default if there are several.
        confidence: draw less certain joints fainter: by the confidence, else by the score.
        scale: size of the picture relative to the video's.
    """

    trail: int = 0
    heatmap: bool = False
    joint: str | None = None
    colours: str | None = None
    names: bool | None = None
    confidence: bool = True
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.trail < 0 or not 0 < self.scale <= 4 or self.colours not in (None, "sides", "people"):
            raise ConfigError(
                "expected trail ≥ 0, a scale above 0 and at most 4, and colours 'sides' or 'people', got "
                f"trail={self.trail}, scale={self.scale}, colours={self.colours!r}"
            )


def draw(
    image: np.ndarray,
    track: PoseTrack,
    t: int,
    style: OverlayStyle,
    maps: list[tuple[np.ndarray, Crop]] | None = None,
) -> np.ndarray:
    """Draw frame ``t`` of a track.

    Args:
        image: (H, W, 3) uint8 RGB, the video's frame.
        track, t: the track, and the index of the frame in it.
        style: what to draw.
        maps: heatmaps (J, H, W) and crops of the people in this frame, if ``style.heatmap``.

    Returns:
        A new image, scaled.
    """
    out = np.ascontiguousarray(image).copy()
    for heatmap, crop in maps or ():
        _heat(out, heatmap if style.joint is None else heatmap[track.skeleton.index(style.joint)][None], crop)
    if style.scale != 1:
        size = [max(1, round(n * style.scale)) for n in out.shape[1::-1]]
        out = cv2.resize(out, size, interpolation=cv2.INTER_AREA if style.scale < 1 else cv2.INTER_LINEAR)
    weight = max(max(out.shape[:2]) / 640, 0.75)  # of lines: 1 in a picture of 640 pixels
    for p in range(len(track.people)):
        _person(out, track, t, p, style, weight)
    return out


def _person(out: np.ndarray, track: PoseTrack, t: int, p: int, style: OverlayStyle, weight: float) -> None:
    several = len(track.people) > 1
    by_person = style.colours == "people" or (style.colours is None and several)
    # The centre of pixel i is at i + 0.5, also after scaling.
    start = max(0, t - style.trail)
    points = (np.asarray(track.xy[start : t + 1, p], np.float64) + 0.5) * style.scale - 0.5
    sure = (track.scores if track.confidence is None else track.confidence)[t, p]
    opacity = np.clip(np.where(np.isnan(sure), 1, sure) / SURE, 0, 1) if style.confidence else np.ones(len(sure))

    def colour(joint: int) -> tuple[int, int, int]:
        return PEOPLE[p % len(PEOPLE)] if by_person else SIDES[track.skeleton.side(joint)]

    shown = range(len(track.joints)) if style.joint is None else [track.skeleton.index(style.joint)]
    layers: dict[float, list[tuple[str, int, int]]] = {}
    here = ~np.isnan(points[-1, :, 0])
    for a, b in track.skeleton.limb_indices:
        if here[a] and here[b]:
            layers.setdefault(_level(min(opacity[a], opacity[b])), []).append(("limb", a, b))
    for j in np.flatnonzero(here).tolist():
        layers.setdefault(_level(opacity[j]), []).append(("joint", j, j))
    joined = ~np.isnan(points[:-1, :, 0]) & ~np.isnan(points[1:, :, 0])  # (trail, J)
    for k in range(len(points) - 1):
        for j in shown:
            if joined[k, j]:
                layers.setdefault(_level((k + 1) / len(points)), []).append(("trail", k, j))
    if not layers:
        return
    low, high = _around(points, out.shape, 6 * weight + 4)
    region = out[low[1] : high[1], low[0] : high[0]]
    if not region.size:
        return
    place = points - low
    fixed = np.rint(np.clip(np.nan_to_num(place), -1e5, 1e5) * (1 << _SHIFT)).astype(int).tolist()
    for level, parts in sorted(layers.items()):
        drawn = region if level == 1 else region.copy()
        for what, a, b in parts:
            if what == "joint":
                _dot(drawn, place[-1, a], 2.4 * weight, (255, 255, 255))
                _dot(drawn, place[-1, a], 1.7 * weight, colour(a))
            else:
                ends = (fixed[a][b], fixed[a + 1][b]) if what == "trail" else (fixed[-1][a], fixed[-1][b])
                side = b if what == "trail" or track.skeleton.side(a) == "centre" else a
                _line(drawn, *ends, colour(side), (1.0 if what == "trail" else 2.0) * weight)
        if level < 1:
            cv2.addWeighted(drawn, level, region, 1 - level, 0, dst=region)
    if style.names if style.names is not None else several:
        _name(out, track.people[p], points[-1][here], colour(0) if by_person else (255, 255, 255), weight)


def _level(opacity: float) -> float:
    return next((level for level in _LEVELS if opacity <= level), 1.0)


def _around(points: np.ndarray, shape: tuple[int, ...], margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of the part of the picture that has all points, so that only that part is blended."""
    low = np.floor(np.nanmin(points.reshape(-1, 2), 0) - margin)
    high = np.ceil(np.nanmax(points.reshape(-1, 2), 0) + margin) + 1
    most = (shape[1], shape[0])
    return np.clip(low, 0, most).astype(int), np.clip(high, 0, most).astype(int)


def _dot(image: np.ndarray, at: np.ndarray, radius: float, colour: tuple[int, int, int]) -> None:
    """Draw a disc by the share of each pixel that it covers; OpenCV's circles are up to 0.3 pixels off."""
    low = np.maximum(np.floor(at - radius - 1).astype(int), 0)
    high = np.minimum(np.ceil(at + radius + 1).astype(int) + 1, image.shape[1::-1])
    if (high <= low).any():
        return
    y, x = np.ogrid[low[1] : high[1], low[0] : high[0]]
    covered = np.clip(radius + 0.5 - np.hypot(x - at[0], y - at[1]), 0, 1)[..., None]
    part = image[low[1] : high[1], low[0] : high[0]]
    part[:] = np.rint(part * (1 - covered) + np.array(colour) * covered).astype(np.uint8)


def _line(image: np.ndarray, a: list[int], b: list[int], colour: tuple[int, int, int], width: float) -> None:
    cv2.line(image, a, b, colour, max(1, round(width)), cv2.LINE_AA, _SHIFT)


def _name(image: np.ndarray, name: str, points: np.ndarray, colour: tuple[int, int, int], weight: float) -> None:
    """Write a name above a person. OpenCV's font has ASCII only; other characters are written as ``?``."""
    if not len(points):
        return
    text = name.encode("ascii", "replace").decode()
    at = int(points[:, 0].mean()), int(max(points[:, 1].min() - 8 * weight, 12 * weight))
    for thickness, ink in ((3, (0, 0, 0)), (1, colour)):
        cv2.putText(
            image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4 * weight, ink, max(1, round(thickness * weight)), cv2.LINE_AA
        )


def _heat(image: np.ndarray, heatmap: np.ndarray, crop: Crop) -> None:
    """Blend the maximum of maps (J, H, W) over the picture; what is below ``_LEAST`` leaves it unchanged."""
    size = heatmap.shape[-1]
    values = np.ascontiguousarray(np.clip(heatmap.max(0), 0, 1), np.float32) if size else np.zeros((0, 0), np.float32)
    values[values < _LEAST] = 0
    shown = np.argwhere(values > 0)[:, ::-1]  # (n, 2) x, y: only this part is blended
    if not len(shown):
        return
    corners = crop.to_frame(np.array([shown.min(0) - 1.0, shown.max(0) + 1.0]), size)
    border = (max(crop.left, 0.0), max(crop.top, 0.0)), (crop.left + crop.side, crop.top + crop.side)
    x0, y0 = np.maximum(np.floor(corners[0]), np.floor(border[0])).astype(int).tolist()
    x1, y1 = np.minimum.reduce([np.ceil(corners[1]) + 1, np.ceil(border[1]), image.shape[1::-1]]).astype(int).tolist()
    if x1 <= x0 or y1 <= y0:
        return
    (ox, oy), (px, _) = crop.to_frame(np.array([[0.0, 0.0], [1.0, 0.0]]), size)
    matrix = np.array([[px - ox, 0, ox - x0], [0, px - ox, oy - y0]])
    warped = cv2.warpAffine(values, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    painted = cv2.applyColorMap(cv2.convertScaleAbs(warped, alpha=255), _VIRIDIS)
    region = image[y0:y1, x0:x1]
    warped = np.multiply(warped, np.float32(0.75))
    # blendLinear divides by the sum of the weights plus 1e-5, which is at most one level of 255.
    cv2.blendLinear(region, painted, 1 - warped, warped, dst=region)
