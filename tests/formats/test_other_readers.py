"""Every format is read by its own tool, at the versions of requirements.lock; docs/formats.md has the table."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pynwb
import pytest
import sleap_io
import xarray
from movement.io import load_poses as movement
from movement.kinematics import compute_velocity
from pose_format.utils.openpose import load_openpose_directory
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from trc import TRCData

from dkd import export
from dkd.formats.coco import POSETRACK
from dkd.formats.files import FORMATS
from dkd.formats.openpose import BODY_25
from dkd.formats.track import PoseTrack
from dkd.pose.skeleton import SKELETONS
from tests.support.tracks import make_track, same

ROOT = Path(__file__).resolve().parents[2]
FPS = 30000 / 1001
PENN = SKELETONS["penn_action"]


@pytest.fixture
def two() -> PoseTrack:
    """Two people from 10 s on, with gaps, a frame without anybody, and scores also where a joint is missing."""
    return make_track(3, 12, 2, PENN, FPS, 300)


@pytest.fixture
def one() -> PoseTrack:
    return make_track(4, 12, 1, PENN, FPS, 300)


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "read"), [(".csv", pd.read_csv), (".parquet", pd.read_parquet)])
def test_pandas_reads_tables(two: PoseTrack, tmp_path: Path, ending: str, read: Callable[..., pd.DataFrame]) -> None:
    table = read(export(two, tmp_path / f"a{ending}").path)
    wide = table.pivot(index="frame", columns=["person", "joint"], values=["x", "y", "score"])
    for p, person in enumerate(two.people):
        for j, joint in enumerate(two.joints):
            for i, name in enumerate("xy"):
                assert same(two.xy[:, p, j, i], wide[name, person, joint].to_numpy())
            assert same(two.scores[:, p, j], wide["score", person, joint].to_numpy())
    assert np.allclose(table["time_s"].unique(), two.times, rtol=0, atol=1e-9)


# --- DeepLabCut -------------------------------------------------------------------------------------------------------


def check_movement(track: PoseTrack, data: xarray.Dataset, scores: bool = True) -> None:
    """Compare by name; movement's rows are the frames from 0 on, and it knows a rate only if it is told."""
    assert data.sizes["time"] == track.frames[-1] + 1
    ours = data.sel(keypoints=list(track.joints), individuals=list(track.people)).isel(time=track.frames)
    assert same(track.xy, ours["position"].transpose("time", "individuals", "keypoints", "space").values)
    found = ours["confidence"].transpose("time", "individuals", "keypoints").values
    there = ~track.missing
    assert same(track.scores[there], found[there])
    assert np.isnan(data["position"].values[: track.frames[0]]).all()


@pytest.mark.parametrize("ending", [".dlc.csv", ".h5"])
@pytest.mark.parametrize("people", [1, 2])
def test_movement_reads_deeplabcut(people: int, ending: str, tmp_path: Path) -> None:
    track = make_track(people, 9, people, PENN, FPS, 4)
    path = export(track, tmp_path / f"a{ending}").path
    data = movement.from_dlc_file(path, fps=FPS)
    if people == 1:
        data = data.assign_coords(individuals=list(track.people))
    check_movement(track, data)
    assert np.allclose(data.time.values[track.frames], track.times)
    assert movement.from_dlc_file(path).attrs["time_unit"] == "frames"  # without the rate: numbers of frames


@pytest.mark.parametrize("people", [1, 2])
def test_pandas_reads_the_deeplabcut_files_as_the_same_table(people: int, tmp_path: Path) -> None:
    track = make_track(people, 9, people, PENN, FPS, 0, scored=people == 1)
    header = [0, 1, 2] if people == 1 else [0, 1, 2, 3]
    table = pd.read_hdf(export(track, tmp_path / "a.h5").path, "df_with_missing")
    text = pd.read_csv(export(track, tmp_path / "a.dlc.csv").path, header=header, index_col=0)
    assert list(table.columns.names) == ["scorer", *["individuals"] * (people > 1), "bodyparts", "coords"]
    assert table.index.name is None and list(table.index) == list(range(9)) == list(text.index)
    assert [tuple(column) for column in text.columns] == [tuple(column) for column in table.columns]
    assert same(text.to_numpy(np.float64).astype(np.float32), table.to_numpy(), np.float32)


