"""Clips whose frames show their own number, in all codecs, encoded once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.numbered_clips import AVAILABLE, VFR_MS, N
from tests.support.video_files import CODECS, draw_number, write_clip, write_numbered


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clips(folder) -> dict[str, Path]:
    return {
        name: write_numbered(folder, name, N, milliseconds=VFR_MS if name == "h264_vfr" else None) for name in AVAILABLE
    }


@pytest.fixture(scope="session")
def faststart(folder) -> Path:
    """Write an MP4 with its index in front, which can still be opened when truncated."""
    _, codec, options = CODECS["h264_open_gop"]
    pictures = [draw_number(i) for i in range(N)]
    return write_clip(folder / "faststart.mp4", pictures, codec, options, container_options={"movflags": "faststart"})
