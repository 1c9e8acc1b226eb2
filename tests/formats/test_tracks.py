"""``PoseTrack``: from traces, checked, joined; joints by name; its video; files as other tools write them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from dkd import Clip, PoseTrack, export, load_poses, match_joints
from dkd.errors import ConfigError, DatasetError, DKDError, ShapeError, StorageError
from dkd.formats.files import FORMATS
from dkd.formats.hdf import plain_literals
from dkd.formats.names import plain_name, to_skeleton
from dkd.formats.openpose import BODY_25
from dkd.formats.rates import rate_of, snapped
from dkd.formats.several import pose_formats
from dkd.pose.skeleton import SKELETONS, Skeleton, convert_joints
from dkd.tracking.record import Record
from dkd.tracking.tables import save_joints
from dkd.video.images import ImageClip
from dkd.video.ranges import ClipRange
from tests.support.fake_trace import FakeTrace
from tests.support.tracks import make_track, same

PENN = SKELETONS["penn_action"]


class TracePart(FakeTrace):
    """A trace of the frames of a longer clip from 300 on."""

    def __init__(self, n_frames: int):
        super().__init__(n_frames)
        images = [np.zeros((240, 320, 3), np.uint8)] * (300 + n_frames)
        self.clip: Any = ClipRange(ImageClip(images, 30000 / 1001, "long"), 300)


def test_a_trace_of_a_part_has_the_frames_and_times_of_the_video() -> None:
    trace = TracePart(5)
    track = PoseTrack.from_trace(trace, "anna")
    assert track.frames.tolist() == [300, 301, 302, 303, 304] and track.people == ("anna",)
    assert np.allclose(track.times[0], 300 * 1001 / 30000) and track.fps == 30000 / 1001
    assert same(trace.joints, track.xy[:, 0]) and track.xy.dtype == trace.joints.dtype
    assert same(trace.scores, track.scores[:, 0]) and track.size == (320, 240)


def test_people_of_different_lengths_are_joined() -> None:
    a, b = make_track(1, 6, 1, PENN, 30, 10, gaps=False), make_track(3, 4, 1, PENN, 30, 13, gaps=False)
    both = export_and_load([replace(a, people=("a",)), replace(b, people=("b",))])
    assert both.frames.tolist() == list(range(10, 17)) and both.people == ("a", "b")
    assert same(a.xy[:, 0], both.xy[:6, 0]) and same(b.xy[:, 0], both.xy[3:, 1])
    assert both.missing[6, 0].all() and both.missing[:3, 1].all() and np.allclose(both.times, both.frames / 30)


def export_and_load(tracks: Any) -> PoseTrack:
    from dkd.formats.track import as_track

    return as_track(tracks)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"xy": np.zeros((3, 1, 12, 2))}, ShapeError, "13"),
        ({"frames": [0, 0, 1]}, ShapeError, "increase"),
        ({"frames": [0.5, 1, 2]}, ShapeError, "whole"),
        ({"times": [0, np.nan, 1]}, ShapeError, "times"),
        ({"times": [0, 2, 1]}, ShapeError, "never decrease"),
        ({"scores": np.zeros((3, 13))}, ShapeError, "scores"),
        ({"people": ("a", "b")}, ConfigError, "1 names of people"),
        ({"people": ("a\n",)}, ConfigError, "printed"),
        ({"fps": 0.0}, ConfigError, "fps"),
        ({"size": (0, 5)}, ConfigError, "size"),
    ],
)
def test_a_track_is_checked(change: dict[str, Any], error: type[DKDError], words: str) -> None:
    with pytest.raises(error, match=words):
        replace(make_track(1, 3, 1, PENN, 30), **change)


def test_a_track_cannot_be_changed() -> None:
    xy = np.zeros((1, 1, 13, 2))
    track = PoseTrack(xy, np.zeros((1, 1, 13)), PENN, np.array([0]), np.array([0.0]))
    xy[:] = 1
    assert (track.xy == 0).all()
    with pytest.raises(ValueError, match="read-only"):
        track.xy[:] = 1


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["left_wrist", "LWrist", "wrist_left", "Left Wrist", "leftwrist", "lwrist", "L_WRIST"])
def test_spellings_of_one_joint(name: str) -> None:
    assert plain_name(name) == "left_wrist"


@pytest.mark.parametrize("name", ["nose", "tailbase", "ear", "lear", "Earl", "ankle1", "right"])
def test_names_that_say_no_side_get_none(name: str) -> None:
    assert not plain_name(name).startswith(("left_w", "right_"))


def test_joints_are_found_by_name_in_any_order() -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(13)
    track = make_track(1, 4, 2, PENN, 30)
    mixed = replace(
        track, skeleton=Skeleton("theirs", tuple(f"my {PENN.joints[i]}"[3:].upper() for i in order), ()),
        xy=track.xy[:, :, order], scores=track.scores[:, :, order], confidence=None,
    )  # fmt: skip
    back = to_skeleton(mixed, "penn_action")
    assert same(track.xy, back.xy) and same(track.scores, back.scores) and back.notes == ()
    assert {match.how for match in match_joints(mixed.joints, PENN).matches} == {"by name"}


def test_a_name_that_fits_two_joints_fits_none() -> None:
    found = match_joints(["head", "LWrist", "wrist_left"], PENN)
    assert "left_wrist" in found.missing and found.unused == ("LWrist", "wrist_left")
    assert "left_wrist" in found.sentence and "LWrist" in str(found)


def test_the_head_of_coco_is_the_mean_of_nose_and_ears() -> None:
    track = make_track(1, 4, 1, SKELETONS["coco"], 30, gaps=False)
    expected = convert_joints(track.xy, "coco", "penn_action")
    assert same(expected, to_skeleton(track, PENN).xy)
    assert match_joints(BODY_25.joints, PENN).matches[0].theirs == ("Nose", "LEar", "REar")


# --- rates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [24.0, 24000 / 1001, 25.0, 29.97, 30000 / 1001, 30.0, 12.5, 60000 / 1001, 240.0])
@pytest.mark.parametrize("digits", [3, 6, 17])
def test_rates_are_found_from_rounded_times(rate: float, digits: int) -> None:
    frames = np.arange(300, 2300)
    found = rate_of(frames, np.round(frames / rate, digits))
    exact = rate if digits == 17 or rate != 29.97 else 30000 / 1001
    assert found is not None and (abs(found / exact - 1) < 1e-12 or (rate == 29.97 and abs(found / rate - 1) < 2e-6))


def test_uneven_times_have_no_rate() -> None:
    assert rate_of(np.arange(3), np.array([0, 0.033, 0.08])) is None and snapped(30.2) == 30.2
    assert rate_of(np.arange(3), np.full(3, np.nan)) is None


# --- the video --------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_the_video_is_said(tmp_path: Path) -> None:
    clip = ImageClip([np.zeros((240, 320, 3), np.uint8)] * 8, 25.0, "short")
    path = export(make_track(1, 12, 1, PENN, 30, gaps=False), tmp_path / "a.slp").path
    track = load_poses(path, video=clip)
    said = " ".join(track.notes)
    for words in ("up to 11", "8 frames", "30 fps", "25 fps", "1280×720", "320×240", "outside the video's picture"):
        assert words in said
    assert len(track) == 8 and track.fps == 25 and np.allclose(track.times, clip.times) and track.size == (320, 240)


def test_nothing_is_said_about_a_video_that_fits(tmp_path: Path) -> None:
    clip = ImageClip([np.zeros((720, 1280, 3), np.uint8)] * 12, 30.0, "fits")
    track = make_track(1, 12, 1, PENN, 30, gaps=False)
    track = replace(track, xy=np.clip(track.xy, 0, 700))
    for name in ("a.csv", "a.dlc.csv", "a.slp"):
        back = load_poses(export(track, tmp_path / name).path, video=clip)
        assert back.notes == () and back.fps == 30 and np.allclose(back.times, clip.times)


# --- files as other tools write them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["fixed", "table"])
def test_h5_of_pandas_is_read_without_unpickling(tmp_path: Path, format: Any) -> None:
    levels = {
        "scorer": ["DLC"],
        "individuals": ["m1", "m2"],
        "bodyparts": ["nose", "tail"],
        "coords": ["x", "y", "likelihood"],
    }
    columns = pd.MultiIndex.from_product(levels.values(), names=list(levels))
    table = pd.DataFrame(np.arange(60.0).reshape(5, 12), columns=columns)
    table.iloc[1, 0:2] = np.nan
    table.to_hdf(tmp_path / "a.h5", key="df_with_missing", format=format)
    track = load_poses(tmp_path / "a.h5")
    assert track.people == ("m1", "m2") and track.joints == ("nose", "tail")
    assert track.missing[1, 0, 0] and track.xy[2, 1, 1].tolist() == [33, 34] and track.scores[2, 1, 1] == 35


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = "frame_table"
        group.create_dataset("table", data=np.zeros(1, [("index", "i8"), ("values_block_0", "f8", (3,))]))
        group.attrs["non_index_axes"] = np.bytes_(b"cbuiltins\nprint\n(S'run'\ntR.")
    with pytest.raises(DatasetError, match="could run code"):
        load_poses(tmp_path / "a.h5")
    assert plain_literals(b"\x80\x02]q\x00(K\x01X\x01\x00\x00\x00aq\x01\x85q\x02e.") == [1, ("a",)]


def test_labelled_frames_of_deeplabcut_are_read(tmp_path: Path) -> None:
    """Three columns of the index, of which the last is the image; rows in any order; no likelihood."""
    rows = ["scorer,,,me,me,me,me", "bodyparts,,,nose,nose,tail,tail", "coords,,,x,y,x,y"]
    rows += ["labeled-data,clip,img0012.png,1,2,,", "labeled-data,clip,img0003.png,5,6,7,8"]
    (tmp_path / "CollectedData.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    track = load_poses(tmp_path / "CollectedData.csv")
    assert track.frames.tolist() == [3, 12] and track.xy[0, 0].tolist() == [[5, 6], [7, 8]]
    assert track.missing[1, 0].tolist() == [False, True] and np.isnan(track.scores).all()


def test_coco_without_tracks_is_read_with_a_note(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 7, "file_name": "clip_0002.png"}, {"id": 9, "file_name": "clip_0004.png"}],
        "categories": [{"id": 1, "name": "mouse", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "keypoints": [1, 2, 2, 0, 0, 0]},
            {"id": 2, "image_id": 7, "category_id": 1, "keypoints": [5, 6, 2, 7, 8, 1]},
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(content), encoding="utf-8")
    track = load_poses(tmp_path / "a.json")
    assert track.frames.tolist() == [2, 4] and len(track.people) == 2 and "no identity" in track.notes[0]
    assert track.xy[0, 1].tolist() == [[5, 6], [7, 8]] and track.missing[0, 0].tolist() == [False, True]
    assert track.missing[1].all() and track.skeleton.limbs == (("nose", "tail"),)


def test_the_table_of_dkd_track_is_read(tmp_path: Path) -> None:
    class Tabled(FakeTrace):
        to_frame = Record.to_frame

    trace: Any = Tabled(6)
    for ending in (".csv", ".tsv", ".json", ".parquet"):
        save_joints(trace, tmp_path / f"a{ending}", 300, 10.0)
        track = load_poses(tmp_path / f"a{ending}")
        assert track.skeleton == trace.skeleton and track.frames[0] == 300 and track.fps == trace.clip.fps
        assert np.array_equal(track.xy[:, 0].astype(np.float32), trace.joints, equal_nan=True), "no digit is lost"


@pytest.mark.parametrize("missing", ["NaN", "nan", "NA", ""])
def test_missing_joints_of_other_tables_are_read(tmp_path: Path, missing: str) -> None:
    rows = ["frame,joint,x,y", "0,head,1.5,2.5", f"0,left_hip,{missing},{missing}", "1,head,2,3", "1,left_hip,4,5"]
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n")
    xy = load_poses(tmp_path / "a.csv").xy[:, 0]
    assert np.array_equal(xy, np.array([[[1.5, 2.5], [np.nan] * 2], [[2, 3], [4, 5]]]), equal_nan=True)


def test_a_number_that_is_none_is_named_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("frame,joint,x,y\n0,head,1.5,2.5\n1,head,2,three\n")
    with pytest.raises(DatasetError, match="column 'y'.*got 'three' in row 2"):
        load_poses(tmp_path / "a.csv")


def test_times_that_are_replaced_are_noted(tmp_path: Path) -> None:
    export(make_track(1, 4, 1, PENN, 30), tmp_path / "a.tidy.csv")
    stored = load_poses(tmp_path / "a.tidy.csv")
    assert stored.fps is not None
    assert load_poses(tmp_path / "a.tidy.csv", fps=stored.fps).notes == stored.notes
    assert any("replaced by those of fps=99" in note for note in load_poses(tmp_path / "a.tidy.csv", fps=99).notes)


@pytest.mark.parametrize(
    "name", ["a.csv", "a.tsv", "a.h5", "a.slp", "a.nc", "a.nwb", "a.json", "a.trc", "a.npz", "a.xyz"]
)
def test_what_is_no_pose_file_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    for content in (b"", b"scorer,a\n", b"1,2\n3,4\n", b"{}", b"\x89HDF\r\n\x1a\n"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DatasetError):
            load_poses(tmp_path / name)
    with pytest.raises(DatasetError, match="no file"):
        load_poses(tmp_path / f"none_{name}")


@pytest.mark.parametrize("name", pose_formats())
def test_a_damaged_file_is_an_error_of_ours_or_a_shorter_track(tmp_path: Path, name: str) -> None:
    """Cut off at any place; where text is cut at the end of a line, the lines before it are a whole file."""
    track = make_track(1, 6, 2, PENN, 30)
    path = export(track, tmp_path / f"a{FORMATS[name].endings[0]}").path
    file = path if path.is_file() else sorted(path.iterdir())[-1]
    whole = file.read_bytes()
    refused = 0
    for length in np.linspace(0, len(whole) - 1, 24).astype(int):
        file.write_bytes(whole[:length])
        try:
            assert len(load_poses(path)) <= 6
        except DatasetError as error:
            refused += 1
            assert str(tmp_path) in str(error)
    assert refused >= (1 if name in ("csv", "tsv", "trc", "deeplabcut-csv") else 23)


def test_what_a_library_raises_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_path: Path) -> None:
        raise RuntimeError("Object visitation failed")

    monkeypatch.setattr("dkd.formats.nwb.read", broken)
    path = export(make_track(1, 3, 1, PENN, 30), tmp_path / "a.nwb").path
    with pytest.raises(DatasetError, match="cannot be read as NWB ndx-pose: Object visitation failed"):
        load_poses(path)


# --- writing ----------------------------------------------------------------------------------------------------------


def test_what_a_format_needs_is_asked_for(tmp_path: Path) -> None:
    timeless = replace(make_track(1, 3, 1, PENN, 30), times=np.full(3, np.nan), fps=None, size=None)
    for name, words in (("a.trc", "add fps"), ("a.nwb", "add fps"), ("a.coco.json", "add size"), ("a.doc", "ends in")):
        with pytest.raises(ConfigError, match=words):
            export(timeless, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    assert load_poses(export(timeless, tmp_path / "a.trc", fps=25).path).fps == 25
    with pytest.raises(ConfigError, match="no option"):
        export(timeless, tmp_path / "a.csv", plural=True)
    with pytest.raises(ConfigError, match="got int"):
        export(5, tmp_path / "a.csv")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    old = export(make_track(1, 3, 1, PENN, 30), tmp_path / "a.nwb").path.read_bytes()
    with pytest.raises(ConfigError, match="'/'"):
        export(replace(make_track(1, 4, 1, PENN, 30), people=("a/b",)), tmp_path / "a.nwb")
    assert (tmp_path / "a.nwb").read_bytes() == old and [p.name for p in tmp_path.iterdir()] == ["a.nwb"]
    with pytest.raises(StorageError):
        export(make_track(1, 3, 1, PENN, 30), tmp_path / "a.nwb" / "b.openpose")


def test_a_folder_is_replaced_only_if_it_is_one_of_openpose(tmp_path: Path) -> None:
    folder = export(make_track(1, 5, 1, PENN, 30), tmp_path / "a.openpose").path
    export(make_track(1, 3, 1, PENN, 30), folder)
    assert len(list(folder.iterdir())) == 3 and list(tmp_path.iterdir()) == [folder]
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="another name"):
        export(make_track(1, 3, 1, PENN, 30), folder)


def test_maps_and_kernels_of_traces_are_in_the_npz(tmp_path: Path) -> None:
    trace = FakeTrace(4)
    export({"a": trace, "b": trace}, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        for p in (0, 1):
            assert same(trace.heatmaps, file[f"heatmaps_{p}"]) and same(trace.kernels, file[f"kernels_{p}"])
            assert file[f"crops_{p}"].shape == (4, 3)
    assert load_poses(tmp_path / "a.npz").people == ("a", "b")


def test_the_command_converts_and_asks_before_it_replaces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dkd.cli.main import main

    track = make_track(1, 6, 1, PENN, 30, gaps=False)
    export(track, tmp_path / "a.csv")
    outs = [str(tmp_path / name) for name in ("b.slp", "b.nc")]
    assert main(["export-poses", str(tmp_path / "a.csv"), "--out", *outs, "--joints"]) == 0
    said = capsys.readouterr().out
    assert "left_wrist" in said and "b.slp: SLEAP." in said and "movement netCDF" in said
    assert same(track.xy, load_poses(outs[0]).xy)
    assert main(["export-poses", str(tmp_path / "a.csv"), "--out", *outs]) == 2
    assert "--force" in capsys.readouterr().err


def test_the_track_of_a_real_video_names_it(tmp_path: Path) -> None:
    from dkd import default_sample

    sample = default_sample()
    with Clip(sample.path) as clip:
        n = len(clip)
        track = replace(make_track(1, n, 1, PENN, None, gaps=False), xy=np.full((n, 1, 13, 2), 10.0))
        back = load_poses(export(track, tmp_path / "a.dlc.csv").path, video=sample.path)
        assert back.source == str(sample.path) and back.size == (clip.width, clip.height) and back.notes == ()
        assert same(clip.times, back.times)