def test_sleap_reads_deeplabcut_h5_but_not_its_predictions_as_csv(one: PoseTrack, tmp_path: Path) -> None:
    """sleap-io 0.9.5 loads a prediction CSV as no frames, without a word: docs/formats.md says to use .slp."""
    labels = sleap_io.load_file(export(one, tmp_path / "a.dlc.csv").path.as_posix())
    assert len(labels.labeled_frames) == 0


# --- SLEAP ------------------------------------------------------------------------------------------------------------


def test_sleap_reads_slp(two: PoseTrack, tmp_path: Path) -> None:
    labels = sleap_io.load_slp(export(two, tmp_path / "a.slp").path.as_posix(), open_videos=False)
    assert [track.name for track in labels.tracks] == list(two.people)
    skeleton = labels.skeleton
    assert tuple(skeleton.node_names) == two.joints
    assert tuple((e.source.name, e.destination.name) for e in skeleton.edges) == two.skeleton.limbs
    assert [frame.frame_idx for frame in labels.labeled_frames] == two.frames.tolist()
    assert labels.video.filename == two.source and tuple(labels.video.shape[1:3]) == (720, 1280)
    for t, frame in enumerate(labels.labeled_frames):
        people = {instance.track.name: instance for instance in frame.instances}
        assert people.keys() == {p for i, p in enumerate(two.people) if not two.missing[t, i].all()}
        for name, instance in people.items():
            p = two.people.index(name)
            assert same(two.xy[t, p], instance.numpy()) and same(two.scores[t, p], instance.points["score"])


def test_sleap_reads_back_what_it_saved_of_it(two: PoseTrack, tmp_path: Path) -> None:
    from dkd import load_poses

    labels = sleap_io.load_slp(export(two, tmp_path / "a.slp").path.as_posix(), open_videos=False)
    labels.save((tmp_path / "b.slp").as_posix(), verbose=False)
    back = load_poses(tmp_path / "b.slp")
    assert same(two.xy, back.xy) and back.people == two.people and back.skeleton == two.skeleton
    assert (back.frames == two.frames).all() and back.size == two.size


def test_movement_reads_slp(tmp_path: Path) -> None:
    track = make_track(2, 9, 2, PENN, FPS, 4)
    check_movement(track, movement.from_sleap_file(export(track, tmp_path / "a.slp").path, fps=FPS))


# --- movement ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
@pytest.mark.parametrize("plural", [False, True])
def test_xarray_reads_netcdf(two: PoseTrack, tmp_path: Path, engine: str, plural: bool) -> None:
    path = export(two, tmp_path / "a.nc", plural=plural).path
    with xarray.open_dataset(path, engine=engine) as data:
        s = "s" * plural
        assert data["position"].dims == ("time", "space", f"keypoint{s}", f"individual{s}")
        assert same(two.xy, data["position"].transpose("time", f"individual{s}", f"keypoint{s}", "space").values)
        assert same(two.scores, data["confidence"].transpose("time", f"individual{s}", f"keypoint{s}").values)
        assert same(two.times, data["time"].values) and same(two.frames, data["frame"].values)
        assert list(data[f"keypoint{s}"].values) == list(two.joints) and list(data["space"].values) == ["x", "y"]
        assert list(data[f"individual{s}"].values) == list(two.people)
        assert data.attrs["fps"] == FPS and data.attrs["ds_type"] == "poses" and data.attrs["time_unit"] == "seconds"


def test_movement_computes_with_netcdf_if_the_names_are_those_of_its_version(two: PoseTrack, tmp_path: Path) -> None:
    """Velocities of movement 0.15, whose names are plural; movement 0.17 needs Python 3.12 and has singular ones."""
    with xarray.open_dataset(export(two, tmp_path / "a.nc", plural=True).path) as data:
        found = compute_velocity(data["position"]).transpose("time", "individuals", "keypoints", "space").values
    assert np.allclose(found, np.gradient(two.xy, two.times, axis=0), equal_nan=True, rtol=1e-3, atol=1e-2)


