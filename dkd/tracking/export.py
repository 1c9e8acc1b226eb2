"""Corrected frames as training data: a folder in Penn Action's layout, which every part of training reads.

    export_corrections(trace, "data/corrections")
    train(load_recipe("corrections"), "runs/mine")

    corrections/corrections.json                     what was exported: clip, model, calls
    corrections/frames/kitchen-000012/000001.jpg …   pictures of consecutive corrected frames, counted from 1
    corrections/labels/kitchen-000012.mat            their labels; written last

A frame is exported if a person corrected or hid a joint in it. Which of its joints become labels is our decision: see
:func:`export_corrections`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from dkd.datasets.layout import check_split
from dkd.datasets.penn_files import SKELETON, penn_labels
from dkd.errors import ConfigError, StorageError, checked
from dkd.io.files import atomic_path
from dkd.io.paths import data_folder
from dkd.pose.crops import joints_to_box

if TYPE_CHECKING:
    from dkd.tracking.trace import Trace

SURE = 0.8  # joints that the model finds with this confidence become labels of corrected frames
FORMAT = "dkd-corrections/1"
RECORD = "corrections.json"
JPEG_QUALITY = 95


class Exported(NamedTuple):
    """What :func:`export_corrections` wrote.

    Attributes:
        folder: the data set, a source for :func:`dkd.load_people`.
        sequences: names of the written sequences of consecutive frames.
        n_frames: number of pictures.
        n_corrected: number of labels that a person gave.
        n_predicted: number of labels that the model predicted with enough confidence.
        n_unlabelled: number of joints without a label.
    """

    folder: Path
    sequences: tuple[str, ...]
    n_frames: int
    n_corrected: int
    n_predicted: int
    n_unlabelled: int


@checked
def export_corrections(
    trace: Trace,
    folder: str | Path | None = None,
    *,
    name: str | None = None,
    first: int = 0,
    min_confidence: float | None = SURE,
    split: str = "train",
) -> Exported:
    """Write the corrected frames of a trace as training data.

    The joints that a person placed or swapped are labels; if they are also marked as hidden, they are labelled as
    hidden. A hidden joint that nobody placed has no label. The other joints of these frames have the model's position
    as label where it is confident enough: a person looked at the frame and left them. Dropped and repeated frames are
    left out, as their pose is that of another picture.

    Args:
        trace: a trace with corrections.
        folder: a new or empty folder, or one with other exports, to which these are added; ``None``: ``corrections`` in
            the data folder, where the recipe "corrections" looks.
        name: name of the clip and the person in the data set; frames exported earlier under this name are replaced. By
            default the clip's name.
        first: number of the trace's first frame in the video; part of the names of sequences.
        min_confidence: confidence from which a joint that nobody corrected becomes a label; ``None``: never.
        split: "train" or "test".

    Raises:
        ConfigError: the trace has no corrections, or other joints than the layout; or the folder has other files.
        StorageError: writing fails. What was exported before is then still complete.
        VideoError: a frame cannot be read.
    """
    check_split(split)
    if trace.skeleton.name != SKELETON:
        raise ConfigError(f"expected a trace with the joints of {SKELETON!r}, got those of {trace.skeleton.name!r}")
    frames = corrected_frames(trace)
    if not frames:
        raise ConfigError(f"expected a trace with corrections, got none in {trace!r}; see trace.correct_joint")
    folder = data_folder() / "corrections" if folder is None else Path(folder)
    record = _claim(folder)
    key = re.sub(r"[^\w.-]+", "_", name or Path(trace.clip.name).stem).strip("._") or "clip"
    labels, counts = _labels(trace, min_confidence)
    written = []
    for run in frames:
        stem = f"{key}-{first + run.start:06d}"
        _write(trace, folder, stem, run, labels, split == "train")
        written.append(stem)
    earlier = record["clips"].get(key, {}).get("sequences", [])
    record["clips"][key] = {
        "clip": trace.clip.name, "model": trace.model_name, "calls": list(trace.calls), "sequences": written,
    }  # fmt: skip
    with atomic_path(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for stem in earlier:
        if stem not in written:
            _remove(folder, stem)
    inside = np.concatenate([np.arange(run.start, run.stop) for run in frames])
    return Exported(folder, tuple(written), len(inside), *(int(count[inside].sum()) for count in counts))


def corrected_frames(trace: Trace) -> list[range]:
    """Return the frames of a trace with a correction of a joint, as ranges without gaps, ascending.

    Frames whose picture the model did not see (dropped or repeated) are left out.
    """
    found = (trace.corrected | trace.hidden).any(-1)
    for t in np.flatnonzero(found):
        same = all(one.source(int(t)) == t for one in trace.conditions.interventions)
        found[t] = same and t not in trace.dropped
    edges = np.flatnonzero(np.diff(np.concatenate([[False], found, [False]])))
    return [range(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


class _Labels(NamedTuple):
    """Joints (T, J, 2) with NaN where there is no label, their visibility (T, J), and boxes (T, 4)."""

    joints: np.ndarray
    visible: np.ndarray
    boxes: np.ndarray


def _labels(trace: Trace, min_confidence: float | None) -> tuple[_Labels, Sequence[np.ndarray]]:
    """Decide on labels; also return where they are corrected, predicted and missing, each (T, J)."""
    joints, corrected, hidden = trace.joints.copy(), trace.corrected, trace.hidden
    boxes = np.zeros((len(joints), 4), np.float32)
    for t in range(len(joints)):
        trusted = joints[t][corrected[t] | ~hidden[t]]
        boxes[t] = joints_to_box(trusted) or joints_to_box(joints[t]) or 0
    sure = np.zeros_like(corrected) if min_confidence is None else trace.confidence >= min_confidence
    predicted = ~corrected & ~hidden & sure
    joints[~corrected & ~predicted] = np.nan
    return _Labels(joints, ~hidden, boxes), (corrected, predicted, ~corrected & ~predicted)


def _write(trace: Trace, folder: Path, stem: str, frames: range, labels: _Labels, train: bool) -> None:
    """Write consecutive frames, and then their labels."""
    for number, t in enumerate(frames, 1):
        _, data = cv2.imencode(".jpg", trace.clip.frame(t)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        with atomic_path(folder / "frames" / stem / f"{number:06d}.jpg") as temporary:
            temporary.write_bytes(data.tobytes())
    chosen = slice(frames.start, frames.stop)
    content = penn_labels(
        labels.joints[chosen], labels.visible[chosen], labels.boxes[chosen], (trace.clip.height, trace.clip.width),
        action="corrected", view="unknown", train=train,
    )  # fmt: skip
    with atomic_path(folder / "labels" / f"{stem}.mat") as temporary:
        temporary.write_bytes(content)


def _claim(folder: Path) -> dict[str, Any]:
    """Return the record of a folder with exports, or an empty one for a new folder."""
    file = folder / RECORD
    try:
        if file.is_file():
            record = json.loads(file.read_text(encoding="utf-8"))
            if record["format"] == FORMAT and all(isinstance(c["sequences"], list) for c in record["clips"].values()):
                return record
            raise ValueError(record["format"])
        if folder.exists() and any(folder.iterdir()):
            raise ConfigError(f"expected a new folder, or one with exported corrections, at {folder}; it has others")
    except OSError as error:
        raise StorageError(f"cannot read {folder}: {error}; choose another folder") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{file} is damaged or of another version ({error!r}); choose another folder") from error
    return {"format": FORMAT, "clips": {}}


def _remove(folder: Path, stem: str) -> None:
    """Remove a sequence, its labels first. Only files that an export writes are deleted."""
    if not re.fullmatch(r"[\w.-]+-\d{6,}", stem):
        return  # not a name of ours
    images = folder / "frames" / stem
    (folder / "labels" / f"{stem}.mat").unlink(missing_ok=True)
    for file in images.glob("[0-9][0-9][0-9][0-9][0-9][0-9].jpg"):
        file.unlink()
    if images.is_dir() and not any(images.iterdir()):
        images.rmdir()
