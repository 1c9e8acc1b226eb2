"""SLEAP's ``.slp``: an HDF5 file with one predicted instance per person per frame. Layout: sleap-io 0.9.5, format 1.3.

Written with h5py, because sleap-io is too large to need at run time; tests read the files with sleap-io and movement.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from dkd.errors import DatasetError
from dkd.formats.hdf import hdf, strings
from dkd.formats.tidy import skeleton_of
from dkd.formats.track import PERSON, PoseTrack

_FORMAT = 1.3  # with a tracking score
_PREDICTED = 1
_FRAMES = np.dtype(
    [("frame_id", "u8"), ("video", "u4"), ("frame_idx", "u8"), ("instance_id_start", "u8"), ("instance_id_end", "u8")]
)
_INSTANCES = np.dtype(
    [
        ("instance_id", "i8"), ("instance_type", "u1"), ("frame_id", "u8"), ("skeleton", "u4"), ("track", "i4"),
        ("from_predicted", "i8"), ("score", "f4"), ("point_id_start", "u8"), ("point_id_end", "u8"),
        ("tracking_score", "f4"),
    ]
)  # fmt: skip
_POINT = [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")]
_EDGE = {"py/reduce": [{"py/type": "sleap.skeleton.EdgeType"}, {"py/tuple": [1]}]}


def write(track: PoseTrack, path: Path) -> None:
    """Write a track; a person without any joint in a frame has no instance there, but the frame is kept."""
    import h5py

    n, n_joints = len(track), len(track.joints)
    there = ~track.missing.all(-1)  # (T, P)
    frame, person = np.nonzero(there)
    instances = np.zeros(len(frame), _INSTANCES)
    instances["instance_id"] = np.arange(len(frame))
    instances["instance_type"], instances["from_predicted"] = _PREDICTED, -1
    instances["frame_id"], instances["track"] = frame, person
    scores = track.scores[frame, person]
    known = np.isfinite(scores)
    instances["score"] = np.where(known, scores, 0).sum(-1) / np.maximum(known.sum(-1), 1)
    instances["point_id_start"] = np.arange(len(frame)) * n_joints
    instances["point_id_end"] = instances["point_id_start"] + n_joints
    frames = np.zeros(n, _FRAMES)
    frames["frame_id"], frames["frame_idx"] = np.arange(n), track.frames
    frames["instance_id_end"] = np.cumsum(there.sum(-1))
    frames["instance_id_start"][1:] = frames["instance_id_end"][:-1]
    points = np.zeros(len(frame) * n_joints, [*_POINT, ("score", "f8")])
    xy = track.xy[frame, person].reshape(-1, 2)
    points["x"], points["y"], points["score"] = xy[:, 0], xy[:, 1], scores.ravel()
    points["visible"] = np.isfinite(xy[:, 0])
    video = _video(track)
    with hdf(path, "w") as file:
        about = file.create_group("metadata")
        about.attrs["format_id"] = _FORMAT
        about.attrs["json"] = np.bytes_(json.dumps(_metadata(track), ensure_ascii=True, separators=(",", ":")))
        for name, rows in (("frames", frames), ("instances", instances), ("pred_points", points)):
            file.create_dataset(name, data=rows, compression="gzip" if len(rows) else None)
        file.create_dataset("points", data=np.zeros(0, _POINT))
        text = h5py.string_dtype()
        file.create_dataset("tracks_json", data=[json.dumps([0, name]) for name in track.people], dtype=text)
        file.create_dataset("videos_json", data=[json.dumps(video)], dtype=text)
        for name in ("suggestions_json", "sessions_json"):
            file.create_dataset(name, shape=(0,), maxshape=(None,), dtype=text)


def _video(track: PoseTrack) -> dict[str, Any]:
    name = track.source or "video.mp4"
    backend: dict[str, Any] = {"filename": name, "type": "MediaVideo", "grayscale": False}
    if track.size is not None:
        backend["shape"] = [int(track.frames[-1]) + 1, track.size[1], track.size[0], 3]
    return {"filename": name, "backend": backend}


def _metadata(track: PoseTrack) -> dict[str, Any]:
    at = {joint: i for i, joint in enumerate(track.joints)}
    links = [
        {"edge_insert_idx": i, "key": 0, "source": at[a], "target": at[b], "type": _EDGE if not i else {"py/id": 1}}
        for i, (a, b) in enumerate(track.skeleton.limbs)
    ]
    skeleton = {
        "directed": True, "graph": {"name": track.skeleton.name, "num_edges_inserted": len(links)}, "links": links,
        "multigraph": True, "nodes": [{"id": i} for i in at.values()],
    }  # fmt: skip
    provenance = {"software": track.software or "dkd", **({"fps": track.fps} if track.fps else {})}
    return {
        "version": "2.0.0", "skeletons": [skeleton], "nodes": [{"name": name, "weight": 1.0} for name in at],
        "videos": [], "tracks": [], "suggestions": [], "negative_anchors": {}, "provenance": provenance,
    }  # fmt: skip


def read(path: Path, video: int = 0) -> PoseTrack:
    """Read the instances of one video; a labelled instance is preferred to a predicted one, as SLEAP does.

    Instances without a track are numbered in the order of the frame, which is noted: that is no identity.
    """
    with hdf(path) as file:
        about = json.loads(strings(file["metadata"].attrs["json"])[0])
        format_id = float(file["metadata"].attrs["format_id"])
        frames, instances = file["frames"][()], file["instances"][()]
        points, predicted = file["points"][()], file["pred_points"][()]
        tracks = [json.loads(one) for one in strings(file["tracks_json"][()])]
        videos = [json.loads(one) for one in strings(file["videos_json"][()])]
    if not about["skeletons"] or not len(frames):
        raise DatasetError(f"expected a skeleton and labelled frames in {path}, got none")
    graph = about["skeletons"][0]
    order = [_node(node) for node in graph["nodes"]]
    joints = tuple(str(about["nodes"][i]["name"]) for i in order)
    limbs = [(joints[order.index(_node(e["source"]))], joints[order.index(_node(e["target"]))]) for e in _body(graph)]
    ids = sorted({int(i) for i in frames["video"]})
    chosen = frames[frames["video"] == ids[min(video, len(ids) - 1)]]
    chosen = chosen[np.argsort(chosen["frame_idx"], kind="stable")]
    notes = [] if len(ids) < 2 else [f"The file has {len(ids)} videos; this is number {video}."]
    rows = [instances[int(f["instance_id_start"]) : int(f["instance_id_end"])] for f in chosen]
    for f, row in zip(chosen, rows, strict=True):
        tracks_of_kinds = [(int(one["track"]), int(one["instance_type"])) for one in row if one["track"] >= 0]
        stated = int(f["instance_id_end"]) - int(f["instance_id_start"])
        if len(row) != stated or len(set(tracks_of_kinds)) < len(tracks_of_kinds):
            raise DatasetError(
                f"expected each person once in frame {int(f['frame_idx'])} of {path}, and the {stated} instances that "
                "it states; is the file damaged?"
            )
    untracked = max([int((row["track"] < 0).sum()) for row in rows], default=0)
    people = [str(one[1] if isinstance(one, list) else one) for one in tracks]
    if untracked:
        people += [f"{PERSON}_{i + 1}" for i in range(untracked)] if untracked > 1 or people else [PERSON]
        if untracked > 1:
            notes.append("Instances without a track are numbered by their order in each frame; that is no identity.")
    out = np.full((len(chosen), len(people) or 1, len(joints), 3), np.nan)
    for t, row in enumerate(rows):
        free = iter(range(len(tracks), len(people)))
        for one in sorted(row, key=lambda one: -int(one["instance_type"])):  # labelled ones last: they replace
            part = slice(int(one["point_id_start"]), int(one["point_id_end"]))
            source = predicted if one["instance_type"] == _PREDICTED else points
            p = int(one["track"]) if one["track"] >= 0 else next(free)
            found = source[part]
            shift = 0.5 if format_id < 1.1 else 0  # then the origin was the pixel's corner
            out[t, p, :, 0], out[t, p, :, 1] = found["x"] - shift, found["y"] - shift
            out[t, p, :, 2] = found["score"] if source is predicted else np.nan
    provenance = about.get("provenance") or {}
    backend = videos[0].get("backend", {}) if videos else {}
    shape = backend.get("shape")
    fps = provenance.get("fps") or backend.get("fps")
    track = PoseTrack(
        out[..., :2], out[..., 2], skeleton_of(joints, {"limbs": limbs, "skeleton": graph["graph"].get("name")}),
        chosen["frame_idx"].astype(np.int64), np.full(len(chosen), np.nan), tuple(people or [PERSON]),
        size=(shape[2], shape[1]) if shape and len(shape) == 4 else None,
        source=backend.get("filename") or (videos[0].get("filename") if videos else None),
        software=provenance.get("software"), notes=tuple(notes),
    )  # fmt: skip
    return track.timed(fps) if fps else track


def _node(node: Any) -> int:
    return int(node["id"] if isinstance(node, dict) else node)


def _body(graph: dict[str, Any]) -> list[dict[str, Any]]:
    """Edges of the body; SLEAP stores symmetries as edges of type 2."""
    seen: list[Any] = []
    edges = []
    for edge in graph["links"]:
        kind = edge.get("type", {})
        if "py/reduce" in kind:
            seen.append(kind["py/reduce"][1]["py/tuple"][0])
            value = seen[-1]
        else:
            value = seen[kind["py/id"] - 1] if kind.get("py/id") and kind["py/id"] <= len(seen) else 1
        if value == 1:
            edges.append(edge)
    return edges