def test_netcdf_of_movement_is_read(two: PoseTrack, tmp_path: Path) -> None:
    from dkd import load_poses

    data = movement.from_numpy(
        np.moveaxis(two.xy, (1, 2, 3), (3, 2, 1)), np.moveaxis(two.scores, 1, 2), list(two.people), list(two.joints),
        fps=FPS, source_software="DeepLabCut",
    )  # fmt: skip
    for names in ({}, {"keypoints": "keypoint", "individuals": "individual"}):
        data.rename(names).to_netcdf(tmp_path / "b.nc")
        back = load_poses(tmp_path / "b.nc")
        assert same(two.xy, back.xy) and same(two.scores, back.scores) and back.fps == FPS
        assert (back.people, back.joints) == (two.people, two.joints) and (back.frames == np.arange(12)).all()


# --- NWB --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [FPS, None])
def test_pynwb_reads_nwb(tmp_path: Path, fps: float | None) -> None:
    track = make_track(3, 12, 2, PENN, fps, 300)
    with pynwb.NWBHDF5IO(export(track, tmp_path / "a.nwb").path, "r", load_namespaces=True) as io:
        module = io.read().processing["behavior"]
        for p, person in enumerate(track.people):
            pose = module[person]
            assert list(pose.skeleton.nodes) == list(track.joints)
            assert [tuple(edge) for edge in pose.skeleton.edges] == list(track.skeleton.limb_indices)
            assert pose.source_video.external_file[0] == track.source
            for j, joint in enumerate(track.joints):
                series = pose[joint]
                assert same(track.xy[:, p, j], series.data[()]) and same(track.scores[:, p, j], series.confidence[()])
                if fps is None:
                    assert same(track.times, series.timestamps[()])
                else:
                    assert series.rate == fps and series.starting_time == track.times[0]
        assert same(track.frames, module["frame_numbers"].data[()])


def test_the_schema_of_nwb_is_kept(two: PoseTrack, tmp_path: Path) -> None:
    path = export(two, tmp_path / "a.nwb").path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pynwb.validate(path=path.as_posix())
    assert (found[0] if isinstance(found, tuple) else found) == []


def test_movement_reads_nwb_one_person_at_a_time(one: PoseTrack, two: PoseTrack, tmp_path: Path) -> None:
    """Times are even from 0 on, and keypoints A to Z: what movement makes of every NWB file."""
    for track, options in ((one, {}), (two, {"pose_estimation_key": "mouse 1"})):
        data = movement.from_nwb_file(export(track, tmp_path / "a.nwb").path, **options)
        assert list(data.keypoints.values) == sorted(track.joints) and data.time.values[0] == 0
        found = data.sel(keypoints=list(track.joints))["position"].values[..., 0]
        assert same(track.xy[:, -1], np.moveaxis(found, 1, 2))


# --- COCO, PoseTrack --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".coco.json", ".posetrack.json"])
def test_pycocotools_reads_and_scores(two: PoseTrack, tmp_path: Path, ending: str) -> None:
    """Compared with themselves, all are found; nobody is in the second frame; 13 joints need 13 sigmas."""
    path = export(two, tmp_path / f"a{ending}").path
    truth = COCO(path.as_posix())
    names = truth.loadCats(1)[0]["keypoints"]
    assert names == list(two.joints if ending == ".coco.json" else POSETRACK.joints)
    assert len(truth.getImgIds()) == 12 and truth.getAnnIds(imgIds=[302]) == []
    for one in truth.loadAnns(truth.getAnnIds()):
        points = np.array(one["keypoints"]).reshape(-1, 3)
        t, p = one["image_id"] - 301, one["track_id"] - 1
        for (x, y, v), name in zip(points, names, strict=True):
            there = name in two.joints and not two.missing[t, p, two.joints.index(name)]
            assert v == (2 if there else 0) and (there or (x, y) == (0, 0))
            assert not there or same(two.xy[t, p, two.joints.index(name)], np.array([x, y]))
    found = truth.loadRes([dict(one) for one in truth.dataset["annotations"]])
    scored = COCOeval(truth, found, "keypoints")
    scored.params.kpt_oks_sigmas = np.full(len(names), 0.07)
    scored.evaluate()
    scored.accumulate()
    assert scored.eval["precision"][:, :, 0, 0, 0].min() == 1.0


