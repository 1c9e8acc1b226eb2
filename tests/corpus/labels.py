"""Label files of every loader of data sets: damaged, of another kind, and with values that are no labels."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dkd.datasets.mpii import LABELS
from dkd.datasets.people import PersonSequence
from dkd.datasets.sources import load_people
from tests.corpus.cases import Case, Use
from tests.support.crops_folder import crop_labels, write_crops, write_videos
from tests.support.official_folders import (
    mpii_point,
    struct_array,
    write_images,
    write_jhmdb,
    write_mat,
    write_mpii,
    write_penn,
)
from tests.support.video_files import draw_number, write_clip

KIND = "label files of data sets"
NAN, INF = float("nan"), float("inf")


def _extended(root: Path, **arrays: Any) -> None:
    joints = np.random.default_rng(0).uniform(5, 60, (14, 3, 5))
    joints[:, 2] = 1
    write_images(root / "images", [f"im{i:05d}.jpg" for i in range(1, 6)])
    write_mat(root / "joints.mat", **({"joints": joints} | arrays))


def _lsp(root: Path, **arrays: Any) -> None:
    joints = np.random.default_rng(0).uniform(5, 60, (3, 14, 2000))
    joints[2] = 0
    (root / "images").mkdir(parents=True)
    for i in range(1, 2001):  # the images themselves are not read
        (root / f"images/im{i:04d}.jpg").touch()
    write_mat(root / "joints.mat", **({"joints": joints} | arrays))


def _rendered(name: str, root: Path) -> None:
    write_penn(root)
    (root / name).write_text(json.dumps({"config": {"fps": 25.0}}))


def _cameras(root: Path, **arrays: Any) -> None:
    """The labels of one camera, and its clip in a data folder."""
    data = root.parent / "data" / "samples" / "pose2sim"
    data.mkdir(parents=True)
    write_clip(data / "cam01.mp4", [draw_number(i) for i in range(100)])
    os.environ["DKD_DATA"] = str(root.parent / "data")
    joints = np.random.default_rng(0).uniform(30, 90, (100, 17, 2))
    whole = {"consensus17": joints, "agree": np.ones((100, 17)), "bbox_size": np.full(100, 80.0)}
    root.mkdir(parents=True, exist_ok=True)
    np.savez(root / "pose2sim_cam01.npz", **(whole | arrays))


def _labelled(root: Path, **arrays: Any) -> None:
    write_videos(root, ("a",))
    if arrays:
        with np.load(root / "labels" / "a.npz") as file:
            whole: dict[str, Any] = {name: file[name] for name in file}
        np.savez(root / "labels" / "a.npz", **(whole | arrays))


# source → (write, its label file, split, number of people)
SOURCES: dict[str, tuple[Callable[..., object], str, str, int]] = {
    "penn_action": (write_penn, "labels/0001.mat", "train", 1),
    "sub_jhmdb": (write_jhmdb, "joint_positions/catch/a/joint_positions.mat", "train", 1),
    "lsp": (_lsp, "joints.mat", "train", 1000),
    "lsp_extended": (_extended, "joints.mat", "train", 5),
    "mpii": (write_mpii, LABELS, "train", 3),
    "person_crops": (partial(write_crops, n=22), "labels.npz", "train", 42),
    "labelled_videos": (_labelled, "labels/a.npz", "train", 1),
    "rendered": (partial(_rendered, "render.json"), "render.json", "train", 1),
    "corrections": (partial(_rendered, "corrections.json"), "labels/0001.mat", "train", 1),
    "pose2sim": (_cameras, "pose2sim_cam01.npz", "test", 1),
}


def _load(source: str, split: str, n: int, root: Path) -> Sequence[str]:
    people: list[PersonSequence] = load_people(f"{source}={root}", split)
    assert len(people) == n, f"{len(people)} people"
    for person in people[:3]:
        joints = np.asarray(person.joints)
        assert joints.dtype == np.float32 and not np.isinf(joints).any() and np.isfinite(joints).any()
        if source != "lsp":
            assert np.asarray(person.images[0]).ndim == 3
    return ()


def _changed(source: str, change: Callable[[Path], object], folder: Path) -> Use:
    """The whole folder, whose label file is changed."""
    write, file, split, n = SOURCES[source]
    root = folder / "set"
    write(root)
    change(root / file)
    return partial(_load, source, split, n, root)


def _with(source: str, arrays: dict[str, Any], folder: Path) -> Use:
    write, _, split, n = SOURCES[source]
    root = folder / "set"
    write(root, **arrays)
    return partial(_load, source, split, n, root)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _other_mat(path: Path) -> None:
    write_mat(path, something=np.ones(3))


def _other_npz(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, something=np.ones(3))


def _pickled(path: Path) -> None:
    names = ("index", "consensus17", "agree", "joints")
    arrays: dict[str, Any] = {name: np.array([{"a": 1}], object) for name in names}
    with path.open("wb") as file:
        np.savez(file, **arrays)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "noise": lambda path: path.write_bytes(np.random.default_rng(0).bytes(3000)),
    "a page of an error": lambda path: path.write_text("<!DOCTYPE html><html>404</html>"),
    "a pointer of Git LFS": lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    "a folder": _folder,
    "a MATLAB file of something else": _other_mat,
    "an NPZ of something else": _other_npz,
    "an NPZ of pickles": _pickled,
}
_T3 = np.ones((3, 13))
VALUES: dict[str, tuple[tuple[str, dict[str, Any], str], ...]] = {
    "penn_action": (
        ("NaN", {"x": np.where(np.eye(3, 13) > 0, NAN, 30.0)}, "right"),
        ("infinite", {"x": _T3 * INF}, "refused"),
        ("complex", {"x": _T3 * (1 + 2j)}, "refused"),
        ("text", {"x": "many"}, "refused"),
        ("12 joints", {"x": np.ones((3, 12))}, "refused"),
        ("no frames", {"x": np.ones((0, 13))}, "refused"),
        ("visibility 0.5", {"visibility": _T3 / 2}, "refused"),
        ("boxes of NaN", {"bbox": np.full((3, 4), NAN)}, "right"),
        ("infinite boxes", {"bbox": np.full((3, 4), INF)}, "refused"),
        ("boxes as x, y, width, height", {"bbox": np.tile([60.0, 40, 9, 9], (3, 1))}, "right"),
        ("no action", {"action": ""}, "refused"),
        ("train is text", {"train": "yes"}, "refused"),
        ("a joint 10^30 pixels away", {"x": _T3 * 1e30}, "right"),
        ("more frames than images", {"n_images": 2}, "refused"),
    ),
    "lsp_extended": (
        ("NaN", {"joints": np.where(np.arange(14)[:, None, None] == 2, NAN, np.full((14, 3, 5), 9.0))}, "right"),
        ("infinite", {"joints": np.full((14, 3, 5), INF)}, "refused"),
        ("complex", {"joints": np.full((14, 3, 5), 1 + 2j)}, "refused"),
        ("text", {"joints": "many"}, "refused"),
        ("two axes", {"joints": np.ones((14, 3))}, "refused"),
        ("no people", {"joints": np.ones((14, 3, 0))}, "refused"),
        ("a struct", {"joints": {"a": 1}}, "refused"),
    ),
    "mpii": (
        ("flags for three images", {"train": (1, 0, 1)}, "refused"),
        ("nobody", {"train": (0, 0, 0, 0)}, "refused"),
    ),
    "person_crops": (
        ("an image that is not there", {"index": np.arange(2, 24)}, "refused"),
        ("text", {"joints": np.full((22, 14, 3), "a")}, "refused"),
        ("NaN", {"movenet": np.full((22, 17, 3), NAN)}, "refused"),
        ("infinite", {"movenet": np.full((22, 17, 3), INF)}, "refused"),
        ("complex", {"joints": crop_labels(22)["joints"] * (1 + 2j)}, "refused"),
        ("one row too few", {"joints": crop_labels(21)["joints"]}, "refused"),
        ("numbers with a fraction", {"index": np.arange(1, 23) + 0.5}, "refused"),
        ("negative numbers", {"index": -np.arange(1, 23)}, "refused"),
    ),
    "labelled_videos": (
        ("more frames than the video", {"consensus17": np.ones((9, 17, 2)) * 50, "agree": np.ones((9, 17))}, "refused"),
        ("no agreement", {"agree": np.zeros((6, 17))}, "refused"),
        ("scores for flags", {"agree": np.full((6, 17), 0.4)}, "refused"),
        ("NaN", {"consensus17": np.full((6, 17, 2), NAN)}, "refused"),
        ("infinite", {"consensus17": np.full((6, 17, 2), INF)}, "refused"),
        ("shares of the picture", {"consensus17": np.random.default_rng(0).random((6, 17, 2))}, "refused"),
        ("16 joints", {"consensus17": np.ones((6, 16, 2))}, "refused"),
        ("no frames", {"consensus17": np.ones((0, 17, 2)), "agree": np.ones((0, 17))}, "refused"),
        ("complex", {"consensus17": np.ones((6, 17, 2)) * 2j}, "refused"),
    ),
    "pose2sim": (
        ("sides of NaN", {"bbox_size": np.full(100, NAN)}, "refused"),
        ("negative sides", {"bbox_size": np.full(100, -5.0)}, "refused"),
        ("one side", {"bbox_size": np.ones(1)}, "refused"),
        ("infinite", {"consensus17": np.full((100, 17, 2), INF)}, "refused"),
        ("99 frames", {"consensus17": np.ones((99, 17, 2))}, "refused"),
        ("complex", {"consensus17": np.ones((100, 17, 2)) * 2j}, "refused"),
    ),
}


def _rates(text: str, folder: Path) -> Use:
    _rendered("render.json", folder / "set")
    (folder / "set" / "render.json").write_text(text)
    return partial(_load, "rendered", "train", 1, folder / "set")


def _release(release: Any, folder: Path) -> Use:
    write_mpii(folder / "set")
    write_mat(folder / "set" / LABELS, RELEASE=release)
    return partial(_load, "mpii", "train", 1, folder / "set")


def _one(point: dict[str, Any]) -> dict[str, Any]:
    rect = struct_array({"annopoints": {"point": point}})
    return {"annolist": struct_array({"image": {"name": "a.jpg"}, "annorect": rect}), "img_train": 1}


RELEASES: dict[str, tuple[Any, str]] = {
    "a number": (3, "refused"),
    "no list": ({"img_train": 1}, "refused"),
    "joint 99": (_one(mpii_point(99, 1, 2)), "refused"),
    "joint −1": (_one(mpii_point(-1, 1, 2)), "refused"),
    "joint 2.5": (_one({"id": 2.5, "x": 1, "y": 2}), "refused"),
    "an infinite place": (_one({"id": 2, "x": INF, "y": 2}), "refused"),
    "an image outside of the folder": (
        {
            "annolist": struct_array(
                {
                    "image": {"name": "../../a.jpg"},
                    "annorect": struct_array({"annopoints": {"point": mpii_point(2, 1, 2)}}),
                }
            ),
            "img_train": 1,
        },
        "refused",
    ),
}


def _crops(change: Callable[[Path], object], folder: Path) -> Use:
    write_crops(folder / "set", 22)
    change(folder / "set" / "crops.zip")
    return partial(_load, "person_crops", "train", 42, folder / "set")


def _zip(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(1, 23):
            archive.writestr(f"{number:05d}.jpg", data)


def _lists(text: bytes, folder: Path) -> Use:
    write_jhmdb(folder / "set")
    (folder / "set/sub_splits/catch_test_split_1.txt").write_bytes(text)
    return partial(_load, "sub_jhmdb", "train", 1, folder / "set")


def cases() -> Iterator[Case]:
    for source, (_, file, *_rest) in SOURCES.items():
        yield Case(KIND, f"{source}: whole", "right", partial(_changed, source, lambda path: None))
        for name, change in DAMAGE.items():
            if (name == "a MATLAB file of something else") != file.endswith(".mat") and "of something else" in name:
                continue
            if name == "an NPZ of pickles" and not file.endswith(".npz"):
                continue
            yield Case(KIND, f"{source}: labels, {name}", "refused", partial(_changed, source, change))
    for source, changes in VALUES.items():
        for name, arrays, outcome in changes:
            yield Case(KIND, f"{source}: {name}", outcome, partial(_with, source, arrays))
    for text in (
        "[]",
        "{}",
        '{"config": {"fps": 0}}',
        '{"config": {"fps": NaN}}',
        '{"config": {"fps": "x"}}',
        "[" * 10**5,
    ):
        yield Case(KIND, f"rendered: settings {text[:24]}", "refused", partial(_rates, text))
    for name, (release, outcome) in RELEASES.items():
        yield Case(KIND, f"mpii: {name}", outcome, partial(_release, release))
    for name, archive in {
        "missing": lambda path: path.unlink(), "empty": lambda path: path.write_bytes(b""),
        "cut": lambda path: path.write_bytes(path.read_bytes()[:5000]), "of text": lambda path: _zip(path, b"no image"),
        "whose first image unpacks to 2 GB": lambda path: _zip(path, bytes(2**26)),
    }.items():  # fmt: skip
        yield Case(KIND, f"person_crops: a zip {name}", "refused", partial(_crops, archive))
    for name, lines, outcome in (
        ("with Windows' line ends", b"a.avi 1\r\n", "right"), ("with empty lines", b"\n\na.avi 1\n\n", "right"),
        ("without an end of line", b"a.avi 1", "right"), ("in Latin-1", b"\xe9.avi 1\n", "refused"),
        ("with another number", b"a.avi 7\n", "refused"), ("of another video", b"b.avi 1\n", "refused"),
        ("that is empty", b"", "refused"), ("with a path", b"../../x.avi 1\n", "refused"),
    ):  # fmt: skip
        yield Case(KIND, f"sub_jhmdb: a list {name}", outcome, partial(_lists, lines))
