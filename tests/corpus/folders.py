"""Folders of images, numbered images, and images themselves."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from dkd import Clip
from dkd.datasets.people import read_image
from tests.corpus.cases import Case, Use, uses

KIND = "images and folders of images"
Y, X = np.mgrid[:40, :60]
PLAIN = np.stack([4 * X, 5 * Y, 0 * X + 60], -1).astype(np.uint8)  # RGB


def _image(k: int = 0, size: tuple[int, int] = (60, 40), ending: str = ".png") -> bytes:
    picture = cv2.resize(PLAIN, size)[..., ::-1].copy()
    picture[:4, :4] = 10 * k
    return cv2.imencode(ending, picture)[1].tobytes()


def _folder(files: dict[str, bytes], n: int, folder: Path) -> Use:
    """Images whose corner has 10 × their number in the name, in the order of ``files``."""
    (place := folder / "frames").mkdir()
    for name, data in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(data)

    def right(clip: Clip) -> bool:
        return len(clip) == n and [int(clip[t][0, 0, 0]) // 10 for t in range(n)] == list(range(n))

    return uses(lambda: Clip(place), right)


def _three(ending: str = ".png") -> dict[str, bytes]:
    return {f"im_{k}{ending}": _image(k, ending=ending) for k in range(3)}


FOLDERS: dict[str, tuple[dict[str, bytes], int, str]] = {
    "three images": (_three(), 3, "right"),
    "endings in capitals": ({f"IM_{k}.PNG": _image(k) for k in range(3)}, 3, "right"),
    "2 comes before 10": ({f"{n}.png": _image(k) for k, n in enumerate((1, 2, 10))}, 3, "warned"),
    "numbers missing": ({f"{n:03d}.png": _image(k) for k, n in enumerate((1, 2, 3, 7))}, 4, "warned"),
    "every tenth": ({f"{n:03d}.png": _image(k) for k, n in enumerate((0, 10, 20))}, 3, "right"),
    "notes among them": ({**_three(), "notes.txt": b"x"}, 3, "warned"),
    "hidden files among them": ({**_three(), ".DS_Store": b"x", "._im_1.png": b"x"}, 3, "right"),
    "images in a subfolder": ({**_three(), "more/im_9.png": _image(9)}, 3, "right"),
    "two cameras": ({**{f"im_{k}.png": _image(k + 1) for k in range(3)}, "a_5.png": _image(0)}, 4, "warned"),
    "the same number twice": ({**_three(), "im_02.png": _image(2), "im_2.png": _image(3)}, 4, "warned"),
    "digits that are no decimal ones": ({f"im_{d}.png": _image(k) for k, d in enumerate("①②③")}, 3, "right"),
    "a number of 400 digits": ({"9" * 200 + ".png": _image(0)}, 1, "right"),
    "another size": ({**_three(), "im_3.png": _image(3, (30, 20))}, 4, "refused"),
    "a cut image": ({**_three(), "im_3.png": _image(3)[:60]}, 4, "refused"),
    "text called an image": ({**_three(), "im_3.png": b"no image"}, 4, "refused"),
    "an empty image": ({**_three(), "im_3.png": b""}, 4, "refused"),
    "no images": ({"notes.txt": b"x"}, 0, "refused"),
    "nothing": ({}, 0, "refused"),
    "one image": ({"a.png": _image(0)}, 1, "right"),
}


def _png(width: int, height: int, depth: int = 8, kind: int = 2, data: bytes = b"") -> bytes:
    """A PNG that states a size, whatever its data are."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def _read(data: bytes | Callable[[], bytes], expected: np.ndarray | None, name: str, folder: Path) -> Use:
    (folder / name).write_bytes(data() if callable(data) else data)

    def right(found: np.ndarray) -> bool:
        assert expected is not None and found.shape == expected.shape and found.dtype == np.uint8, found.shape
        return bool(np.abs(found.astype(int) - expected).mean() < 6)

    return uses(lambda: read_image(folder / name), None if expected is None else right)


def _encoded(ending: str, picture: np.ndarray) -> bytes:
    return cv2.imencode(ending, picture)[1].tobytes()


_GREY = np.repeat(PLAIN[..., :1], 3, -1)
_BGR = np.ascontiguousarray(PLAIN[..., ::-1])
IMAGES: dict[str, tuple[bytes, np.ndarray | None, str]] = {
    **{
        f"whole, {ending}": (_encoded(ending, _BGR), PLAIN, ending)
        for ending in (".png", ".jpg", ".bmp", ".tif", ".webp")
    },
    **{
        f"cut, {ending}": (_encoded(ending, _BGR)[: len(_encoded(ending, _BGR)) * 2 // 3], None, ending)
        for ending in (".png", ".jpg", ".bmp", ".tif", ".webp")
    },
    "grey": (_encoded(".png", PLAIN[..., 0]), _GREY, ".png"),
    "16 bits": (_encoded(".png", _BGR.astype(np.uint16) * 257), PLAIN, ".png"),
    "with alpha": (_encoded(".png", np.dstack([_BGR, np.full((40, 60), 255, np.uint8)])), PLAIN, ".png"),
    "a JPEG called PNG": (_encoded(".jpg", _BGR), PLAIN, ".png"),
    "1 × 1": (_encoded(".png", _BGR[:1, :1]), PLAIN[:1, :1], ".png"),
    "30000 × 30000 stated": (_png(30_000, 30_000), None, ".png"),
    "2 billion × 1 stated": (_png(2**31 - 1, 1), None, ".png"),
    "0 × 0 stated": (_png(0, 0), None, ".png"),
    "a bad checksum": (_encoded(".png", _BGR)[:-20] + bytes(20), None, ".png"),
    "text": (b"no image", None, ".jpg"),
    "nothing": (b"", None, ".jpg"),
}


def _pattern(pattern: str, n: int, folder: Path) -> Use:
    (folder / "frames").mkdir()
    for name, data in _three().items():
        (folder / "frames" / name).write_bytes(data)
    os.symlink("im_0.png", folder / "frames" / "im_7x.png")
    return uses(lambda: Clip(f"frames/{pattern}"), (lambda clip: len(clip) == n) if n else None)


PATTERNS: Sequence[tuple[str, int, str]] = (
    ("im_%d.png", 3, "right"),
    ("im_%01d.png", 3, "right"),
    ("im_%02d.png", 0, "refused"),
    ("im_%d.jpg", 0, "refused"),
    ("%d_%d.png", 0, "refused"),
    ("im_%s.png", 0, "refused"),
    ("im_%99d.png", 0, "refused"),
)


def cases() -> Iterator[Case]:
    for name, (files, n, outcome) in FOLDERS.items():
        yield Case(KIND, f"a folder: {name}", outcome, partial(_folder, files, n))
    for name, (data, expected, ending) in IMAGES.items():
        outcome = "refused" if expected is None else "right"
        yield Case(KIND, f"an image: {name}", outcome, partial(_read, data, expected, f"a{ending}"))
    for pattern, n, outcome in PATTERNS:
        yield Case(KIND, f"images {pattern}", outcome, partial(_pattern, pattern, n))
