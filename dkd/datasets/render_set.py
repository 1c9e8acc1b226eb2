"""A data set of rendered people in Penn Action's own layout, made on the spot: nothing is downloaded.

    for progress in render_set(Path("rendered"), RenderSetConfig(n_train=60)):
        print(progress.done, "of", progress.total)

    rendered/render.json                what was asked for, and by which version it was made
    rendered/frames/0001/000001.jpg     a clip's frames, counted from 1
    rendered/labels/0001.mat            its labels; written last, so a clip with a label file is whole

What reads Penn Action reads this. A run that was stopped goes on where it was when it is started again.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from scipy.io import savemat

import dkd
from dkd.datasets.rendered import (
    BODIES,
    EVERYDAY,
    RenderConfig,
    RenderedClip,
    Surroundings,
    person_box,
    render_clip,
)
from dkd.datasets.rendering.generators import GENERATORS
from dkd.datasets.rendering.person import SKELETON
from dkd.errors import ConfigError, DatasetError, StorageError, nearest_name
from dkd.io.config import STRICT
from dkd.pose.skeleton import get_skeleton

RENDERER = 3  # counted up when the same config gives other pictures
_MAT_HEADER = b"MATLAB 5.0 MAT-file, written by DKD Workbench".ljust(116)  # SciPy's own names the time of writing


@dataclass(frozen=True)
class RenderSetConfig:
    """What to render.

    Attributes:
        n_train, n_test: number of clips. No body, dress, movement or place of a test clip is one of a training clip.
        n_frames, fps, size: of each clip; frames are ``size`` pixels wide and high.
        seed: of everything.
        motions: names of :data:`~dkd.datasets.rendering.generators.GENERATORS` and paths of ``.bvh`` files, taken in
            turn; empty means all generators. By default those that a small network learns within minutes.
        azimuths: where the camera may stand, as in :class:`~dkd.datasets.rendered.RenderConfig`: by default people
            mostly face it. (0, 360) is from all sides, where a small network takes left for right.
        body: ``"figure"`` or ``"anny"``, as in :class:`~dkd.datasets.rendered.RenderConfig`.
        supersample: rays a pixel's side; 2 is slower and has smooth edges.
        surroundings: places, and what gets in the way; :data:`~dkd.datasets.rendered.VARIED` is harder.
        jpeg_quality: lowest and highest quality of the frames' files, 1..100; drawn once a clip.

    Raises:
        ConfigError: a number is too small, or a name unknown.
    """

    __pydantic_config__ = STRICT

    n_train: int = 240
    n_test: int = 40
    n_frames: int = 24
    fps: float = 15.0
    size: int = 192
    seed: int = 0
    motions: tuple[str, ...] = ("walk", "run", "squats", "kicks")
    azimuths: tuple[float, float] = (-60.0, 60.0)
    body: str = "figure"
    supersample: int = 1
    surroundings: Surroundings = EVERYDAY
    jpeg_quality: tuple[int, int] = (60, 95)

    def __post_init__(self) -> None:
        object.__setattr__(self, "motions", tuple(str(motion) for motion in self.motions))
        if self.n_train < 0 or self.n_test < 0 or self.n_train + self.n_test < 1 or self.size < 16:
            raise ConfigError(
                "expected n_train and n_test of at least 0, together at least 1, and a size of at least 16, "
                f"got {self.n_train}, {self.n_test} and {self.size}"
            )
        if self.body not in BODIES:
            raise ConfigError(
                f"unknown body {self.body!r}{nearest_name(self.body, BODIES)} Known: {', '.join(BODIES)}."
            )
        for motion in self.motions:
            if not motion.lower().endswith(".bvh") and motion not in GENERATORS:
                hint = nearest_name(motion, GENERATORS)
                raise ConfigError(f"unknown motion {motion!r}{hint} Known: {', '.join(GENERATORS)}, or a .bvh file.")
        low, high = self.jpeg_quality
        if not 1 <= low <= high <= 100:
            raise ConfigError(f"expected jpeg_quality as lowest and highest within 1..100, got {self.jpeg_quality}")
        self.clip(0)  # checks the rest

    def __len__(self) -> int:
        return self.n_train + self.n_test

    def is_train(self, index: int) -> bool:
        """Whether the clip of this index (from 0) is for training; those come first."""
        return index < self.n_train

    def clip(self, index: int) -> RenderConfig:
        """What is rendered for the clip of this index (from 0)."""
        motions = self.motions or tuple(GENERATORS)
        within = index if self.is_train(index) else index - self.n_train
        # by split and place within it, so that a test clip stays the same when more are made to train on
        stream = np.random.SeedSequence([self.seed, int(self.is_train(index)), within])
        return RenderConfig(
            seed=int(stream.generate_state(1, np.uint64)[0]),
            n_frames=self.n_frames,
            fps=self.fps,
            width=self.size,
            height=self.size,
            motion=motions[within % len(motions)],
            azimuths=self.azimuths,
            supersample=self.supersample,
            body=self.body,
            surroundings=self.surroundings,
        )

    def quality(self, index: int) -> int:
        """JPEG quality of the frames of the clip of this index (from 0)."""
        low, high = self.jpeg_quality
        return low + self.clip(index).seed % (high - low + 1)


class RenderProgress(NamedTuple):
    """How far it is: ``done`` of ``total`` clips are there; ``name`` came last; ``kept`` if it was there before."""

    done: int
    total: int
    name: str
    kept: bool


def render_set(folder: str | Path, config: RenderSetConfig, workers: int | None = None) -> Iterator[RenderProgress]:
    """Render what is missing of a data set; yields after each clip, in no certain order.

    Clips that a run of the same config made before are kept, so a run that was stopped is gone on with by calling this
    again; the files are then the same, to the byte, as if it had never been stopped.

    Args:
        folder: where to; made if it is not there.
        config: what to render.
        workers: processes; None is one a core, 1 renders in this process. Where there are more, they import the main
            module anew: a script must call this under ``if __name__ == "__main__":``; a notebook need not care.

    Raises:
        ConfigError: the folder holds a data set of another config, or something else.
        StorageError: it cannot be written, for instance because the disk is full. Whole clips stay.
        MissingExtraError: Anny's body is asked for and the extra ``render`` is not installed.
        DatasetError: a BVH file cannot be used, or a worker process died.
    """
    folder = Path(folder)
    _claim(folder, config)
    done = 0
    missing = []
    for index in range(len(config)):
        if _label_file(folder, index).is_file():
            done += 1
            yield RenderProgress(done, len(config), _name(index), kept=True)
        else:
            missing.append(index)
    for index in _rendered(folder, config, missing, workers or os.cpu_count() or 1):
        done += 1
        yield RenderProgress(done, len(config), _name(index), kept=False)


def _rendered(folder: Path, config: RenderSetConfig, missing: list[int], workers: int) -> Iterator[int]:
    """Render these clips; yields the index of each when it is written."""
    workers = min(workers, len(missing))
    if workers <= 1:
        for index in missing:
            yield _write_clip(folder, config, index)
        return
    # "spawn" rather than "fork": the caller may have threads (a notebook's kernel has), which do not survive a fork
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        for future in as_completed([pool.submit(_write_clip, folder, config, index) for index in missing]):
            yield future.result()
    except BrokenProcessPool as error:
        raise DatasetError(
            "a process that rendered has died. In a script, call render_set under 'if __name__ == \"__main__\":'; "
            "with little memory, use workers=1. What is rendered stays: the next run goes on from there"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    cv2.setNumThreads(1)  # there are as many processes as cores already
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's to answer: it ends the pool


def _name(index: int) -> str:
    return f"{index + 1:04d}"


def _label_file(folder: Path, index: int) -> Path:
    return folder / "labels" / f"{_name(index)}.mat"


def _claim(folder: Path, config: RenderSetConfig) -> None:
    """Make the folder one for this config, or see that it is.

    Raises:
        ConfigError: it is not.
        StorageError: it cannot be made.
    """
    motion_files = {m: sha256(Path(m).read_bytes()).hexdigest() for m in config.motions if Path(m).is_file()}
    claim = json.loads(json.dumps({"renderer": RENDERER, "config": asdict(config), "bvh": motion_files}))
    record = folder / "render.json"
    if record.exists():
        try:
            found = json.loads(record.read_text())
            found = {key: found[key] for key in claim}
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"expected the record of a rendered data set in {record}; name another folder") from error
        if found != claim:
            raise ConfigError(
                f"expected no data set in {folder}, or one of the same config; {_difference(found, claim)}; "
                "name another folder, or delete this one"
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(
            f"expected nothing or a rendered data set in {folder}, found other files; name another folder"
        )
    sizes = {"clips": len(config), "frames": len(config) * config.n_frames, "height": config.size, "width": config.size}
    text = json.dumps({"made_by": f"dkd {dkd.__version__}", **claim, "sizes": sizes}, indent=1) + "\n"
    try:
        (folder / "frames").mkdir(parents=True)
        (folder / "labels").mkdir()
        unfinished = folder / "render.json.tmp"
        unfinished.write_text(text)
        os.replace(unfinished, record)
    except OSError as error:
        raise StorageError(f"cannot write {folder}: {error}; free some space, or choose another path") from error


def _difference(found: dict, wanted: dict) -> str:
    """The first setting in which two records differ, in words."""
    pairs = [("version of the renderer", found["renderer"], wanted["renderer"])]
    pairs += [(key, found["config"].get(key), value) for key, value in wanted["config"].items()]
    for name, there, asked in pairs:
        if there != asked:
            return f"there {name} is {there!r}, asked for is {asked!r}"
    return "the motion files have changed"


def _write_clip(folder: Path, config: RenderSetConfig, index: int) -> int:
    """Render and write one clip, its label file last; returns ``index``."""
    clip = render_clip(config.clip(index))
    images, label = folder / "frames" / _name(index), _label_file(folder, index)
    unfinished = label.with_name(f"{label.name}.tmp")
    try:
        images.mkdir(parents=True, exist_ok=True)
        for t, frame in enumerate(clip.frames):
            _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, config.quality(index)])
            (images / f"{t + 1:06d}.jpg").write_bytes(data.tobytes())
        unfinished.write_bytes(label_bytes(clip, config.clip(index).motion, config.is_train(index)))
        os.replace(unfinished, label)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        shutil.rmtree(images, ignore_errors=True)
        raise StorageError(
            f"cannot write clip {_name(index)} to {folder}: {error}; free some space and go on by running it again"
        ) from error
    return index


def label_bytes(clip: RenderedClip, action: object, train: bool) -> bytes:
    """A clip's labels as the content of one of Penn Action's ``.mat`` files: pixel coordinates counted from 1.

    Of each pair of joints the subject's right one comes first, as in the real files; see
    :mod:`dkd.datasets.penn_action`, which exchanges them.
    """
    n_frames, height, width = clip.frames.shape[:3]
    boxes = np.stack([person_box(j, rgba) for j, rgba in zip(clip.joints, clip.rgba, strict=True)])
    right_first = list(get_skeleton(SKELETON).flip_permutation)
    joints = clip.joints[:, right_first].astype(np.float64) + 1
    content = {
        "action": Path(str(action)).stem,
        "pose": clip.view,
        "x": joints[..., 0],
        "y": joints[..., 1],
        "visibility": clip.visible[:, right_first].astype(np.float64),
        "train": 1.0 if train else -1.0,
        "bbox": np.clip(boxes, 0, [width - 1, height - 1] * 2).astype(np.float64) + 1,
        "dimensions": np.array([height, width, n_frames], np.float64),
        "nframes": float(n_frames),
    }
    out = io.BytesIO()
    savemat(out, content, do_compression=True)
    data = out.getvalue()
    return _MAT_HEADER + data[len(_MAT_HEADER) :]
