"""Shared parts of the data set readers: folder layout, files of arrays, numbered images, boxes."""

from __future__ import annotations

import logging
import os
import zipfile
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from dkd.datasets.people import FrameFiles
from dkd.errors import ConfigError, DatasetError, nearest_name
from dkd.io.paths import data_folder
from dkd.pose.crops import joints_to_box
from dkd.video.endings import IMAGE_ENDINGS

log = logging.getLogger(__name__)

# Errors that loadmat raises for truncated, damaged or wrong files (a web page, an LFS pointer).
_DAMAGE = (MatReadError, zlib.error, OSError, ValueError, TypeError, IndexError, KeyError, OverflowError)


@dataclass(frozen=True)
class Layout:
    """Folder layout of a data set, as unpacked from its official archive.

    Attributes:
        name: name of the data set, and of its folder in :func:`dkd.io.paths.data_folder`.
        title: name in messages.
        tree: the files that are read, drawn as a small tree.
        page: web page of its authors.
    """

    name: str
    title: str
    tree: str
    page: str

    def find(self, root: Path | None, *needed: str) -> Path:
        """Return ``root``, or the default folder, after checking that it has the ``needed`` files and folders.

        Raises:
            DatasetError: something is missing; the message shows the layout, the place, and what to do.
        """
        folder = data_folder() / self.name if root is None else Path(root)
        missing = [name for name in needed if not (folder / name).exists()]
        if missing:
            found = f"that folder has no {' and no '.join(missing)}" if folder.is_dir() else "there is no such folder"
            raise self.error(f"looked in {folder}: {found}")
        return folder

    def error(self, found: str) -> DatasetError:
        """Create the error for ``found``, with the expected layout and what to do."""
        return DatasetError(
            f"expected {self.title} in its official layout:\n\n{self.tree.strip()}\n\n{found}. Get it from "
            f"{self.page}, unpack it, and give its folder ('{self.name}=path/to/folder'), or place or link it at "
            f"{data_folder() / self.name}."
        )


def check_split(split: str, known: Iterable[str] = ("train", "test")) -> None:
    """Raise ConfigError unless ``split`` is one of ``known``."""
    known = tuple(known)
    if split not in known:
        raise ConfigError(f"expected split {' or '.join(map(repr, known))}, got {split!r}{nearest_name(split, known)}")


def read_mat(file: Path, *names: str, simplify: bool = False) -> dict[str, Any]:
    """Read the arrays ``names`` of a MATLAB file of version 5 to 7.

    Compressed files, as all official ones are, contain checksums, so damage is detected. (In an uncompressed file a
    flipped byte may be read as data; MATLAB's format cannot detect it.)

    Args:
        file: path of the file.
        names: variables that must be in it; only these are read.
        simplify: return structs as dicts, and arrays without axes of length 1.

    Raises:
        DatasetError: the file is missing, damaged, of version 7.3, or lacks one of the arrays.
    """
    if not file.is_file():
        raise DatasetError(f"expected a MATLAB file at {file}, found none")
    try:
        content = loadmat(str(file), variable_names=names, simplify_cells=simplify)
    except NotImplementedError as error:
        raise DatasetError(f"{file} is a MATLAB file of version 7.3; save it with '-v7', as the original is") from error
    except _DAMAGE as error:
        raise DatasetError(f"{file} cannot be read as a MATLAB file ({error}): unpack or download it again") from error
    if missing := [name for name in names if name not in content]:
        raise DatasetError(f"expected {', '.join(names)} in {file}, found no {', '.join(missing)}: is it cut short?")
    return {name: content[name] for name in names}


def read_npz(file: Path, *names: str) -> dict[str, np.ndarray]:
    """Read the arrays ``names`` of an npz file; it may contain others.

    Raises:
        DatasetError: the file is missing, damaged, holds pickled objects, or lacks one of the arrays.
    """
    wanted = ", ".join(map(repr, names))
    if not file.is_file():
        raise DatasetError(f"expected a file with the arrays {wanted} at {file}, found none")
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except (*_DAMAGE, zipfile.BadZipFile, EOFError, AttributeError) as error:  # AttributeError: a plain .npy
        raise DatasetError(f"expected the arrays {wanted} in {file}: {error}") from error


def files_with(folder: Path, endings: Collection[str], what: str) -> list[Path]:
    """Return the files of a folder with one of ``endings`` in upper or lower case, sorted by name.

    Hidden files are skipped. If other files are left out, one warning says how many.

    Args:
        folder: need not exist; it then has no files.
        endings: in lower case, with the dot.
        what: what is looked for, for the warning.
    """
    files = [f for f in sorted(folder.iterdir()) if f.is_file()] if folder.is_dir() else []
    files = [f for f in files if not f.name.startswith(".")]
    taken = [f for f in files if f.suffix.lower() in endings]
    if left_out := [f.name for f in files if f.suffix.lower() not in endings]:
        text = "%d of %d files in %s are left out, the first is %s: expected %s with the endings %s"
        log.warning(text, len(left_out), len(files), folder, left_out[0], what, ", ".join(sorted(endings)))
    return taken


def numbered_files(folder: Path, pattern: str, numbers: Iterable[int]) -> FrameFiles:
    """List the images ``pattern.format(number)`` of a folder without reading them.

    An image that has the right number but another ending or another number of digits (``1.PNG`` for ``000001.jpg``) is
    taken, too. Their number is known from the labels, so nothing is decoded. The folder is listed once: checking each
    of 160,000 files would take minutes on a network disk.

    Raises:
        DatasetError: images are missing; the message counts them.
    """
    numbers = list(numbers)
    prefix = pattern.partition("{")[0]
    present = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    by_number: dict[int, str] = {}
    for name in present:
        stem, ending = os.path.splitext(name)
        digits = stem.removeprefix(prefix)
        if ending.lower() in IMAGE_ENDINGS and digits.isdecimal():
            by_number.setdefault(int(digits), name)
    exact, names = set(present), []
    for number in numbers:
        name = pattern.format(number)
        names.append(name if name in exact else by_number.get(number, name))
    missing = [name for name in names if name not in exact]
    if missing:
        raise DatasetError(
            f"expected {len(names)} labelled images in {folder}, found {len(names) - len(missing)} of {len(names)}; "
            f"the first missing one is {missing[0]}: unpack the data set's images again"
        )
    return FrameFiles([folder / name for name in names])


def fill_boxes(boxes: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Replace boxes without area. (Our decision: a crop needs a size, and the unit of PCK must not be 0.)

    The replacement is the box of the frame's own joints, including hidden ones; without any, the box of the nearest
    frame, the earlier one of two.

    Args:
        boxes: (T, 4) x0, y0, x1, y1; NaN counts as no area.
        joints: (T, J, 2), NaN where not labelled.

    Returns:
        (T, 4) float32. All NaN if no frame has a box or joints.
    """
    filled = np.asarray(boxes, np.float32).copy()
    for t in np.flatnonzero(~_has_area(filled)):
        filled[t] = joints_to_box(joints[t]) or np.nan
    good = np.flatnonzero(_has_area(filled))
    if len(good) == 0:
        return np.full_like(filled, np.nan)
    nearest = np.abs(np.arange(len(filled))[:, None] - good).argmin(1)
    return filled[good[nearest]]


def _has_area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
