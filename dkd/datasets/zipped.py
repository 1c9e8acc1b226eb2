"""Images that stay in a zip until they are used: thousands of stills load quickly and take no memory.

Reading and decoding a still of 300 pixels takes 0.8 ms; a training step on 32 of them takes far more than a second.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dkd.errors import DatasetError
from dkd.video.pictures import decode_image


class ImageZip:
    """A zip of images. It can be sent to another process, which opens its own file, and read by several threads.

    Args:
        file: path of the zip.

    Raises:
        DatasetError: it is missing or not a complete zip.
    """

    def __init__(self, file: Path):
        self.file = file
        self.names = frozenset(self._archive.namelist())

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        if not self.file.is_file():
            raise DatasetError(f"expected a zip of images at {self.file}, found none")
        try:
            return zipfile.ZipFile(self.file)
        except (zipfile.BadZipFile, OSError) as error:
            raise DatasetError(f"{self.file} is not a complete zip ({error}): truncated? Copy it again") from error

    def read(self, name: str) -> np.ndarray:
        """Read and decode an image: (H, W, 3) uint8 RGB.

        Raises:
            DatasetError: there is no such image, or it is damaged.
        """
        try:
            content = self._archive.read(name)
        except (KeyError, zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
            raise DatasetError(f"expected {name} in {self.file}, but it cannot be read: {error}") from error
        image = decode_image(content)
        if image is None:
            raise DatasetError(f"{name} in {self.file} cannot be decoded as an image: is the zip damaged?")
        return image

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self.file, "names": self.names}  # an open file cannot be pickled


class ZippedImages(Sequence[np.ndarray]):
    """A selection of images of a zip, decoded on access: (H, W, 3) uint8 RGB each.

    Args:
        archive: the zip, shared by all its readers.
        names: names of the images, in order.

    Raises:
        DatasetError: on access, if an image is missing or damaged.
    """

    def __init__(self, archive: ImageZip, names: Sequence[str]):
        self.archive, self.names = archive, tuple(names)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return ZippedImages(self.archive, self.names[index])
        return self.archive.read(self.names[index])
