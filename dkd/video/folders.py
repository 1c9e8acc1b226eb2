"""A folder of images, or images with numbered names (``im_%05d.png``), as the source of a clip's frames."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dkd.errors import ConfigError, VideoCorruptError, VideoEmptyError, VideoError, VideoNotFoundError
from dkd.video.endings import IMAGE_ENDINGS
from dkd.video.faults import VideoWarning, log_warnings
from dkd.video.pictures import decode_image
from dkd.video.times import Timing

ASSUMED_FPS = 25.0
"""Frames per second of images without a stated rate (our decision: the rate of many cameras and of PAL video)."""

_NUMBER = re.compile(r"%(?:0(\d{1,2}))?d")
_DIGITS = re.compile(r"(\d+)")
_COMPARED_AT_OPENING = 16  # images; the others are compared when they are read


def is_images(path: Path) -> bool:
    """Return whether ``path`` stands for many images: it is a folder, or a pattern with ``%d`` and not a file."""
    return os.path.isdir(path) or (_NUMBER.search(path.name) is not None and not os.path.lexists(path))


@dataclass(frozen=True)
class ImageFiles:
    """The images of a clip in order.

    Attributes:
        files: one file per frame.
        timing: times of the frames.
        warnings: files that were left out, gaps in the numbering, names of several kinds.
    """

    files: tuple[Path, ...]
    timing: Timing
    warnings: tuple[VideoWarning, ...]


def list_images(path: Path, fps: float | None) -> ImageFiles:
    """List the images of a folder or a pattern, without reading them.

    Images of a folder are sorted by name, with numbers in names compared as numbers: ``2.png`` comes before
    ``10.png``. Hidden files and subfolders are ignored. The last number in a name is the number of the image. Where
    numbers are missing, time passes (our decision, as in a video with dropped frames): the times are those of the
    numbers. The unit is the greatest common divisor of their steps, so that every tenth image has no gaps.

    Args:
        path: folder, or path with ``%d`` or ``%05d`` in its last part.
        fps: frames per second; ``None``: :data:`ASSUMED_FPS`.

    Raises:
        ConfigError: ``fps`` is not a positive number, or the pattern has several numbers.
        VideoNotFoundError: the pattern's folder does not exist, or no file fits the pattern.
        VideoEmptyError: the folder has no images.
        VideoError: the folder cannot be read.
    """
    if fps is not None and not 0 < fps < float("inf"):
        raise ConfigError(f"expected fps > 0, got {fps}; give frames per second")
    rate = ASSUMED_FPS if fps is None else float(fps)
    if os.path.isdir(path):
        files, numbers, warnings = _of_folder(path)
    else:
        files, numbers, warnings = _of_pattern(path)
    timing = Timing(np.arange(len(files)) / rate, rate, assumed=fps is None)
    if numbers is not None and len(files) > 1:
        steps = np.diff(numbers)
        unit = int(np.gcd.reduce(steps))
        place = (np.array(numbers) - numbers[0]) // unit
        gaps = tuple(np.flatnonzero(steps > unit).tolist())
        regular = float(np.median(steps)) == unit
        timing = Timing(place / rate, rate if regular else None, gaps=gaps if regular else (), assumed=fps is None)
        if gaps:
            warnings.append(_gap_warning(files, steps // unit - 1, gaps))
    log_warnings(path.name, warnings)
    return ImageFiles(tuple(files), timing, tuple(warnings))


def _gap_warning(files: Sequence[Path], missing: np.ndarray, gaps: tuple[int, ...]) -> VideoWarning:
    longest = max(gaps, key=lambda t: missing[t])
    text = (
        f"images missing in the numbering: {int(missing.sum())} (number of gaps: {len(gaps)}); the longest gap is "
        f"{int(missing[longest])} after frame {longest}, {files[longest].name}"
    )
    return VideoWarning("gap", text, gaps)


_Found = tuple[list[Path], list[int] | None, list[VideoWarning]]


def _of_folder(folder: Path) -> _Found:
    names = [name for name in _names(folder) if os.path.isfile(folder / name)]
    taken = sorted((name for name in names if Path(name).suffix.lower() in IMAGE_ENDINGS), key=natural_key)
    endings = ", ".join(sorted(IMAGE_ENDINGS))
    if not taken:
        found = f"other files: {len(names)}, such as {names[0]}" if names else "no files"
        raise VideoEmptyError(
            f"expected images in the directory {_shown(folder)} ({endings}), found {found}; give the folder that has "
            "the images, or a video file"
        )
    warnings = []
    kept = set(taken)
    if left_out := [name for name in names if name not in kept]:
        text = (
            f"{len(left_out)} of {len(names)} files are left out, the first is {left_out[0]}: not an image ({endings})"
        )
        warnings.append(VideoWarning("files", text))
    forms = Counter(_form(name) for name in taken)
    numbers = None
    if len(forms) > 1:
        examples = ", ".join(next(name for name in taken if _form(name) == form) for form in list(forms)[:3])
        text = f"names of {len(forms)} kinds, such as {examples}: several recordings in one folder? Choose by a pattern"
        warnings.append(VideoWarning("files", f"{text}, as in Clip('im_%05d.png')"))
    elif all(forms):
        numbers = [int(_DIGITS.findall(Path(name).stem)[-1]) for name in taken]
        if same := [k for k in range(1, len(numbers)) if numbers[k] <= numbers[k - 1]]:
            text = f"{taken[same[0] - 1]} and {taken[same[0]]} have the same number; both are frames"
            warnings.append(VideoWarning("files", text, (same[0],)))
            numbers = None
    return [folder / name for name in taken], numbers, warnings


def _of_pattern(pattern: Path) -> _Found:
    places = list(_NUMBER.finditer(pattern.name))
    if len(places) != 1:
        raise ConfigError(f"expected one number in a pattern of images, as in im_%05d.png, got {pattern.name!r}")
    before, after = (
        text.replace("%%", "%") for text in (pattern.name[: places[0].start()], pattern.name[places[0].end() :])
    )
    width = int(places[0][1] or 1)
    folder = pattern.parent
    if not os.path.isdir(folder):
        raise VideoNotFoundError(
            f"expected images {pattern.name}, but there is no folder {_shown(folder)}; check the path"
        )
    numbered: dict[int, str] = {}
    for name in _names(folder):
        digits = name[len(before) : len(name) - len(after)]
        fits = name.startswith(before) and name.endswith(after) and digits.isascii() and digits.isdecimal()
        # As in C: at least `width` digits, with zeros in front only where they fill the width.
        if (
            fits
            and len(digits) >= width
            and (len(digits) == width or digits[0] != "0")
            and os.path.isfile(folder / name)
        ):
            numbered[int(digits)] = name
    if not numbered:
        others = [name for name in _names(folder) if Path(name).suffix.lower() in IMAGE_ENDINGS]
        hint = f"; the folder has {len(others)} images, such as {min(others, key=natural_key)}" if others else ""
        raise VideoNotFoundError(
            f"expected images {pattern.name} in {_shown(folder)}, found none{hint}; check the pattern"
        )
    numbers = sorted(numbered)
    return [folder / numbered[n] for n in numbers], numbers, []


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise VideoError(
            f"the folder {_shown(folder)} cannot be read ({error.strerror}); check its permissions"
        ) from error


def natural_key(name: str) -> tuple[list[tuple[int, int | str]], str]:
    """Return the key that sorts names as people count: upper and lower case together, numbers by their value."""
    parts = (part for part in _DIGITS.split(name.casefold()) if part)
    return [(0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts], name


def _form(name: str) -> str:
    """Return the name with its last number left out: the same for one recording; empty without a number."""
    stem = Path(name).stem
    found = list(_DIGITS.finditer(stem))
    return (stem[: found[-1].start()] + "#" + stem[found[-1].end() :]).casefold() if found else ""


def _shown(path: Path) -> str:
    return repr(str(path) if len(str(path)) <= 200 else f"{str(path)[:100]}…")


class FolderSource:
    """Frames of image files, read on access. One image is in memory at a time; the clip's cache holds others."""

    backend = "images"

    def __init__(self, name: str, files: tuple[Path, ...]):
        self._name = name
        self.files = files
        self._damaged: set[int] = set()

    @property
    def damaged(self) -> frozenset[int]:
        """Numbers of the images that could not be decoded; reading finds more."""
        return frozenset(self._damaged)

    def read(self, number: int, keep_from: int) -> Iterator[tuple[int, np.ndarray]]:
        file = self.files[number]
        try:
            image, reason = decode_image(file.read_bytes()), "it cannot be decoded completely"
        except OSError as error:
            image, reason = None, f"it cannot be read ({error.strerror})"
        if image is None:
            self._damaged.add(number)
            raise VideoCorruptError(
                f"frame {number} of {self._name} is damaged: {file.name}: {reason}; copy the file again from its "
                "source, or take it out of the folder"
            )
        yield number, image

    def compared_at_opening(self) -> list[int]:
        """Return the numbers of a few images over the whole clip, whose sizes are compared before it is used."""
        return sorted({round(k) for k in np.linspace(0, len(self.files) - 1, _COMPARED_AT_OPENING)})

    def fresh(self) -> FolderSource:
        return FolderSource(self._name, self.files)

    def close(self) -> None:
        """Do nothing: no file stays open."""
