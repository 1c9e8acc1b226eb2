"""What a page says about itself: which video, which model, how it was run, and with what it was made."""

from __future__ import annotations

import hashlib
import time
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dkd.errors import VideoError
from dkd.io.provenance import provenance
from dkd.models.base import VideoPoseModel
from dkd.sessions.hashes import hash_video, hash_weights
from dkd.tracking.conditions import Conditions
from dkd.tracking.protocols import TraceLike
from dkd.video.ranges import place_in_video

CODE = "The views of this page are part of the DKD Workbench, licensed under the Apache License 2.0."
_LONGEST = 300  # letters of a setting


def facts_about(trace: TraceLike) -> list[tuple[str, str]]:
    """Return the origin of a run as pairs of a name and a text. Of files, only the names are given, not the folders."""
    clip = trace.clip
    facts = [("video", clip.name)]
    if (path := video_path(clip)) is not None:
        facts.append(_digest(path))
    facts.append(("model", f"{trace.model_name}, run by {getattr(trace, 'engine', 'torch')}"))
    model = getattr(trace, "model", None)
    if isinstance(model, VideoPoseModel):
        facts.append(("weights, SHA-256", hash_weights(model)))
    facts.append(("settings", settings_of(trace)))
    if changes := getattr(trace, "calls", ()):
        facts.append(("changes", short("; ".join(changes))))
    made = provenance()
    versions = {**made["versions"], "opencv-python-headless": version("opencv-python-headless")}
    facts.append(("versions", ", ".join(f"{name} {number}" for name, number in versions.items())))
    if made["commit"]:
        facts.append(("commit", made["commit"]))
    facts.append(("made", time.strftime("%Y-%m-%d %H:%M")))
    return facts


def _digest(path: Path) -> tuple[str, str]:
    """Return the SHA-256 of a video file, as ``sha256sum`` prints it; of images, the hash that a session has."""
    if not path.is_file():
        return "images, hash as in a session", hash_video(path)
    try:
        with path.open("rb") as file:
            return "video, SHA-256", hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise VideoError(f"{path.name} cannot be read ({error.strerror}); check its permissions") from error


def settings_of(trace: TraceLike) -> str:
    """Return the conditions of a run that differ from the defaults, with its box."""
    conditions = trace.conditions
    stated = [
        f"{one.name}={short(repr(getattr(conditions, one.name)))}"
        for one in fields(Conditions)
        if one.name not in ("interventions", "square") and getattr(conditions, one.name) != one.default
    ]
    box = getattr(trace, "box", None)
    if box is not None:
        numbers = ", ".join(f"{value:g}" for value in box)
        stated.insert(0, f"box ({numbers}) in frame {place_in_video(trace.clip)[0] + trace.origin}")
    return ", ".join([*stated, f"square={conditions.square}"])


def short(text: str) -> str:
    """Return a text, cut off if it is long."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def video_path(clip: Any) -> Path | None:
    """Return the file of a clip or of a part of one, if it has one that can be read."""
    while hasattr(clip, "clip"):
        clip = clip.clip
    path = getattr(clip, "path", None)
    return None if path is None or not Path(path).exists() else Path(path)
