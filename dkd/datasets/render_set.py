"""A data set of rendered people in Penn Action's layout, made locally without any download.

    for progress in render_set(Path("rendered"), RenderSetConfig(n_train=60)):
        print(progress.done, "of", progress.total)

    rendered/render.json                its config and the version that made it
    rendered/frames/0001/000001.jpg     frames of a clip, counted from 1
    rendered/labels/0001.mat            its labels; written last, so a clip with a label file is complete

Every reader of Penn Action can read it. If rendering is interrupted, starting it again continues where it stopped.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

import dkd
from dkd.datasets.penn_files import penn_labels
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
from dkd.errors import ConfigError, DatasetError, StorageError, checked, nearest_name
from dkd.io.config import STRICT
from dkd.io.files import atomic_path
from dkd.io.leftovers import is_left_over

RENDERER = 3  # increased when the same config gives different pictures


@checked
@dataclass(frozen=True)
class RenderSetConfig:
    """What to render.

    Attributes:
        n_train, n_test: number of clips. Test clips share no body, clothes, motion or place with training clips.
        n_frames, fps, size: of each clip; frames are ``size`` pixels wide and high.
        seed: seed of all random draws.
        motions: names of :data:`~dkd.datasets.rendering.generators.GENERATORS` and paths of ``.bvh`` files, used in
            rotation; empty means all generators. By default those that a small network learns within minutes.
        azimuths: range of the camera's azimuth, as in :class:`~dkd.datasets.rendered.RenderConfig`; by default people
            mostly face the camera. With (0, 360), all sides, a small network confuses left and right.
        body: ``"figure"`` or ``"anny"``, as in :class:`~dkd.datasets.rendered.RenderConfig`.
        supersample: rays per pixel side; 2 is slower and gives smooth edges.
        surroundings: places and occlusions; :data:`~dkd.datasets.rendered.VARIED` is harder.
        jpeg_quality: lowest and highest JPEG quality, 1..100; drawn once per clip.

    Raises:
        ConfigError: a number is too small, or a name is unknown.
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
        """Return whether the clip with this index (from 0) is for training; training clips come first."""
        return index < self.n_train

    def clip(self, index: int) -> RenderConfig:
        """Return the config of the clip with this index (from 0).

        Raises:
            ConfigError: the index is below 0.
        """
        if index < 0:
            raise ConfigError(f"expected the index of a clip, 0 or more, got {index}")
        motions = self.motions or tuple(GENERATORS)
        within = index if self.is_train(index) else index - self.n_train
        # seeded by split and index within it, so that test clips stay the same when training clips are added
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
        """Return the JPEG quality of the clip with this index (from 0)."""
        low, high = self.jpeg_quality
        return low + self.clip(index).seed % (high - low + 1)


class RenderProgress(NamedTuple):
    """Progress: ``done`` of ``total`` clips exist; ``name`` is the last one; ``kept`` if it existed before."""

    done: int
    total: int
    name: str
    kept: bool


