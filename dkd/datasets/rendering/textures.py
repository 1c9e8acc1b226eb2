"""Random textures for walls, floors and objects: (h, w, 3) uint8, sRGB.

They are seamless when mirrored at their edges.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Texture = Callable[[np.random.Generator, int], np.ndarray]


def colour(rng: np.random.Generator, low: float = 20, high: float = 235, vivid: float = 0.35) -> np.ndarray:
    """Draw a colour (3,), 0..255, mostly muted; ``vivid`` is how much its channels differ."""
    grey = rng.uniform(low, high)
    return np.clip(grey * (1 + vivid * rng.normal(0, 0.5, 3)), 0, 255)


def clouds(rng: np.random.Generator, size: int, cells: float, octaves: int = 3) -> np.ndarray:
    """Draw smooth noise (size, size) float32, mean 0, deviation about 1: ``cells`` bumps across, and finer ones."""
    out = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        n = int(np.clip(cells * 2**octave, 2, size))
        grid = rng.standard_normal((n, n), np.float32)
        out += 0.6**octave * cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    return out / max(float(out.std()), 1e-6)


def mottled(rng: np.random.Generator, size: int, base: np.ndarray | None = None, contrast: float = 0.1) -> np.ndarray:
    """Draw one colour with uneven brightness: plaster, carpet, asphalt, grass, depending on grain and contrast."""
    base = colour(rng) if base is None else base
    shade = 1 + contrast * clouds(rng, size, cells=rng.uniform(3, 60))
    tint = contrast * 0.4 * clouds(rng, size, cells=rng.uniform(2, 12))
    channels = [base[k] * (shade + tint * share) for k, share in enumerate(rng.normal(0, 1, 3))]
    return _bytes(np.stack(channels, axis=-1))


def bricks(rng: np.random.Generator, size: int, base: np.ndarray | None = None) -> np.ndarray:
    """Draw bricks, boards or tiles in rows, each with its own shade, with joints."""
    base = colour(rng) if base is None else base
    across, rows = int(rng.integers(2, 12)), int(rng.integers(4, 28))
    shift = rng.choice([0.0, 0.5, 0.37])
    v, u = np.mgrid[0:size, 0:size].astype(np.float32) / size
    row = np.floor(v * rows).astype(int)
    along = u * across + shift * row
    shades = rng.uniform(1 - rng.uniform(0.03, 0.35), 1.1, (rows, 64)).astype(np.float32)
    shade = shades[row, np.floor(along).astype(int) % 64] * (1 + 0.05 * clouds(rng, size, 20))
    joint = rng.uniform(0.006, 0.015)
    gap = (np.mod(along, 1) / across < joint) | (np.mod(v * rows, 1) / rows < joint)
    shade[gap] *= rng.uniform(0.4, 1.3)
    return cv2.GaussianBlur(_bytes(base * shade[..., None]), (3, 3), 0)


def stripes(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw wallpaper: stripes, checks or dots in two colours."""
    first, second = colour(rng), colour(rng)
    v, u = np.mgrid[0:size, 0:size].astype(np.float32) * (2 * np.pi * rng.integers(4, 24) / size)
    waves = [np.sin(u), np.sin(v), np.sin(u) * np.sin(v), np.sin(u + 2 * np.sin(v / 2))][rng.integers(4)]
    share = np.clip(0.5 + rng.uniform(0.8, 4) * (waves - rng.uniform(-0.5, 0.5)), 0, 1)[..., None]
    soft = rng.uniform(0.1, 1.0)
    return _bytes((first + soft * share * (second - first)) * (1 + 0.04 * clouds(rng, size, 8))[..., None])


