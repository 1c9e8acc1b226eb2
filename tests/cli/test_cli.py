"""Command line: its output, and one clear line for errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from dkd import Clip, Trace, load_model, load_poses, trace_person
from dkd.cli.main import main
from dkd.io.paths import DEFAULT_MODEL
from dkd.video.samples import get_sample


@pytest.fixture(scope="module")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a few frames of the rendered sample to a separate file."""
    import av

    path = tmp_path_factory.mktemp("clip") / "short.mp4"
    with Clip(get_sample("rendered_walk").path) as clip, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        for t in range(5):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(clip.frame(t), format="rgb24")))
        out.mux(stream.encode())
    return path


def test_track_writes_what_the_library_finds(
    short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = get_sample("rendered_walk").box
    out = tmp_path / "poses.csv"
    assert main(["track", str(short_clip), "--box", ",".join(map(str, box)), "--out", str(out)]) == 0
    table = pd.read_csv(out)
    assert list(table.columns) == ["frame", "time_s", "joint", "x", "y", "score", "confidence"]
    trace = Trace(DEFAULT_MODEL, short_clip, box, progress=False)
    expected = trace.to_frame()
    assert list(table.joint) == list(expected.joint)
    np.testing.assert_allclose(table.confidence, trace.confidence.ravel(), rtol=1e-4)
    np.testing.assert_allclose(
        table[["frame", "time_s", "x", "y", "score"]], expected[["frame", "time_s", "x", "y", "score"]], rtol=1e-4
    )
    captured = capsys.readouterr()
    assert "5 frames, 13 joints" in captured.out
    assert f"followed in all 5 frames: the mean confidence is {trace.confidence.mean():.2f}" in captured.out
    assert "tracing" in captured.err  # the progress bar
    assert [p.name for p in tmp_path.iterdir()] == ["poses.csv"]


def test_track_writes_the_formats_of_other_tools(short_clip: Path, tmp_path: Path) -> None:
    box = ",".join(map(str, get_sample("rendered_walk").box))
    people = ["--person", f"{box}@3=Anna", "--person", f"{box}@2=Ben"]
    for name in ("poses.slp", "poses.dlc.csv"):
        command = ["track", str(short_clip), *people, "--start", "2", "--out", str(tmp_path / name), "--quiet"]
        assert main(command) == 0
    sleap, deeplabcut = load_poses(tmp_path / "poses.slp"), load_poses(tmp_path / "poses.dlc.csv")
    assert sleap.people == deeplabcut.people == ("Anna", "Ben")
    assert sleap.frames.tolist() == [2, 3, 4] and deeplabcut.frames.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(sleap.xy, deeplabcut.xy[2:].astype(np.float32))
    assert np.isnan(deeplabcut.xy[:2]).all() and np.isfinite(sleap.xy).all()


def test_images_are_tracked_like_the_video_that_they_come_from(short_clip: Path, tmp_path: Path) -> None:
    import cv2

    (tmp_path / "frames").mkdir()
    with Clip(short_clip) as clip:
        for t, frame in enumerate(clip):
            cv2.imwrite(str(tmp_path / "frames" / f"im_{t:05d}.png"), frame[..., ::-1])
    box = ",".join(map(str, get_sample("rendered_walk").box))
    tables: list[pd.DataFrame] = []
    for video, more in (
        (short_clip, []),
        (tmp_path / "frames", ["--fps", "30"]),
        (tmp_path / "frames/im_%05d.png", []),
    ):
        out = tmp_path / f"{len(tables)}.csv"
        assert main(["track", str(video), "--box", box, *more, "--out", str(out), "--quiet"]) == 0
        tables.append(pd.read_csv(out))
    pd.testing.assert_frame_equal(tables[1], tables[0])
    np.testing.assert_allclose(tables[2]["time_s"], tables[0]["time_s"] * 30 / 25, atol=1e-8)  # 25 fps are assumed


def test_people_in_any_frame_are_tracked_and_named(
    short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box, out = get_sample("rendered_walk").box, tmp_path / "poses.csv"
    text = ",".join(map(str, box))
    people = ["--person", f"{text}@3=Anna", "--person", f"{text}@1"]
    command = ["track", str(short_clip), *people, "--start", "1", "--out", str(out), "--quiet"]
    assert main(command) == 0
    table = pd.read_csv(out)
    assert list(table.columns) == ["person", "frame", "time_s", "joint", "x", "y", "score", "confidence"]
    assert list(table.person.unique()) == ["Anna", "person 2"]
    for name, at in (("Anna", 3), ("person 2", 1)):
        rows = table[table.person == name]
        trace = trace_person(DEFAULT_MODEL, short_clip, box, at, start=1, progress=False)
        assert list(rows.frame.unique()) == [1, 2, 3, 4]
        np.testing.assert_allclose(rows[["x", "y"]], trace.joints.reshape(-1, 2), rtol=1e-4)
    assert capsys.readouterr().out == ""


def test_two_boxes_on_one_person_are_noticed(
    short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dkd.analysis.identity.LASTING_S", 0.1)  # the clip has 5 frames at 30 per second
    text = ",".join(map(str, get_sample("rendered_walk").box))
    people = ["--person", f"{text}@0=Anna", "--person", f"{text}@2=Ben"]
    assert main(["track", str(short_clip), *people, "--out", str(tmp_path / "o.csv")]) == 0
    printed = capsys.readouterr().out
    assert "2 people, 5 frames, 13 joints" in printed
    assert "Anna: The person is followed in all 5 frames" in printed
    assert "Ben: The person is followed in all 5 frames" in printed
    assert "Anna and Ben follow the same person in frames 0 to 4." in printed


@pytest.mark.parametrize(
    ("people", "message"),
    [
        (["1,2,30,40"], "the box needs the number of its frame"),
        (["1,2,30,40@x"], "the box needs the number of its frame"),
        (["1,2,30,40@-1"], "the box needs the number of its frame"),
        (["1,2,30@0"], "expected --person x0,y0,x1,y1@FRAME (four numbers"),
        (["1,2,30,40@9"], "expected the frame of person 1 in the part that is tracked, 0 to 4, got 9"),
        (["1,2,30,40@0=Ann", "1,2,30,50@1=Ann"], "got 'Ann' twice"),
    ],
)
def test_a_person_that_cannot_be_read_is_refused(
    short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], people: list[str], message: str
) -> None:
    options = [part for one in people for part in ("--person", one)]
    assert main(["track", str(short_clip), *options, "--out", str(tmp_path / "o.csv")]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{clip}", "--box", "1,2,3", "--out", "{tmp}/o.csv"], "expected --box x0,y0,x1,y1"),
        (["{clip}", "--box", "a,b,c,d", "--out", "{tmp}/o.csv"], "expected --box x0,y0,x1,y1"),
        (["{clip}", "--box", "5000,5000,6000,6000", "--out", "{tmp}/o.csv"], "outside the frame"),
        (["{clip}", "--model", "dkd-resnet", "--out", "{tmp}/o.csv"], "unknown"),
        (["{clip}", "--model", "{tmp}/none.safetensors", "--out", "{tmp}/o.csv"], "found no file"),
        (["{clip}", "--out", "{clip}/o.csv"], "expected a folder, got the file"),
        (["{clip}", "--out", "{tmp}/o.xlsx"], "ends in .csv, .tsv, .parquet, .dlc.csv"),
        (["{clip}", "--out", "{tmp}/o"], "ends in .csv"),
        (["{clip}", "--start", "5", "--out", "{tmp}/o.csv"], "0 <= start < stop <= 5"),
        (["{clip}", "--start", "3", "--stop", "2", "--out", "{tmp}/o.csv"], "0 <= start < stop <= 5"),
        (["{clip}", "--out", "{text}"], "exists already"),
        (["{clip}", "--out", "{clip}", "--force", "--stop", "1"], "is the video itself"),
        (["{tmp}/none.mp4", "--out", "{tmp}/o.csv"], "none.mp4"),
        (["{text}", "--out", "{tmp}/o.csv"], "text.mp4"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is not a video\n" * 50)
    filled = [a.format(clip=short_clip, tmp=tmp_path, text=text) for a in arguments]
    assert main(["track", *filled]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dkd: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "o.csv").exists()


def test_an_existing_file_is_only_replaced_if_asked_for(
    short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o.csv"
    out.write_text("mine")
    command = ["track", str(short_clip), "--stop", "1", "--out", str(out)]
    assert main(command) == 2
    assert "add --force" in capsys.readouterr().err and out.read_text() == "mine"
    assert main([*command, "--force", "--quiet"]) == 0
    assert len(pd.read_csv(out)) == 13
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_every_ending_writes_the_same_table_of_the_frames_asked_for(short_clip: Path, tmp_path: Path) -> None:
    read = {
        "csv": pd.read_csv, "tsv": lambda path: pd.read_csv(path, sep="\t"), "json": pd.read_json,
        "parquet": pd.read_parquet,
    }  # fmt: skip
    tables = {}
    for ending, reader in read.items():
        out = tmp_path / f"o.{ending.upper() if ending == 'json' else ending}"
        command = ["track", str(short_clip), "--start", "2", "--stop", "4", "--out", str(out), "--quiet"]
        assert main(command) == 0
        tables[ending] = reader(out)
        assert sorted(set(tables[ending].frame)) == [2, 3]
        np.testing.assert_allclose(sorted(set(tables[ending].time_s)), [2 / 30, 3 / 30], rtol=1e-6)
    for table in tables.values():
        pd.testing.assert_frame_equal(table, tables["csv"], check_dtype=False, rtol=1e-5)


@pytest.mark.parametrize("reinitialise", [False, True])
def test_a_box_on_nobody_is_said(
    reinitialise: bool, short_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["track", str(short_clip), "--box", "0,0,60,90", "--out", str(tmp_path / "o.csv")]
    assert main([*command, *(["--reinitialise"] if reinitialise else [])]) == 0
    out = capsys.readouterr().out
    if reinitialise:  # the search finds the person in the whole frame, in frame 3
        assert "re-initialised in frame 3" in out and "all 5 frames" not in out
    else:
        assert "probably no person here" in out and "all frames are below 0.45 (frames 0 to 4)" in out


def test_the_square_can_be_chosen(short_clip: Path, tmp_path: Path) -> None:
    found = {}
    for name, options in {"default": [], "person": ["--square", "person"], "joints": ["--square", "joints"]}.items():
        out = tmp_path / f"{name}.csv"
        assert main(["track", str(short_clip), *options, "--out", str(out), "--quiet"]) == 0
        found[name] = out.read_text()
    assert found["default"] == found["person"] != found["joints"]


def test_a_full_disk_leaves_no_half_table(
    short_clip: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_room(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", no_room)
    assert main(["track", str(short_clip), "--out", str(tmp_path / "o.csv")]) == 2
    assert "No space left" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_unknown_commands_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["trak"])
    assert stop.value.code == 2
    assert "track" in capsys.readouterr().err


# --- training ---------------------------------------------------------------------------------------------------------


def test_render_train_and_runs_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All steps without a download: render people, train on them, stop, resume, show the run."""
    people, runs = tmp_path / "people", tmp_path / "runs"
    words = ["n_train=2", "n_test=1", "n_frames=5", "size=96"]
    assert main(["render", "--out", str(people), "--workers", "1", "--set", *words]) == 0
    assert "2 training and 1 test clips" in capsys.readouterr().out
    quick = [
        "model.settings.input_size=128", "model.settings.channels=8", "batch=1", "n_frames=2", "steps=4",
        "validate_every=2", "data.validation_frames=4", f"data.train=['rendered={people}']",
        f"data.validation='rendered={people}'", "machine.accelerator=cpu",
    ]  # fmt: skip
    command = ["train", "--run", str(runs / "one"), "--set", *quick]
    assert main(command) == 0
    captured = capsys.readouterr()
    assert "4 steps, the model is" in captured.out
    assert "step 2: pck@0.2" in captured.out + captured.err
    assert load_model(runs / "one" / "model.safetensors").provenance["step"] == 4
    assert main(["runs", "--root", str(runs)]) == 0
    assert "finished" in capsys.readouterr().out
    assert main(["runs", "one", "--root", str(runs)]) == 0
    shown = capsys.readouterr().out
    assert "4 of 4 steps" in shown and "input_size: 128" in shown and "reliance" in shown
    assert main([*command, "seed=1"]) == 2  # another run's folder
    assert "different settings (seed: 0 there, 1 here)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--set", "stepz=3"], "unknown setting 'stepz'; did you mean 'steps'?"),
        (["train", "--set", "augment.rotaton=3"], "did you mean 'rotation'?"),
        (["train", "--config", "labtop"], "did you mean 'laptop'?"),
        (["train", "--set", "data.train=[pen_action]", "--run", "{tmp}/run"], "did you mean 'penn_action'?"),
        (["train", "--set", "data.train=[penn_action={tmp}]", "--run", "{tmp}/run"], "labels"),
        (["train", "--set", "data.train=[rendered={tmp}]", "--run", "{tmp}/run"], "dkd render"),
        (["render", "--out", "{tmp}/people", "--set", "n_tran=3"], "did you mean 'n_train'?"),
        (["render", "--out", "{tmp}/people", "--set", "motions=[wlak]"], "did you mean 'walk'?"),
        (["runs", "none", "--root", "{tmp}"], "there is no run 'none'"),
    ],
)
def test_bad_settings_are_explained_and_leave_no_files(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([a.format(tmp=tmp_path) for a in arguments]) == 2
    _, _, error = capsys.readouterr().err.partition("dkd: ")  # behind the progress bar, where there is one
    assert message in error and "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_the_settings_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--set", "steps=7", "--show"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert (shown["steps"], shown["model"]["name"]) == (7, "dkd-tiny")
