"""Rendered data sets: Penn Action's layout, coordinates, resuming, and errors."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from dkd.datasets.penn_action import load_penn_action
from dkd.datasets.penn_files import MAT_HEADER
from dkd.datasets.render_set import RenderProgress, RenderSetConfig, render_set
from dkd.datasets.rendered import Surroundings, person_box, render_clip
from dkd.datasets.rendering.generators import GENERATORS
from dkd.errors import ConfigError, MissingExtraError, StorageError
from dkd.io import leftovers
from dkd.io.config import from_mapping
from dkd.io.leftovers import temporary_name

TINY = RenderSetConfig(n_train=3, n_test=2, n_frames=3, fps=5, size=64, jpeg_quality=(95, 95))


def content(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder, by their relative path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[RenderProgress]]:
    """Render a data set without interruption, and return its progress."""
    folder = tmp_path_factory.mktemp("whole") / "set"
    return folder, list(render_set(folder, TINY, workers=1))


def test_progress_counts_every_clip(whole):
    _, said = whole
    assert [p.done for p in said] == [1, 2, 3, 4, 5] and {p.total for p in said} == {5}
    assert sorted(p.name for p in said) == ["0001", "0002", "0003", "0004", "0005"]
    assert not any(p.kept for p in said)


def test_layout_is_that_of_penn_action(whole):
    folder, _ = whole
    expected = {"render.json"}
    for clip in range(1, 6):
        expected |= {f"labels/{clip:04d}.mat", *(f"frames/{clip:04d}/{t:06d}.jpg" for t in (1, 2, 3))}
    assert set(content(folder)) == expected
    for index in range(5):
        label = loadmat(folder / "labels" / f"{index + 1:04d}.mat")
        assert {name for name in label if not name.startswith("__")} == {
            "action", "pose", "x", "y", "visibility", "train", "bbox", "dimensions", "nframes",
        }  # fmt: skip
        assert label["x"].shape == label["y"].shape == label["visibility"].shape == (3, 13)
        assert label["bbox"].shape == (3, 4) and label["nframes"].item() == 3
        np.testing.assert_array_equal(label["dimensions"].ravel(), [64, 64, 3])
        assert label["train"].item() == (1 if index < 3 else -1)
        assert label["action"].item() in GENERATORS and label["pose"].item() in {"front", "back", "left", "right"}
    record = json.loads((folder / "render.json").read_text())
    assert record["config"]["seed"] == 0 and record["made_by"].startswith("dkd ")
    assert record["sizes"] == {"clips": 5, "frames": 15, "height": 64, "width": 64}


def test_labels_and_frames_are_those_of_the_rendered_clip(whole):
    folder, _ = whole
    for index in (0, 4):
        clip = render_clip(TINY.clip(index))
        label = loadmat(folder / "labels" / f"{index + 1:04d}.mat")
        joints = np.stack([label["x"], label["y"]], axis=-1) - 1
        # the real files have the subject's right joint first of each pair, whatever their description says
        right_first = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11]
        np.testing.assert_allclose(joints, clip.joints[:, right_first], atol=0.01)
        np.testing.assert_array_equal(label["visibility"], clip.visible[:, right_first])
        for t, frame in enumerate(clip.frames):
            box = np.clip(person_box(clip.joints[t], clip.rgba[t]), 0, 63)
            np.testing.assert_allclose(label["bbox"][t] - 1, box, atol=1e-4)
            assert (joints[t] >= box[:2] - 0.01).all() and (joints[t] <= box[2:] + 0.01).all()
            stored = cv2.imread(str(folder / "frames" / f"{index + 1:04d}" / f"{t + 1:06d}.jpg"))[..., ::-1]
            smooth, expected = (
                cv2.blur(np.ascontiguousarray(image), (5, 5)).astype(float) for image in (stored, frame)
            )
            assert np.abs(smooth - expected).mean() < 4, "JPEG loses little, and RGB is not BGR"


def test_the_reader_of_penn_action_reads_it(whole):
    folder, _ = whole
    for split, indices in (("train", (0, 1, 2)), ("test", (3, 4))):
        people = load_penn_action(folder, split)
        assert [p.name for p in people] == [f"{index + 1:04d}" for index in indices]
        for person, index in zip(people, indices, strict=True):
            clip = render_clip(TINY.clip(index))
            np.testing.assert_allclose(person.joints, clip.joints, atol=0.01)
            np.testing.assert_array_equal(person.visible, clip.visible)
            assert person.action == TINY.clip(index).motion and len(person.images) == 3
            assert person.images[0].shape == (64, 64, 3)


def test_a_stopped_run_resumes_to_the_same_bytes(whole, tmp_path, monkeypatch):
    folder = tmp_path / "set"
    run = render_set(folder, TINY, workers=1)
    next(run), next(run)
    run.close()
    assert len(list((folder / "labels").iterdir())) == 2
    # a run that was killed in the middle of its third clip
    (folder / "frames/0003").mkdir()
    (folder / "frames/0003/000001.jpg").write_bytes(b"\xff\xd8 half a picture")
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = temporary_name("0003.mat").replace(f"-{os.getpid()}-", f"-{ended.stdout.strip()}-")
    (folder / "labels" / left).write_bytes(b"half a label")
    monkeypatch.setattr(leftovers, "_tidied", set())
    times = {p: p.stat().st_mtime_ns for p in (folder / "frames/0001").iterdir()}
    said = list(render_set(folder, TINY, workers=1))
    assert [p.kept for p in said] == [True, True, False, False, False] and said[-1].done == 5
    assert content(folder) == content(whole[0])
    assert times == {p: p.stat().st_mtime_ns for p in (folder / "frames/0001").iterdir()}, "what was whole is kept"
    assert all(p.kept for p in render_set(folder, TINY))


def test_two_processes_started_from_a_thread_make_the_same_files(whole, tmp_path):
    folder, said = tmp_path / "set", []
    thread = threading.Thread(target=lambda: said.extend(render_set(folder, TINY, workers=2)))
    thread.start()
    thread.join()
    assert [p.done for p in said] == [1, 2, 3, 4, 5]
    assert content(folder) == content(whole[0])


def test_another_config_in_the_same_folder_is_refused(whole):
    folder, _ = whole
    before = content(folder)
    with pytest.raises(ConfigError, match="there seed is 0, requested is 1"):
        next(render_set(folder, replace(TINY, seed=1)))
    with pytest.raises(ConfigError, match="surroundings"):
        next(render_set(folder, replace(TINY, surroundings=Surroundings())))
    assert content(folder) == before


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "holiday.jpg").write_bytes(b"dear")
    with pytest.raises(ConfigError, match="found other files"):
        next(render_set(tmp_path, TINY))
    (tmp_path / "render.json").write_text('{"renderer"')
    with pytest.raises(ConfigError, match=r"render\.json"):
        next(render_set(tmp_path, TINY))
    assert (tmp_path / "frames" / "holiday.jpg").read_bytes() == b"dear"


def test_a_full_disk_is_an_error_and_complete_clips_stay(tmp_path, monkeypatch):
    folder = tmp_path / "set"
    run = render_set(folder, TINY, workers=1)
    next(run)
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "000002.jpg":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match=r"clip 0002 .* free some space"):
        next(run)
    monkeypatch.undo()
    assert {name.split("/")[-1] for name in content(folder)} == {
        "render.json", "0001.mat", "000001.jpg", "000002.jpg", "000003.jpg",
    }  # fmt: skip
    assert [p.kept for p in render_set(folder, TINY, workers=1)] == [True, False, False, False, False]


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another path"):
        next(render_set(tmp_path / "file" / "set", TINY))


def test_no_two_clips_are_alike_and_test_clips_do_not_depend_on_training_clips():
    config = RenderSetConfig(n_train=120, n_test=60, motions=())
    seeds = [config.clip(index).seed for index in range(len(config))]
    assert len(set(seeds)) == 180
    more = replace(config, n_train=200)
    assert [config.clip(120 + k) for k in range(60)] == [more.clip(200 + k) for k in range(60)]
    assert [config.clip(k) for k in range(120)] == [more.clip(k) for k in range(120)]
    assert not {*seeds} & {replace(config, seed=1).clip(index).seed for index in range(180)}
    motions = [config.clip(index).motion for index in range(60)]
    assert {motions.count(name) for name in GENERATORS} == {10}, "each motion as often as the others"


def test_settings_come_from_words_and_unknown_ones_are_refused():
    words = {"n_train": 5, "motions": ["run"], "surroundings": {"places": ["room"], "occluder": 0.5}}
    config = from_mapping(RenderSetConfig, words)
    assert config == RenderSetConfig(n_train=5, motions=("run",), surroundings=Surroundings(("room",), occluder=0.5))
    with pytest.raises(ConfigError, match="n_train"):
        from_mapping(RenderSetConfig, {"n_trian": 5})
    with pytest.raises(ConfigError, match=r"surroundings\.place"):
        from_mapping(RenderSetConfig, {"surroundings": {"place": ["room"]}})


def test_config_rejects_what_does_not_fit():
    for wrong, message in (
        ({"n_train": 0, "n_test": 0}, "together at least 1"),
        ({"motions": ("wlak",)}, "did you mean 'walk'"),
        ({"body": "anyn"}, "did you mean 'anny'"),
        ({"n_frames": 0}, "n_frames"),
        ({"jpeg_quality": (90, 60)}, "jpeg_quality"),
    ):
        with pytest.raises(ConfigError, match=message):
            replace(TINY, **wrong)


def test_anny_without_the_extra_is_an_error(tmp_path, monkeypatch):
    def missing(**_: object) -> None:
        raise MissingExtraError("pip install 'dkd-workbench[render]'")

    monkeypatch.setattr("dkd.datasets.rendered.anny_body", missing)
    with pytest.raises(MissingExtraError, match="render"):
        list(render_set(tmp_path / "set", replace(TINY, body="anny"), workers=1))


def test_label_files_do_not_tell_the_time(whole):
    """SciPy writes the date into a file's header; the same labels must give the same bytes tomorrow."""
    head = (whole[0] / "labels/0001.mat").read_bytes()[:124]
    assert head == MAT_HEADER + bytes(8)