def collage(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw overlapping shapes of any colour and size, similar to shelves, crowds or graffiti."""
    out = mottled(rng, size)
    for _ in range(int(rng.integers(15, 90))):
        centre, reach = rng.uniform(0, size, 2), size * rng.gamma(2, 0.035)
        paint = tuple(float(c) for c in colour(rng, vivid=0.8))
        kind = rng.integers(4)
        if kind == 0:
            corners = (centre + reach * rng.normal(0, 1, (int(rng.integers(3, 6)), 2))).astype(np.int32)
            cv2.fillPoly(out, [corners], paint, cv2.LINE_AA)
        elif kind == 1:
            axes = tuple(int(a) for a in reach * rng.uniform(0.2, 1.5, 2))
            cv2.ellipse(out, _point(centre), axes, rng.uniform(0, 180), 0, 360, paint, -1, cv2.LINE_AA)
        elif kind == 2:
            end = centre + reach * rng.normal(0, 3, 2)
            cv2.line(out, _point(centre), _point(end), paint, int(rng.integers(2, 14)), cv2.LINE_AA)
        else:
            cv2.rectangle(out, _point(centre), _point(centre + reach * rng.uniform(0.3, 3, 2)), paint, -1)
    return out


def cells(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw random colours in coarse cells, sharp or blended."""
    grid = rng.integers(0, 256, (int(rng.integers(3, 24)), int(rng.integers(3, 24)), 3)).astype(np.uint8)
    return cv2.resize(grid, (size, size), interpolation=int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_CUBIC])))


def windows(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw the front of a building."""
    out = bricks(rng, size) if rng.random() < 0.4 else mottled(rng, size, contrast=0.05)
    across, rows = rng.integers(3, 10, 2)
    glass, wide, high = colour(rng, 20, 160), rng.uniform(0.3, 0.8), rng.uniform(0.4, 0.8)
    for row in range(rows):
        for column in range(across):
            low = np.array([column + 0.5 - wide / 2, row + 0.5 - high / 2]) * size / [across, rows]
            paint = tuple(float(c) for c in np.clip(glass * rng.uniform(0.6, 1.5), 0, 255))
            cv2.rectangle(out, _point(low), _point(low + np.array([wide, high]) * size / [across, rows]), paint, -1)
    return out


def foliage(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a bush, a tree or a pot plant on the lower edge: (size, size, 4), premultiplied."""
    out = np.zeros((size, size, 4), np.uint8)
    stem = size * rng.uniform(0.01, 0.05)
    centre = np.array([size / 2, size * rng.uniform(0.3, 0.6)])
    bark = (*(float(c) for c in colour(rng, 30, 90, 0.2)), 255.0)
    cv2.line(out, _point(centre), (size // 2, size), bark, max(int(2 * stem), 1), cv2.LINE_AA)
    green = np.array([rng.uniform(20, 110), rng.uniform(60, 150), rng.uniform(15, 80)])
    spread, leaf = size * rng.uniform(0.14, 0.2, 2), size * rng.uniform(0.03, 0.09)
    for _ in range(int(rng.integers(40, 110))):
        at = centre + np.clip(rng.normal(0, 1, 2), -1.9, 1.9) * spread
        shade = np.clip(green * rng.uniform(0.5, 1.3) * (1.25 - 0.5 * at[1] / size), 0, 255)
        axes = tuple(int(a) + 1 for a in leaf * rng.uniform(0.4, 1.3, 2))
        paint = (*(float(c) for c in shade), 255.0)
        cv2.ellipse(out, _point(at), axes, rng.uniform(0, 180), 0, 360, paint, -1, cv2.LINE_AA)
    return out


def opaque(texture: np.ndarray) -> np.ndarray:
    """Return the texture with full alpha: (h, w, 4)."""
    return np.concatenate([texture, np.full((*texture.shape[:2], 1), 255, np.uint8)], axis=-1)


def mirrored(texture: np.ndarray) -> np.ndarray:
    """Return four copies, mirrored at the seams: twice as large per side."""
    row = np.concatenate([texture, texture[:, ::-1]], axis=1)
    return np.concatenate([row, row[::-1]], axis=0)


def rounded(texture: np.ndarray) -> np.ndarray:
    """Shade the texture from left to right as on an upright cylinder."""
    place = np.linspace(-1, 1, texture.shape[1] + 2)[1:-1]
    shade = 0.35 + 0.65 * np.sqrt(1 - place**2) * (1 - 0.25 * place)
    return _bytes(texture * shade[None, :, None])


def _point(at: np.ndarray) -> tuple[int, int]:
    return int(at[0]), int(at[1])


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 255).astype(np.uint8)
