"""Random tracks through every format, compared with what docs/formats.md promises of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from dkd import export, load_poses
from dkd.formats.coco import POSETRACK
from dkd.formats.files import FORMATS
from dkd.formats.names import match_joints
from dkd.formats.openpose import BODY_25
from dkd.formats.track import PoseTrack
from dkd.pose.skeleton import SKELETONS, Skeleton
from tests.support.tracks import make_track, same, tracks


@dataclass(frozen=True)
class Promise:
    """What survives, besides coordinates, gaps and frame numbers, which always do.

    Attributes:
        ending: the file's.
        scores: ``"all"``, those of ``"found"`` joints, those of people ``"there"`` in a frame, or ``"none"``.
        times: whether times survive, of any rate; else they come from the video.
        rate: whether a constant rate survives.
        people, joints, limbs: whether names survive, and the edges.
        size: whether the video's size survives, and its name.
        whole: whether the file has a row for every frame from 0 on.
        places: the format's own joints.
    """

    ending: str
    scores: str = "all"
    times: bool = False
    rate: bool = False
    people: bool = True
    joints: bool = True
    limbs: bool = False
    size: bool = False
    whole: bool = False
    places: Skeleton | None = None


PROMISES = {
    "csv": Promise(".csv", times=True, rate=True),
    "tsv": Promise(".tsv", times=True, rate=True),
    "parquet": Promise(".parquet", times=True, rate=True, limbs=True, size=True),
    "deeplabcut-csv": Promise(".dlc.csv", scores="found", whole=True),
    "deeplabcut-h5": Promise(".h5", scores="found", whole=True),
    "sleap": Promise(".slp", scores="there", rate=True, limbs=True, size=True),
    "movement": Promise(".nc", times=True, rate=True, limbs=True, size=True),
    "nwb": Promise(".nwb", times=True, rate=True, limbs=True, size=True),
    "coco": Promise(".coco.json", scores="there", times=True, rate=True, limbs=True, size=True),
    "posetrack": Promise(".posetrack.json", scores="there", times=True, rate=True, size=True, places=POSETRACK),
    "openpose": Promise(".openpose", scores="found", people=False, places=BODY_25),
    "trc": Promise(".trc", scores="none", times=True, rate=True),
    "npz": Promise(".npz", times=True, rate=True, limbs=True, size=True),
}


def expected(track: PoseTrack, promise: Promise) -> PoseTrack:
    """The track without what the format does not promise to keep."""
    scores = track.scores.copy()
    gone = {"all": np.zeros_like(track.missing), "found": track.missing, "none": np.ones_like(track.missing)}
    gone["there"] = np.broadcast_to(track.missing.all(-1, keepdims=True), track.missing.shape)
    scores[gone[promise.scores]] = np.nan
    return replace(track, scores=scores)


def check(name: str, track: PoseTrack, folder: Path) -> None:
    promise = PROMISES[name]
    if name == "trc":  # spaces become underscores
        track = replace(track, people=tuple(person.replace(" ", "_") for person in track.people))
    written = export(track, folder / f"poses{promise.ending}")
    assert written.format == name
    back, wanted = load_poses(written.path), expected(track, promise)
    if promise.whole:
        assert (back.frames == np.arange(track.frames[-1] + 1)).all()
        others = np.setdiff1d(back.frames, track.frames)
        assert back.missing[others].all()
        back = replace(back, **{k: getattr(back, k)[track.frames] for k in ("xy", "scores", "frames", "times")})
    assert (back.frames == track.frames).all()
    assert back.people == track.people or not promise.people and len(back.people) == len(track.people)
    theirs, ours = list(range(len(track.joints))), list(range(len(track.joints)))
    if promise.places is not None:
        fits = match_joints(track.joints, promise.places)
        pairs = [(j, track.joints.index(m.theirs[0])) for j, m in enumerate(fits.matches) if len(m.theirs) == 1]
        theirs, ours = [a for a, _ in pairs], [b for _, b in pairs]
        assert len(pairs) >= 12
        lost = set(track.joints) - {track.joints[b] for b in ours}
        assert all(joint in " ".join(written.notes) for joint in lost) and len(lost) <= 3
        assert back.missing[..., [j for j in range(len(back.joints)) if j not in theirs]].all()
    else:
        assert back.joints == track.joints
    assert same(wanted.xy[..., ours, :], back.xy[..., theirs, :])
    known = np.isfinite(wanted.scores[..., ours])
    assert same(wanted.scores[..., ours][known], back.scores[..., theirs][known])
    if promise.scores == "all":
        assert same(wanted.scores, back.scores)
    if promise.times:
        assert np.abs(back.times - track.times).max() < 1e-9 * (1 + track.times[-1])
    if promise.rate and len(track) > 2:  # two frames always look like a constant rate
        assert (back.fps is None) == (track.fps is None)
        assert track.fps is None or back.fps is not None and abs(back.fps / track.fps - 1) < 1e-12
    if promise.limbs:
        assert back.skeleton.limbs == track.skeleton.limbs
    if promise.size:
        assert (back.size, back.source) == (track.size, track.source)
    if name in ("csv", "tsv", "parquet", "movement", "npz") and track.confidence is not None:
        assert back.confidence is not None and same(track.confidence, back.confidence)


def test_every_format_has_a_promise() -> None:
    assert PROMISES.keys() == {name for name, one in FORMATS.items() if not one.draws}


@pytest.mark.parametrize("name", PROMISES)
@settings(max_examples=12, deadline=None)
@given(track=tracks())
def test_a_random_track_comes_back(name: str, track: PoseTrack) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(name, track, Path(folder))


@pytest.mark.parametrize("name", PROMISES)
def test_a_track_of_70000_frames_comes_back(name: str, tmp_path: Path) -> None:
    """Beyond 65,535, and with frames that are large numbers."""
    skeleton = SKELETONS["penn_action"]
    if PROMISES[name].places is None:
        skeleton = Skeleton("two", ("head", "left_shoulder"), (("head", "left_shoulder"),))
    check(name, make_track(1, 70_000, 1, skeleton, 30000 / 1001), tmp_path)
