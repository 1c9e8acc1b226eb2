"""COCO keypoints and PoseTrack (2018) JSON: images, and one annotation per person per image.

Both have the same parts. COCO's category has the track's own joints; PoseTrack's always has the same 17, of which
those are filled that the track has by name. What the formats do not know (times, rate, scores of joints) is in further
keys, which their readers ignore.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from dkd.errors import ConfigError, DatasetError
from dkd.formats.names import left_out, match_joints
from dkd.formats.numbers import number_in, shortest
from dkd.formats.rates import rate_of
from dkd.formats.tidy import skeleton_of
from dkd.formats.track import PERSON, PoseTrack
from dkd.pose.skeleton import Skeleton

POSETRACK = Skeleton(
    "posetrack",
    (
        "nose", "head_bottom", "head_top", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle",
    ),
    tuple(
        (f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"))
    ) + (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), ("nose", "head_top"), ("nose", "head_bottom")),
)  # fmt: skip


def write_coco(track: PoseTrack, path: Path) -> None:
    _write(track, path, {}, track.skeleton)


def write_posetrack(track: PoseTrack, path: Path) -> None:
    """Write the joints that PoseTrack has, each by name; :func:`notes` says which it does not have."""
    fits = match_joints(track.joints, POSETRACK)
    every = {"vid_id": "000001", "nframes": int(track.frames[-1]) + 1, "is_labeled": True, "has_no_densepose": True}
    at = [track.joints.index(m.theirs[0]) if len(m.theirs) == 1 else -1 for m in fits.matches]
    shape = (*track.xy.shape[:2], len(POSETRACK))
    xy, scores = np.full((*shape, 2), np.nan, track.xy.dtype), np.full(shape, np.nan, track.scores.dtype)
    for j, source in enumerate(at):
        if source >= 0:
            xy[..., j, :], scores[..., j] = track.xy[..., source, :], track.scores[..., source]
    placed = PoseTrack(
        xy, scores, POSETRACK, track.frames, track.times, track.people, track.fps, track.size, track.source,
        track.software,
    )  # fmt: skip
    _write(placed, path, every, POSETRACK)


def notes(track: PoseTrack) -> tuple[str, ...]:
    """Say which joints of a track have no place in PoseTrack."""
    return left_out(track, POSETRACK)


def _write(track: PoseTrack, path: Path, every: dict[str, Any], skeleton: Skeleton) -> None:
    if track.size is None:
        raise ConfigError(
            "COCO and PoseTrack files need the size of the frames, which the track does not know; add size=(w, h)"
        )
    width, height = track.size
    stem = Path(track.source or "video").stem
    images = [
        {
            "id": int(f) + 1, "file_name": f"{stem}/{f:06d}.jpg", "width": width, "height": height, "frame_id": int(f),
            "time_s": None if np.isnan(time) else float(time), **every,
        }
        for f, time in zip(track.frames, track.times, strict=True)
    ]  # fmt: skip
    category = {
        "id": 1, "name": PERSON, "supercategory": PERSON, "keypoints": list(skeleton.joints),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.limb_indices],
    }  # fmt: skip
    info = {
        "description": f"poses of {stem}", "version": "1.0", "source": track.source, "software": track.software,
        "fps": track.fps, "people": list(track.people), "skeleton": skeleton.name,
    }  # fmt: skip
    content = {
        "info": info, "licenses": [], "images": images, "annotations": _annotations(track), "categories": [category],
    }  # fmt: skip
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _annotations(track: PoseTrack) -> list[dict[str, Any]]:
    """One per person per frame with a joint. Identifiers start at 1: pycocotools takes a match with 0 for none."""
    missing = track.missing
    points = np.zeros((*missing.shape, 3))
    points[..., :2] = np.where(missing[..., None], 0, shortest(track.xy))
    points[..., 2] = np.where(missing, 0, 2)  # a NaN would count as a perfect match in pycocotools
    scores = shortest(track.scores)
    out: list[dict[str, Any]] = []
    for t, p in zip(*np.nonzero(~missing.all(-1)), strict=True):
        here = ~missing[t, p]
        found, known = points[t, p, here, :2], scores[t, p][np.isfinite(scores[t, p])]
        low, high = found.min(0), found.max(0)
        side = high - low
        out.append(
            {
                "id": len(out) + 1, "image_id": int(track.frames[t]) + 1, "category_id": 1, "track_id": int(p) + 1,
                "keypoints": points[t, p].ravel().tolist(), "num_keypoints": int(here.sum()),
                "score": float(known.mean()) if len(known) else 1.0,
                "keypoint_scores": [None if np.isnan(s) else s for s in scores[t, p].tolist()],
                "bbox": [*low.tolist(), *side.tolist()], "area": float(side[0] * side[1]), "iscrowd": 0,
                "person": track.people[p],
            }
        )  # fmt: skip
    return out


def read(content: dict[str, Any], path: Path) -> PoseTrack:
    """Convert COCO or PoseTrack JSON of one video to a track.

    Frames are the images' ``frame_id``, else the last number of their file names, else they are counted. People are
    tracked by ``track_id``; without one, they are numbered in the order of each image, which is noted.

    Raises:
        DatasetError: there are no keypoints.
    """
    categories = [one for one in content.get("categories", []) if one.get("keypoints")]
    if not categories or not content.get("images"):
        raise DatasetError(f"expected images, and a category with keypoints, in {path}")
    category, info = categories[0], content.get("info") or {}
    joints = tuple(str(name) for name in category["keypoints"])
    limbs = [(int(a), int(b)) for a, b in category.get("skeleton") or []]
    images = {one["id"]: one for one in content["images"]}
    if len(images) < len(content["images"]) or any(not 1 <= a <= len(joints) for pair in limbs for a in pair):
        raise DatasetError(f"expected images with different ids, and limbs of joints 1 to {len(joints)}, in {path}")
    by_image, notes = _frames(images, path)
    annotations = [one for one in content["annotations"] if one.get("keypoints") and one["image_id"] in images]
    people, person, more = _people(annotations, info.get("people"))
    if len({(one["image_id"], p) for one, p in zip(annotations, person, strict=True)}) < len(annotations):
        raise DatasetError(f"expected each person once in each image of {path}, but one track_id is there twice")
    frames = np.array(sorted(by_image.values()))
    out = np.full((len(frames), len(people), len(joints), 3), np.nan)
    row = {int(f): t for t, f in enumerate(frames)}
    for one, p in zip(annotations, person, strict=True):
        at = np.asarray(one["keypoints"], np.float64).reshape(len(joints), 3)
        there = at[:, 2] > 0
        scores = one.get("keypoint_scores")
        scores = np.full(len(joints), np.nan) if scores is None else np.asarray(scores, np.float64)
        place = out[row[by_image[one["image_id"]]], p]
        place[:, :2], place[:, 2] = np.where(there[:, None], at[:, :2], np.nan), scores
    seconds = {by_image[key]: one.get("time_s") for key, one in images.items()}
    times = np.array([np.nan if seconds[int(f)] is None else seconds[int(f)] for f in frames], np.float64)
    times = np.full(len(frames), np.nan) if np.isnan(times).any() else times
    named = [(joints[a - 1], joints[b - 1]) for a, b in limbs]
    sizes = {(one.get("width"), one.get("height")) for one in images.values()}
    width, height = sizes.pop() if len(sizes) == 1 else (None, None)
    return PoseTrack(
        out[..., :2], out[..., 2], skeleton_of(joints, {"limbs": named, "skeleton": info.get("skeleton")}), frames,
        times, people, info["fps"] if "fps" in info else rate_of(frames, times),
        (int(width), int(height)) if width and height else None,
        info.get("source"), info.get("software"), notes=(*notes, *more),
    )  # fmt: skip


def _frames(images: dict[Any, dict[str, Any]], path: Path) -> tuple[dict[Any, int], list[str]]:
    """Return the frame number of each image."""
    keys = list(images)
    for found in (
        [images[key].get("frame_id") for key in keys],
        [number_in(str(images[key].get("file_name", ""))) for key in keys],
    ):
        if None not in found and len(set(found)) == len(found):
            return dict(zip(keys, [int(one) for one in found if one is not None], strict=True)), []
    note = "Images have no numbers; frames are counted in the order of the file."
    return {key: i for i, key in enumerate(keys)}, [note]


def _people(annotations: list[dict[str, Any]], names: list[str] | None) -> tuple[tuple[str, ...], list[int], list[str]]:
    """Return the people's names, and the person of each annotation."""
    if annotations and all(one.get("track_id") is not None for one in annotations):
        ids = sorted({one["track_id"] for one in annotations})
        if names and all(isinstance(one, int) and 1 <= one <= len(names) for one in ids):
            return tuple(names), [one["track_id"] - 1 for one in annotations], []
        named = [f"{PERSON}_{one}" for one in ids] if len(ids) > 1 else [PERSON]
        return tuple(named), [ids.index(one["track_id"]) for one in annotations], []
    counts: dict[Any, int] = {}
    person = []
    for one in annotations:
        person.append(counts.get(one["image_id"], 0))
        counts[one["image_id"]] = person[-1] + 1
    most = max(counts.values(), default=0)
    if most < 2:
        return (tuple(names) if names and len(names) == 1 else (PERSON,)), person, []
    note = "The file has no track_id: people are numbered by their order in each image; that is no identity."
    return tuple(f"{PERSON}_{i + 1}" for i in range(most)), person, [note]