def test_sleap_reads_coco(two: PoseTrack, tmp_path: Path) -> None:
    """It looks for the images: they are called VIDEO/000300.jpg, with the frame's number."""
    path = export(two, tmp_path / "a.coco.json").path
    (tmp_path / "anna").mkdir()
    for frame in two.frames:
        cv2.imwrite(str(tmp_path / "anna" / f"{frame:06d}.jpg"), np.zeros((8, 8, 3), np.uint8))
    labels = sleap_io.load_coco(path.as_posix(), dataset_root=tmp_path.as_posix())
    assert tuple(labels.skeletons[0].node_names) == two.joints
    there = ~two.missing.all(-1)
    assert sum(len(frame.instances) for frame in labels.labeled_frames) == there.sum()


# --- OpenPose, TRC, NPZ -----------------------------------------------------------------------------------------------


def test_pose_format_reads_openpose(two: PoseTrack, tmp_path: Path) -> None:
    folder = export(two, tmp_path / "a.openpose").path
    pose = load_openpose_directory(folder.as_posix(), fps=FPS, width=1280, height=720, num_frames=312)
    body = pose.body.data[300:, :, :25]
    for name, joint in (("LWrist", "left_wrist"), ("RHip", "right_hip"), ("LAnkle", "left_ankle")):
        at, ours = BODY_25.index(name), PENN.index(joint)
        gone = np.ma.getmaskarray(body[:, :, at]).any(-1)
        assert (gone == two.missing[..., ours]).all()
        assert same(two.xy[..., ours, :][~gone], body.data[:, :, at][~gone])
        assert same(two.scores[..., ours][~gone], pose.body.confidence[300:, :, at][~gone])
    assert np.ma.getmaskarray(body[:, :, BODY_25.index("Neck")]).all()
    assert json.loads(next(folder.iterdir()).read_text())["people"][0]["face_keypoints_2d"] == []


def test_a_trc_reader_reads_trc(tmp_path: Path) -> None:
    """trc-data-reader takes a blank for no column, so that gaps shift: it is compared without gaps."""
    track = make_track(4, 12, 1, PENN, FPS, 300, gaps=False)
    data = TRCData()
    data.load(export(track, tmp_path / "a.trc").path.as_posix())
    assert data["Markers"] == list(track.joints) and data["DataRate"] == FPS and data["NumFrames"] == 12
    assert data["Frame#"] == track.frames.tolist() and data["Time"] == track.times.tolist()
    for j, joint in enumerate(track.joints):
        x, y, z = np.array(data[joint]).T
        assert same(track.xy[:, 0, j, 0], x) and same(-track.xy[:, 0, j, 1], y) and (z == 0).all()


def test_gaps_in_trc_are_empty_cells(tmp_path: Path) -> None:
    """As Pose2Sim and OpenSim read it: a table of tab-separated columns below six lines."""
    track = make_track(4, 12, 1, PENN, FPS, 300)
    table = pd.read_csv(export(track, tmp_path / "a.trc").path, sep="\t", skiprows=5, header=None)
    points = table.to_numpy()[:, 2:].reshape(12, 13, 3)
    assert same(track.xy[:, 0, :, 0], points[..., 0]) and same(-track.xy[:, 0, :, 1], points[..., 1])
    assert (np.isnan(points).all(-1) == track.missing[:, 0]).all()


def test_numpy_reads_npz(two: PoseTrack, tmp_path: Path) -> None:
    with np.load(export(two, tmp_path / "a.npz").path) as file:
        assert same(two.xy, file["xy"]) and same(two.times, file["times"]) and same(two.scores, file["scores"])


def test_the_table_of_the_docs_has_the_versions_of_this_test() -> None:
    """One row per format, and in each row the readers that are installed here."""
    rows = [line for line in (ROOT / "docs" / "formats.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    table = {row.split("|")[2].strip(): row.split("|")[-2] for row in rows[1:]}
    endings = {ending.strip("` ") for cell in table for ending in cell.split(",")}
    assert endings == {one.endings[0] for one in FORMATS.values() if not one.draws}
    for cell in table.values():
        for reader in cell.split(","):
            name, said = reader.split()
            assert version(name) == said, f"docs/formats.md says {name} {said}"
