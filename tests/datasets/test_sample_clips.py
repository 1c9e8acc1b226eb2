"""The sample clips as labelled people: exact labels and machine labels, described as such."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dkd.datasets.people import ClipFrames
from dkd.datasets.sample_clips import CAMERAS, MACHINE
from dkd.datasets.sources import available_sources, load_people
from dkd.errors import ConfigError, DatasetError
from dkd.tracking.people import first_box, person_clip
from dkd.video.samples import get_sample
from tests.support.video_files import draw_number, write_clip


def test_the_shipped_clip_has_exact_labels() -> None:
    (person,) = load_people("samples", "test")
    sample = get_sample("rendered_walk")
    assert (person.name, len(person), person.start_box) == ("rendered_walk", 120, sample.box)
    assert first_box(person) == sample.box, "as the workbench starts, too"
    assert person.labels.startswith("exact") and person.visible is not None and not person.visible.all()
    np.testing.assert_array_equal(person.joints, sample.joints())
    clip = person_clip(person)
    assert isinstance(person.images, ClipFrames) and clip is person.images.clip, "the video itself, with its own times"
    np.testing.assert_array_equal(person.images[7], clip.frame(7))
    assert len(person.images[3:6]) == 3
    assert "samples" in available_sources()


@pytest.mark.parametrize("source", ["samples", "pose2sim"])
def test_nothing_is_trained_on_them(source: str) -> None:
    with pytest.raises(ConfigError, match="only has the split 'test'"):
        load_people(source, "train")


def test_a_folder_where_none_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="takes no folder"):
        load_people(f"samples={tmp_path}", "test")


def test_machine_labels_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected machine labels .* They are not shipped"):
        load_people(f"pose2sim={tmp_path}", "test")


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Replace a camera's clip by a small one, as the real ones need the network."""
    folder = tmp_path / "data" / "samples" / "pose2sim"
    folder.mkdir(parents=True)
    write_clip(folder / "cam01.mp4", [draw_number(i) for i in range(100)])
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "data"))
    return CAMERAS[0]


def write(file: Path, n: int = 100) -> None:
    rng = np.random.default_rng(0)
    joints = rng.uniform(300, 900, (n, 17, 2))
    agree = rng.uniform(size=(n, 17)) < 0.8
    np.savez(file, consensus17=joints, agree=agree, bbox_size=np.linspace(500, 600, n))


def test_where_the_networks_disagree_there_is_no_label(camera: str, tmp_path: Path) -> None:
    write(tmp_path / f"{camera}.npz")
    (person,) = load_people(f"pose2sim={tmp_path}", "test")
    with np.load(tmp_path / f"{camera}.npz") as archive:
        coco, agree, side = archive["consensus17"], archive["agree"], archive["bbox_size"]
    shoulder = person.joints[:, 1]  # Penn Action's left shoulder is COCO's sixth
    np.testing.assert_allclose(shoulder[agree[:, 5]], coco[agree[:, 5], 5], rtol=1e-5)
    assert np.isnan(shoulder[~agree[:, 5]]).all()
    np.testing.assert_allclose([person.extent(t) for t in range(100)], side, rtol=1e-5)
    assert person.labels == MACHINE and "machine" in person.labels
    assert person.start_box == get_sample(camera).box == first_box(person)


def test_labels_that_do_not_fit_are_named(camera: str, tmp_path: Path) -> None:
    write(tmp_path / f"{camera}.npz", n=99)
    with pytest.raises(DatasetError, match=r"shape \(100, 17, 2\)"):
        load_people(f"pose2sim={tmp_path}", "test")
    np.savez(tmp_path / f"{camera}.npz", joints=np.zeros(3))
    with pytest.raises(DatasetError, match="consensus17"):
        load_people(f"pose2sim={tmp_path}", "test")