@checked
def render_set(folder: str | Path, config: RenderSetConfig, workers: int | None = None) -> Iterator[RenderProgress]:
    """Render the missing clips of a data set; yield after each clip, in any order.

    Existing clips of the same config are kept, so an interrupted run is resumed by calling this function again. The
    files are then identical to those of an uninterrupted run.

    Args:
        folder: target folder; created if it is missing.
        config: what to render.
        workers: number of processes; ``None`` uses one per core, 1 renders in this process. Worker processes import
            the main module, so a script must call this under ``if __name__ == "__main__":``; a notebook can ignore
            this.

    Raises:
        ConfigError: the folder contains a data set with a different config, or other files; it is a file; ``workers``
            is not positive.
        StorageError: writing fails, for instance because the disk is full. Complete clips are kept.
        MissingExtraError: Anny's body is requested, but the extra ``render`` is not installed.
        DatasetError: a BVH file cannot be used, or a worker process died.
    """
    folder = Path(folder)
    if workers is not None and workers < 1:
        raise ConfigError(f"expected at least 1 worker, got workers={workers}; leave it out to use one per core")
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
    """Render these clips; yield the index of each after writing it."""
    workers = min(workers, len(missing))
    if workers <= 1:
        for index in missing:
            yield _write_clip(folder, config, index)
        return
    # "spawn", not "fork": the caller may have threads (a notebook's kernel does), which do not survive a fork
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        for future in as_completed([pool.submit(_write_clip, folder, config, index) for index in missing]):
            yield future.result()
    except BrokenProcessPool as error:
        raise DatasetError(
            "a rendering process has died. In a script, call render_set under 'if __name__ == \"__main__\":'; "
            "with little memory, use workers=1. Finished clips are kept: the next call continues from there"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    cv2.setNumThreads(1)  # there is already one process per core
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller handles Ctrl-C: it ends the pool


def _name(index: int) -> str:
    return f"{index + 1:04d}"


def _label_file(folder: Path, index: int) -> Path:
    return folder / "labels" / f"{_name(index)}.mat"


def _claim(folder: Path, config: RenderSetConfig) -> None:
    """Create the folder for this config, or check that it belongs to this config.

    Raises:
        ConfigError: it belongs to another config or has other files.
        StorageError: it cannot be created.
    """
    motion_files = {m: sha256(Path(m).read_bytes()).hexdigest() for m in config.motions if Path(m).is_file()}
    claim = json.loads(json.dumps({"renderer": RENDERER, "config": asdict(config), "bvh": motion_files}))
    record = folder / "render.json"
    if record.exists():
        try:
            found = json.loads(record.read_text())
            found = {key: found[key] for key in claim}
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"expected a rendered data set's record in {record}; choose another folder") from error
        if found != claim:
            raise ConfigError(
                f"expected no data set in {folder}, or one with the same config; {_difference(found, claim)}; "
                "choose another folder, or delete this one"
            )
        return
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"expected a folder to write to, but {folder} is a file; choose another path")
    if folder.exists() and not all(_is_of_a_failed_start(path) for path in folder.iterdir()):
        raise ConfigError(
            f"expected an empty folder or a rendered data set in {folder}, found other files; choose another folder"
        )
    sizes = {"clips": len(config), "frames": len(config) * config.n_frames, "height": config.size, "width": config.size}
    text = json.dumps({"made_by": f"dkd {dkd.__version__}", **claim, "sizes": sizes}, indent=1) + "\n"
    with atomic_path(record) as temporary:
        temporary.write_text(text)


def _is_of_a_failed_start(path: Path) -> bool:
    """Return whether a path is what an earlier call left that could not even write its record, on a full disk."""
    if path.is_dir():
        return path.name in ("frames", "labels") and not any(path.iterdir())
    return path.name == "render.json.tmp" or is_left_over(path)


def _difference(found: dict, wanted: dict) -> str:
    """Describe the first setting in which two records differ."""
    pairs = [("version of the renderer", found["renderer"], wanted["renderer"])]
    pairs += [(key, found["config"].get(key), value) for key, value in wanted["config"].items()]
    for name, there, asked in pairs:
        if there != asked:
            return f"there {name} is {there!r}, requested is {asked!r}"
    return "the motion files have changed"


def _write_clip(folder: Path, config: RenderSetConfig, index: int) -> int:
    """Render and write one clip, its label file last; return ``index``."""
    clip = render_clip(config.clip(index))
    images, label = folder / "frames" / _name(index), _label_file(folder, index)
    try:
        images.mkdir(parents=True, exist_ok=True)
        for t, frame in enumerate(clip.frames):
            _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, config.quality(index)])
            (images / f"{t + 1:06d}.jpg").write_bytes(data.tobytes())
        with atomic_path(label) as temporary:
            temporary.write_bytes(label_bytes(clip, config.clip(index).motion, config.is_train(index)))
    except OSError as error:
        shutil.rmtree(images, ignore_errors=True)
        _check_record(folder, images, label)
        raise StorageError(
            f"cannot write clip {_name(index)} to {folder}: {error}; free some space and run it again to continue"
        ) from error
    _check_record(folder, images, label)
    return index


def _check_record(folder: Path, images: Path, label: Path) -> None:
    """Raise StorageError if the folder was removed meanwhile, after removing what was written since then."""
    if (folder / "render.json").is_file():
        return
    shutil.rmtree(images, ignore_errors=True)
    for remove in (label.unlink, images.parent.rmdir, label.parent.rmdir, folder.rmdir):
        with suppress(OSError):
            remove()
    raise StorageError(f"{folder} was removed while its clips were rendered; run it again")


def label_bytes(clip: RenderedClip, action: object, train: bool) -> bytes:
    """Encode a clip's labels as one of Penn Action's ``.mat`` files."""
    height, width = clip.frames.shape[1:3]
    boxes = np.stack([person_box(j, rgba) for j, rgba in zip(clip.joints, clip.rgba, strict=True)])
    return penn_labels(
        clip.joints, clip.visible, boxes, (height, width), action=Path(str(action)).stem, view=clip.view, train=train
    )
