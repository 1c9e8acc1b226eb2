"""Files of one's own that are odd or damaged: read, named in one warning, or refused with a typed error."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from dkd import load_model
from dkd.datasets.labelled_videos import load_labelled_video, load_labelled_videos
from dkd.datasets.layout import numbered_files
from dkd.datasets.render_set import RenderSetConfig, render_set
from dkd.datasets.sources import load_people
from dkd.datasets.sub_jhmdb import read_split
from dkd.errors import ConfigError, DatasetError
from dkd.machine import MachineConfig, launch
from dkd.serve.lab import run_lab
from dkd.training.config import load_recipe
from dkd.training.runs import list_runs
from tests.support.video_files import draw_number, write_clip


def write_labels(file: Path, unit: float = 1.0, n: int = 3) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    joints = np.random.default_rng(0).uniform(10, 90, (n, 17, 2)) * unit
    np.savez(file, consensus17=joints, agree=np.ones((n, 17)))


def test_videos_with_other_endings_are_read_and_other_files_are_named(tmp_path: Path, caplog) -> None:
    (tmp_path / "videos").mkdir()
    source = write_clip(tmp_path / "a.mp4", [draw_number(i) for i in range(3)])
    for name in ("one.MP4", "two.mov", "three.txt", "four.zip", ".hidden.mp4"):
        shutil.copy(source, tmp_path / "videos" / name)
        write_labels(tmp_path / "labels" / f"{Path(name).stem}.npz")
    with caplog.at_level(logging.WARNING):
        people = load_labelled_videos(tmp_path)
    assert [person.name for person in people] == ["one", "two"]
    (record,) = [r for r in caplog.records if r.name == "dkd.datasets.layout"]
    assert "2 of 4 files" in record.getMessage() and "the first is four.zip" in record.getMessage()


@pytest.mark.parametrize("name", ["000002.JPG", "2.png", "02.jpeg"])
def test_an_image_with_the_right_number_is_taken(tmp_path: Path, name: str) -> None:
    for file in ("000001.jpg", name):
        cv2.imwrite(str(tmp_path / file), np.zeros((8, 8, 3), np.uint8))
    assert [f.name for f in numbered_files(tmp_path, "{:06d}.jpg", [1, 2]).files] == ["000001.jpg", name]
    with pytest.raises(DatasetError, match="the first missing one is 000003.jpg"):
        numbered_files(tmp_path, "{:06d}.jpg", [1, 2, 3])


@pytest.mark.parametrize("unit", [0.01, 1e6])
def test_labels_in_another_unit_are_refused(tmp_path: Path, unit: float) -> None:
    video = write_clip(tmp_path / "a.mp4", [draw_number(i) for i in range(3)])
    write_labels(tmp_path / "a.npz", unit)
    with pytest.raises(DatasetError, match="labels in another unit"):
        load_labelled_video(video, tmp_path / "a.npz")


@pytest.mark.parametrize(
    "text", ['{"config":', '{"config": {}}', "[]", '{"config": {"fps": 0}}', '{"config": {"fps": "x"}}']
)
def test_damaged_settings_of_rendered_people(tmp_path: Path, text: str) -> None:
    (tmp_path / "render.json").write_text(text)
    with pytest.raises(DatasetError, match="config.fps"):
        load_people(f"rendered={tmp_path}")


def test_text_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes("# für\nsteps: 3\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="expected text in UTF-8"):
        load_recipe(tmp_path / "c.yaml")
    (tmp_path / "golf_test_split_1.txt").write_bytes("vé.avi 1\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="expected a list in UTF-8"):
        read_split(tmp_path, 1)


def test_a_machine_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="expected 1 to 1024 threads, got threads=0"):
        MachineConfig(threads=0)
    with pytest.raises(ConfigError, match="this machine cannot run on accelerator='warp'"):
        launch(MachineConfig(accelerator="warp"))


def test_a_data_folder_of_ones_own_does_not_hide_the_shipped_model(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path))
    assert load_model("dkd-mobilenetv2").name == "dkd-mobilenetv2"
    with pytest.raises(ConfigError, match="looked in the folder checkpoints of") as caught:
        load_model("nowhere")
    assert str(tmp_path) in str(caught.value)


def test_a_file_where_a_folder_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"x")
    with pytest.raises(ConfigError, match="expected a folder to write to, but .*a.mp4 is a file"):
        next(render_set(file, RenderSetConfig()))
    with pytest.raises(ConfigError, match="expected a folder of runs, but .*a.mp4 is a file"):
        list_runs(file)


@pytest.mark.parametrize("workers", [0, -3])
def test_no_workers_at_all(tmp_path: Path, workers: int) -> None:
    with pytest.raises(ConfigError, match=f"at least 1 worker, got workers={workers}"):
        next(render_set(tmp_path / "new", RenderSetConfig(), workers))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("port", [-5, 65536])
def test_a_port_that_does_not_exist(port: int) -> None:
    with pytest.raises(ConfigError, match=f"expected a port in 0..65535, got {port}"):
        run_lab(port=port, open_browser=False)
