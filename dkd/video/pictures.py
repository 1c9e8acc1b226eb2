"""Decoding of image files."""

from __future__ import annotations

import math

import cv2
import numpy as np

from dkd.video.jpeg import jpeg_fault, jpeg_is_whole


def decode_image(content: bytes) -> np.ndarray | None:
    """Decode the bytes of an image file as (H, W, 3) uint8 RGB; ``None`` if they are damaged or truncated.

    A photo is turned upright as its EXIF data say. OpenCV's ``imread`` fills in what a truncated JPEG lacks with grey,
    while its ``imdecode`` refuses it. Neither notices a JPEG that lost its middle. Bytes that are left over in front of
    a marker are no damage here: the data sets that people collect have whole pictures with hundreds of them.
    """
    if not content:
        return None
    if content.startswith(b"\xff\xd8") and (not jpeg_is_whole(content) or jpeg_fault(content, padding=math.inf)):
        return None
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:  # a header that announces more pixels than OpenCV accepts
        return None
