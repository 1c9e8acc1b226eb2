"""Pose files of every format that is read: damaged, of another kind, and with values that are no poses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dkd.formats.files import export, load_poses
from dkd.formats.tidy import to_table
from dkd.formats.track import PoseTrack
from dkd.pose.skeleton import SKELETONS
from tests.corpus.cases import Case, Use, uses
from tests.support.tracks import make_track

KIND = "pose files"
TRACK = make_track(3, 8, 2, SKELETONS["penn_action"], 25.0, gaps=False)
ENDINGS = (".csv", ".tsv", ".parquet", ".dlc.csv", ".h5", ".slp", ".nc", ".nwb", ".coco.json", ".posetrack.json",
           ".openpose", ".trc", ".npz", ".json")  # fmt: skip
_TEXTS = {".csv", ".tsv", ".dlc.csv", ".trc"}


def _export(ending: str, folder: Path) -> Path:
    path = folder / f"a{ending}"
    if ending == ".json":
        path.write_text(to_table(TRACK).to_json(orient="records"))
    else:
        export(TRACK, path, size=(1280, 720))
    return path


def _right(track: PoseTrack) -> bool:
    """The same joints, for those that the format has."""
    names = {name.casefold().replace("_", ""): j for j, name in enumerate(track.joints)}
    common = [(j, names[one.replace("_", "")]) for j, one in enumerate(TRACK.joints) if one.replace("_", "") in names]
    if "LShoulder" in track.joints:
        common = [(TRACK.joints.index("left_shoulder"), track.joints.index("LShoulder"))]
    assert len(track) == len(TRACK) and len(common) >= 1, (len(track), common)
    people = [0, 1] if track.people[0] not in TRACK.people else [track.people.index(name) for name in TRACK.people]
    return all(np.allclose(track.xy[:, people][:, :, b], TRACK.xy[:, :, a], atol=1e-3) for a, b in common)


def _file(path: Path) -> Path:
    return sorted(path.iterdir())[4] if path.is_dir() else path


def _damaged(ending: str, change: Callable[[Path], object], folder: Path) -> Use:
    path = _export(ending, folder)
    change(_file(path))
    return uses(lambda: load_poses(path), _right)


def _shortened(ending: str, folder: Path) -> Use:
    """A text file that ends within a line: what is there is read, and a note says so."""
    path = _export(ending, folder)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.8)].rstrip(b"\n") + b"1")
    return uses(lambda: load_poses(path), lambda track: 4 < len(track) <= len(TRACK))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "first 10 bytes": lambda path: path.write_bytes(path.read_bytes()[:10]),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "noise": lambda path: path.write_bytes(np.random.default_rng(0).bytes(3000)),
    "a page of an error": lambda path: path.write_text("<!DOCTYPE html>\n<html>\n404\n</html>\n" * 3),
    "a picture": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(400)),
    "zeros": lambda path: path.write_bytes(bytes(2000)),
}


# ---- files of HDF5, NPZ and OpenPose --------------------------------------------------------------------------------


def _hdf(ending: str, change: Callable[[h5py.File], object], folder: Path) -> Use:
    path = _export(ending, folder)
    with h5py.File(path, "r+") as file:
        change(file)
    return uses(lambda: load_poses(path), None)


def _replace(name: str, values: Any, **options: Any) -> Callable[[h5py.File], object]:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, data=values, **options)

    return change


def _huge(name: str, shape: tuple[int, ...], kind: Any = "f8") -> Callable[[h5py.File], object]:
    """A data set that states a size, without data."""

    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, shape=shape, dtype=kind, chunks=tuple(min(n, 64) for n in shape))

    return change


def _linked(name: str) -> Callable[[h5py.File], object]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = h5py.ExternalLink("other.h5", "/secret")

    return change


def _field(name: str, field: str, value: Any) -> Callable[[h5py.File], object]:
    def change(file: h5py.File) -> None:
        rows = file[name][()]
        rows[field] = value
        file[name][...] = rows

    return change


def _metadata(text: bytes) -> Callable[[h5py.File], object]:
    return lambda file: file["metadata"].attrs.__setitem__("json", np.bytes_(text))


HDF: dict[str, tuple[tuple[str, Callable[[h5py.File], object]], ...]] = {
    ".h5": (
        ("no values", lambda f: f.__delitem__("df_with_missing/block0_values")),
        ("values of text", _replace("df_with_missing/block0_values", np.full((8, 78), b"a"))),
        ("values without end", _huge("df_with_missing/block0_values", (10**9, 78))),
        ("values in another file", _linked("df_with_missing/block0_values")),
        ("infinite values", _replace("df_with_missing/block0_values", np.full((8, 78), np.inf))),
        ("one row less", _replace("df_with_missing/block0_values", np.ones((7, 78)))),
        ("codes out of range", _replace("df_with_missing/block0_items_label1", np.full(78, 99, np.int8))),
        ("frames twice", _replace("df_with_missing/axis1", np.zeros(8, int))),
        ("frames of NaN", _replace("df_with_missing/axis1", np.full(8, np.nan))),
        ("no group", lambda f: f.__delitem__("df_with_missing")),
    ),
    ".slp": (
        ("points of no person", _field("instances", "point_id_end", 0)),
        ("points behind the end", _field("instances", "point_id_start", 10**6)),
        ("tracks that are not there", _field("instances", "track", 77)),
        ("frames twice", _field("frames", "frame_idx", 3)),
        ("instances behind the end", _field("frames", "instance_id_end", 10**9)),
        ("no skeleton", _metadata(b'{"skeletons": []}')),
        ("metadata that are none", _metadata(b"[3]")),
        ("deep metadata", _metadata(b"[" * 50_000)),
        (
            "instances without end",
            _huge(
                "pred_points",
                (10**9,),
                [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?"), ("score", "f8")],
            ),
        ),
        ("no tracks", lambda f: f.__delitem__("tracks_json")),
        ("one person twice in a frame", _field("instances", "track", 0)),
    ),
    ".nc": (
        ("no position", lambda f: f.__delitem__("position")),
        ("positions without end", _huge("position", (10**8, 2, 13, 2))),
        ("positions in another file", _linked("position")),
        ("infinite positions", lambda f: f["position"].__setitem__(Ellipsis, np.inf)),
        ("times that go back", lambda f: f["time"].__setitem__(Ellipsis, np.arange(8)[::-1])),
        ("times of NaN and numbers", lambda f: f["time"].__setitem__(3, np.nan)),
        ("no names", lambda f: f.__delitem__("keypoint")),
        ("a rate of −1", lambda f: f.attrs.__setitem__("fps", -1.0)),
        ("a rate in text", lambda f: f.attrs.__setitem__("fps", "fast")),
        ("limbs that are no JSON", lambda f: f.attrs.__setitem__("skeleton_edges", "[[")),
        ("limbs of numbers", lambda f: f.attrs.__setitem__("skeleton_edges", "[1, 2]")),
        ("frames twice", lambda f: f["frame"].__setitem__(Ellipsis, 3)),
        ("a width of 0", lambda f: f.attrs.__setitem__("frame_width", 0)),
    ),
    ".nwb": (
        ("no poses", lambda f: f.__delitem__("processing/behavior")),
        ("data of text", _replace("processing/behavior/mouse 0/head/data", np.full((8, 2), b"a"))),
        ("data without end", _huge("processing/behavior/mouse 0/head/data", (10**9, 2))),
        ("one frame less", _replace("processing/behavior/mouse 0/head/data", np.ones((7, 2)))),
        ("three axes", _replace("processing/behavior/mouse 0/head/data", np.ones((8, 3)))),
        ("frame numbers twice", lambda f: f["processing/behavior/frame_numbers/data"].__setitem__(Ellipsis, 3)),
        ("no joint", lambda f: f.__delitem__("processing/behavior/mouse 0/head")),
        ("infinite data", lambda f: f["processing/behavior/mouse 0/head/data"].__setitem__(Ellipsis, np.inf)),
    ),
}


def _npz(change: Callable[[dict[str, Any]], object], folder: Path) -> Use:
    path = _export(".npz", folder)
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    with path.open("wb") as out:
        np.savez(out, **arrays)
    return uses(lambda: load_poses(path), None)


NPZ: dict[str, Callable[[dict[str, Any]], object]] = {
    "no joints": lambda a: a.pop("xy"),
    "text for joints": lambda a: a.update(xy=np.full(a["xy"].shape, "a")),
    "complex joints": lambda a: a.update(xy=a["xy"] * 1j),
    "pickled joints": lambda a: a.update(xy=np.array([{}], object)),
    "one frame less": lambda a: a.update(xy=a["xy"][1:]),
    "infinite joints": lambda a: a.update(xy=a["xy"] * np.inf),
    "about of nothing": lambda a: a.update(about=np.array("")),
    "about a list": lambda a: a.update(about=np.array("[1]")),
    "about deep": lambda a: a.update(about=np.array("[" * 10**5)),
    "about without names": lambda a: a.update(about=np.array("{}")),
    "frames of flags": lambda a: a.update(frames=np.ones(8, bool)),
    "times of NaN and numbers": lambda a: a["times"].__setitem__(2, np.nan),
}


def _openpose(files: dict[str, str], n: int | None, folder: Path) -> Use:
    (place := folder / "a.openpose").mkdir()
    for name, text in files.items():
        (place / name).write_text(text)
    return uses(lambda: load_poses(place), None if n is None else lambda track: len(track) == n)


def _people(*points: Any, **more: Any) -> str:
    return json.dumps({"version": 1.3, "people": [{"pose_keypoints_2d": one, **more} for one in points]})


_BODY = [10.0, 20.0, 0.9] * 25
OPENPOSE: dict[str, tuple[dict[str, str], int | None, str]] = {
    "whole": ({"a_000_keypoints.json": _people(_BODY), "a_001_keypoints.json": _people(_BODY)}, 2, "right"),
    "nobody": ({"a_0.json": _people()}, 1, "right"),
    "18 joints": ({"a_0.json": _people(_BODY[:54])}, None, "refused"),
    "no number": ({"a.json": _people(_BODY)}, None, "refused"),
    "a number twice": ({"a_1.json": _people(_BODY), "a_01.json": _people(_BODY)}, None, "refused"),
    "no files": ({}, None, "refused"),
    "people: null": ({"a_0.json": '{"people": null}'}, None, "refused"),
    "a list": ({"a_0.json": "[]"}, None, "refused"),
    "deep": ({"a_0.json": "[" * 10**5}, None, "refused"),
    "text": ({"a_0.json": _people(["a"] * 75)}, None, "refused"),
    "endless places": ({"a_0.json": _people([float("inf"), 1, 1] * 25)}, None, "refused"),
    "two people": ({"a_0.json": _people(_BODY, _BODY)}, 1, "warned"),
    "a person in text": ({"a_0.json": _people(_BODY, person_id=["x"])}, None, "refused"),
}


def cases() -> Iterator[Case]:
    for ending in ENDINGS:
        said = "warned" if ending == ".openpose" else "right"
        yield Case(KIND, f"{ending}: whole", said, partial(_damaged, ending, lambda path: None))
        for name, change in DAMAGE.items():
            if name == "cut in half" and ending in _TEXTS:
                yield Case(KIND, f"{ending}: cut within a line", "warned", partial(_shortened, ending))
            else:
                yield Case(KIND, f"{ending}: {name}", "refused", partial(_damaged, ending, change))
    for ending, changes in HDF.items():
        for name, inside in changes:
            yield Case(KIND, f"{ending}: {name}", "refused", partial(_hdf, ending, inside))
    for name, arrays in NPZ.items():
        yield Case(KIND, f".npz: {name}", "refused", partial(_npz, arrays))
    for name, (files, n, outcome) in OPENPOSE.items():
        yield Case(KIND, f"OpenPose: {name}", outcome, partial(_openpose, files, n))
