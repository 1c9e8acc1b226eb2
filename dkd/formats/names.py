"""Which joint of another tool is which of ours: by name, never by position or number.

Names are compared without case, separators and word order: ``LWrist``, ``left-wrist``, ``wrist_left`` and
``Left Wrist`` are ``left_wrist``. A joint that a skeleton defines as the mean of others (the head of Penn Action from
nose and ears) is computed from them, as everywhere in this library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dkd.errors import checked
from dkd.formats.track import PoseTrack
from dkd.pose.skeleton import SKELETONS, Skeleton, convert_joints, derived_joints, get_skeleton

if TYPE_CHECKING:
    import pandas as pd

_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_PARTS = (
    "ankle", "belly", "bigtoe", "ear", "elbow", "eye", "foot", "hand", "head", "heel", "hip", "knee", "neck", "nose",
    "pelvis", "shoulder", "smalltoe", "thorax", "wrist",
)  # fmt: skip
# Other tools' names of the same point: PoseTrack's of MPII's, and the order of words.
_SYNONYMS = {"headbottom": "upperneck", "tophead": "headtop", "tophead1": "headtop", "midhip": "pelvis"}


@dataclass(frozen=True)
class JointMatch:
    """Where one joint of a skeleton comes from.

    Attributes:
        joint: our name.
        theirs: names of the file's joints; several if it is their mean, none if it has no such joint.
        how: ``"same name"``, ``"by name"``, ``"mean"`` or ``"missing"``.
    """

    joint: str
    theirs: tuple[str, ...]
    how: str


@dataclass(frozen=True)
class JointMap:
    """Table of which joint fits which.

    Attributes:
        skeleton: our skeleton.
        matches: one per joint of the skeleton, in its order.
        unused: names of the file that are none of its joints.
    """

    skeleton: Skeleton
    matches: tuple[JointMatch, ...]
    unused: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Joints of the skeleton that the file does not have."""
        return tuple(match.joint for match in self.matches if match.how == "missing")

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row per joint, ``joint, in the file, how``; then the file's unused joints."""
        import pandas as pd

        rows = [(match.joint, ", ".join(match.theirs), match.how) for match in self.matches]
        rows += [("", name, "unused") for name in self.unused]
        return pd.DataFrame(rows, columns=["joint", "in the file", "how"])

    def __str__(self) -> str:
        return self.to_frame().to_string(index=False)

    @property
    def sentence(self) -> str:
        """What is missing, in words; empty if every joint of the skeleton was found."""
        if not self.missing:
            return ""
        unused = f"; not used: {', '.join(self.unused)}" if self.unused else ""
        return f"No joint of the file is {', '.join(self.missing)} of {self.skeleton.name!r}{unused}."


def plain_name(name: str) -> str:
    """Return a joint's name in our spelling, ``left_wrist``, if its side and part are recognised; else lower-case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]
    side = next((_SIDES[word] for word in (*words[:1], *words[-1:]) if word in _SIDES and len(words) > 1), "")
    if side:
        words = words[1:] if words[0] in _SIDES else words[:-1]
    joined = "".join(words)
    if not side:
        side, joined = _split(joined)
    joined = _SYNONYMS.get(joined, joined)
    readable = {one.replace("_", ""): one for skeleton in SKELETONS.values() for one in skeleton.joints}
    part = readable.get(joined, "_".join(words) if "".join(words) == joined else joined)
    return f"{side}_{part}" if side else part


def _split(joined: str) -> tuple[str, str]:
    """Split ``leftwrist``, ``lwrist`` or ``wristleft`` into side and part; no side if the rest is not a part."""
    for short, side in _SIDES.items():
        for rest in (joined.removeprefix(short), joined.removesuffix(short)):
            if rest != joined and rest in _PARTS:
                return side, rest
    return "", joined


@checked
def match_joints(theirs: Sequence[str], skeleton: str | Skeleton) -> JointMap:
    """Find which joint of a file is which of a skeleton.

    A name that fits two of the file's joints fits neither. Position and number of the joints do not matter.

    Args:
        theirs: joint names of the file.
        skeleton: our skeleton, or its name.
    """
    skeleton = get_skeleton(skeleton)
    plain = [plain_name(name) for name in theirs]
    matches: list[JointMatch] = []
    used: set[str] = set()
    for joint in skeleton.joints:
        same = [name for name in theirs if name == joint]
        alike = same or [name for name, known in zip(theirs, plain, strict=True) if known == plain_name(joint)]
        found = tuple(alike) if len(alike) == 1 else ()
        how = "missing" if not found else "same name" if same else "by name"
        if not found:
            for parents in derived_joints(skeleton, joint):
                at = [[i for i, known in enumerate(plain) if known == plain_name(parent)] for parent in parents]
                if all(len(one) == 1 for one in at):
                    found, how = tuple(theirs[one[0]] for one in at), "mean"
                    break
        used.update(found)
        matches.append(JointMatch(joint, found, how))
    return JointMap(skeleton, tuple(matches), tuple(name for name in theirs if name not in used))


def to_skeleton(track: PoseTrack, skeleton: str | Skeleton) -> PoseTrack:
    """Return a track with the joints of a skeleton, found by name; NaN where the track has no such joint.

    A track that has all joints of one of our data sets is converted as that data set is
    (:func:`dkd.pose.skeleton.convert_joints`). What is missing is said in the track's ``notes``.
    """
    found = match_joints(track.joints, skeleton)
    shape = (*track.xy.shape[:2], len(found.skeleton))
    xy = np.full((*shape, 2), np.nan, track.xy.dtype)
    others = {name: np.full(shape, np.nan, np.float64) for name in ("scores", "confidence")}
    for j, match in enumerate(found.matches):
        if not match.theirs:
            continue
        if match.how == "mean":
            xy[..., j, :], others["scores"][..., j] = _mean(track, match, found.skeleton)
            continue
        source = track.joints.index(match.theirs[0])
        xy[..., j, :] = track.xy[..., source, :]
        for name, values in others.items():
            if getattr(track, name) is not None:
                values[..., j] = getattr(track, name)[..., source]
    notes = (*track.notes, found.sentence) if found.sentence else track.notes
    return replace(
        track, xy=xy, scores=others["scores"].astype(track.scores.dtype), skeleton=found.skeleton, notes=notes,
        confidence=None if track.confidence is None else others["confidence"].astype(track.confidence.dtype),
    )  # fmt: skip


def left_out(track: PoseTrack, places: Skeleton) -> tuple[str, ...]:
    """Say which joints of a track have no place of their own among ``places``; nothing if all have."""
    matches = match_joints(track.joints, places).matches
    placed = {match.theirs[0] for match in matches if len(match.theirs) == 1}
    lost = [name for name in track.joints if name not in placed]
    return (f"{places.name} has no place for {', '.join(lost)}: not in the file.",) if lost else ()


def _mean(track: PoseTrack, match: JointMatch, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Compute a derived joint from its parents as :func:`convert_joints` does: (T, P, 2) and (T, P)."""
    names = tuple(plain_name(name) for name in match.theirs)
    source = next(one for one in SKELETONS.values() if names in derived_joints(skeleton, match.joint, one.name))
    full = np.full((*track.xy.shape[:2], len(source), 3), np.nan)
    for name, theirs in zip(names, match.theirs, strict=True):
        at = track.joints.index(theirs)
        full[..., source.index(name), :2] = track.xy[..., at, :]
        full[..., source.index(name), 2] = track.scores[..., at]
    found = convert_joints(full, source, skeleton)[..., skeleton.index(match.joint), :]
    return found[..., :2], found[..., 2]
