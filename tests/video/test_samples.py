"""Sample clips: registration, download from PyPI, and no partial or wrong file is ever kept."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest

from dkd.cli.main import main
from dkd.errors import SampleError
from dkd.io import paths
from dkd.video import samples
from dkd.video.samples import SAMPLES, default_sample, fetch_pose2sim, get_sample, list_samples

CAMERAS = ("cam01", "cam02", "cam03", "cam04")
REAL_FILES = dict(samples._POSE2SIM_FILES)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a data folder that only has the rendered clip's files."""
    folder = tmp_path / "data"
    (folder / "samples").mkdir(parents=True)
    for name in ("rendered_walk.mp4", "rendered_walk.npz"):
        (folder / "samples" / name).touch()
    monkeypatch.setenv("DKD_DATA", str(folder))
    return folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a folder as pip's only package index; ``offer`` puts the package there."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    expected = {name: (member, digest(content(name))) for name, (member, _) in REAL_FILES.items()}
    monkeypatch.setattr(samples, "_POSE2SIM_FILES", expected)
    return folder


def content(name: str) -> bytes:
    """Return the content of the file ``name`` in the stand-in package."""
    return f"content of {name}".encode() * 1000


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def offer(index: Path, *, wrong: str = "", missing: str = "") -> None:
    """Put a wheel that looks like pose2sim into ``index``, with one file ``wrong`` or ``missing``."""
    with zipfile.ZipFile(index / "pose2sim-0.10.49-py3-none-any.whl", "w") as wheel:
        # An interpreter that no one has: the clips are data, so it must not matter.
        metadata = ["Metadata-Version: 2.1", "Name: pose2sim", "Version: 0.10.49", "Requires-Python: >=99"]
        wheel.writestr("pose2sim-0.10.49.dist-info/METADATA", "\n".join([*metadata, "Requires-Dist: not-there", ""]))
        wheel.writestr("pose2sim-0.10.49.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        for name, (member, _) in REAL_FILES.items():
            if name != missing:
                wheel.writestr(member, b"something else" if name == wrong else content(name))


def kept(data: Path) -> dict[str, bytes]:
    """Read all files in the folder of the real clips, by name."""
    return {path.name: path.read_bytes() for path in (data / "samples" / "pose2sim").glob("*")}


WHOLE = {name: content(name) for name in REAL_FILES}


def test_fetch_takes_the_clips_and_the_licence_out_of_the_wheel(data: Path, index: Path) -> None:
    offer(index)
    assert fetch_pose2sim() == data / "samples" / "pose2sim"
    assert kept(data) == WHOLE
    assert list_samples() == tuple(SAMPLES)
    assert default_sample() == get_sample(next(iter(SAMPLES)))


def test_fetch_only_downloads_missing_or_damaged_files(data: Path, index: Path) -> None:
    offer(index)
    fetch_pose2sim()
    (index / "pose2sim-0.10.49-py3-none-any.whl").unlink()
    fetch_pose2sim()
    (data / "samples" / "pose2sim" / "cam02.mp4").write_bytes(content("cam02.mp4")[:-1])
    with pytest.raises(SampleError, match="expected pip to download pose2sim==0.10.49"):
        fetch_pose2sim()
    offer(index)
    fetch_pose2sim()
    assert kept(data) == WHOLE


@pytest.mark.parametrize(("fault", "said"), [("wrong", "nothing was kept"), ("missing", "expected Pose2Sim/.* in ")])
def test_a_wheel_without_the_expected_file_is_refused(fault: str, said: str, data: Path, index: Path) -> None:
    offer(index, **{fault: "cam03.mp4"})
    with pytest.raises(SampleError, match=said):
        fetch_pose2sim()
    assert kept(data) == {}


def test_an_interrupted_download_leaves_complete_files_and_resumes(
    data: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(index)
    replace, calls = os.replace, []

    def replace_then_die(source: str, target: Path) -> None:
        calls.append(target)
        if len(calls) == 3:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", replace_then_die)
        fetch_pose2sim()
    partial = kept(data)
    assert len(partial) == 2
    assert partial.items() <= WHOLE.items()
    fetch_pose2sim()
    assert kept(data) == WHOLE


def test_without_network_the_rendered_clip_is_used_with_a_message(
    data: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["samples"]) == 0
    said = capsys.readouterr().err
    assert "expected pip to download pose2sim==0.10.49" in said
    assert "the clip 'rendered_walk' is used" in said
    assert default_sample().name == "rendered_walk"
    assert kept(data) == {}


def test_errors_say_what_to_do(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SampleError, match="did you mean 'rendered_walk'"):
        get_sample("renderd_walk")
    with pytest.raises(SampleError, match="cam01.mp4, found none; get it with: dkd samples"):
        get_sample("pose2sim_cam01")
    (data / "samples" / "rendered_walk.npz").unlink()
    with pytest.raises(SampleError, match="rendered_walk.npz, found none"):
        get_sample("rendered_walk")
    (data / "samples" / "rendered_walk.mp4").unlink()
    with pytest.raises(SampleError, match="expected a sample clip"):
        default_sample()
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "nowhere"))
    assert "rendered_walk" in list_samples()  # what ships is found, whatever DKD_DATA says
    monkeypatch.setattr(paths, "shipped_folder", lambda: tmp_path / "no checkout")
    with pytest.raises(SampleError, match="set DKD_DATA"):
        list_samples()


def test_the_digests_are_those_of_the_clips(shared_data: Path) -> None:
    clips = [shared_data / f"videos/pose2sim/{camera}.mp4" for camera in CAMERAS]
    found = {clip.name: digest(clip.read_bytes()) for clip in clips}
    assert found == {name: REAL_FILES[name][1] for name in found}


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_box_holds_the_person_and_little_else(camera: str, shared_data: Path) -> None:
    """All joints on which two networks agree are inside, with margins for head and feet, and the person fills the
    box."""
    labels = np.load(shared_data / f"labels/pose2sim_{camera}.npz")["consensus17"][0]
    low, high = np.nanmin(labels, axis=0), np.nanmax(labels, axis=0)
    x0, y0, x1, y1 = SAMPLES[f"pose2sim_{camera}"].box
    height = high[1] - low[1]
    assert x0 <= low[0] and high[0] <= x1
    assert 0.05 * height < low[1] - y0 < 0.3 * height
    assert 0.02 * height < y1 - high[1] < 0.3 * height
    assert x1 - x0 < 1.6 * (high[0] - low[0])
    with av.open(str(shared_data / "videos/pose2sim" / f"{camera}.mp4")) as video:
        frame = next(video.decode(video=0))
    assert x0 >= 0 and y0 >= 0 and x1 <= frame.width and y1 <= frame.height


def test_the_rendered_clip_ships_with_its_truth() -> None:
    """There is one row of joints per frame, and the box contains the person of the first frame."""
    sample = get_sample("rendered_walk")
    assert sample.ground_truth_path is not None
    with np.load(sample.ground_truth_path) as truth:
        joints, visible = truth["joints"], truth["visible"]
    with av.open(str(sample.path)) as video:
        frames = sum(1 for _ in video.decode(video=0))
    assert joints.shape == (frames, 13, 2) and joints.dtype == np.float32
    assert visible.shape == (frames, 13) and visible.dtype == bool
    x0, y0, x1, y1 = sample.box
    assert (joints[0] >= (x0, y0)).all() and (joints[0] <= (x1, y1)).all()
    extent = np.ptp(joints[0], axis=0)
    assert x1 - x0 < 1.6 * extent[0] and y1 - y0 < 1.5 * extent[1]
