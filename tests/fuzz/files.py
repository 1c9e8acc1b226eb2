"""Random changes of whole files: each reader reads them, or refuses them with a typed error."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dkd import Clip
from dkd.datasets.people import read_image
from dkd.datasets.sources import load_people
from dkd.errors import DKDError
from dkd.formats.files import export, load_poses
from dkd.models.checkpoints import load_model, save_model
from dkd.models.registry import build_model
from dkd.pose.skeleton import SKELETONS
from dkd.sessions.content import ModelFile, SavedPerson, VideoFile, parse
from dkd.sessions.session import Session
from dkd.training.config import load_recipe
from dkd.training.run import Run
from dkd.training.runs import list_runs
from tests.support.dotted_people import quick
from tests.support.official_folders import write_penn
from tests.support.tracks import make_track
from tests.support.video_files import CODECS, draw_number, write_clip

ENDINGS = (
    ".csv",
    ".tsv",
    ".parquet",
    ".dlc.csv",
    ".h5",
    ".slp",
    ".nc",
    ".coco.json",
    ".posetrack.json",
    ".trc",
    ".npz",
)
VIDEOS = {
    ".mp4": "libx264",
    ".mkv": "libx264",
    ".avi": "mpeg4",
    ".webm": "libvpx",
    ".ts": "mpeg2video",
    ".mov": "mjpeg",
}
HASH = "0123456789abcdef" * 4
_STEPS = ("set", "remove", "insert", "repeat", "cut")


@st.composite
def changes(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """One to four changes of bytes: others, fewer, more, a part twice, or a cut."""
    steps = draw(
        st.lists(
            st.tuples(st.sampled_from(_STEPS), st.floats(0, 1), st.binary(max_size=12), st.integers(1, 64)),
            min_size=1, max_size=4,
        )
    )  # fmt: skip

    def change(data: bytes) -> bytes:
        for what, share, other, n in steps:
            at = int(share * len(data))
            if what == "set":
                data = data[:at] + other + data[at + len(other) :]
            elif what == "insert":
                data = data[:at] + other + data[at:]
            elif what == "remove":
                data = data[:at] + data[at + n :]
            elif what == "repeat":
                data = data[: at + n] + data[at:]
            else:
                data = data[:at]
        return data

    return change


def _read(work: Callable[[], Any]) -> None:
    with contextlib.suppress(DKDError):
        work()


@cache
def _place() -> Path:
    """A folder for the whole and the changed files; the runner's current one."""
    folder = Path("whole")
    folder.mkdir(exist_ok=True)
    return folder


@cache
def _poses(ending: str) -> bytes:
    path = _place() / f"a{ending}"
    export(make_track(3, 4, 2, SKELETONS["penn_action"], 25.0), path, size=(1280, 720))
    return path.read_bytes()


@given(ending=st.sampled_from(ENDINGS), change=changes())
def pose_files(ending: str, change: Callable[[bytes], bytes]) -> None:
    path = Path(f"changed{ending}")
    path.write_bytes(change(_poses(ending)))
    _read(lambda: load_poses(path))


_cells = st.one_of(
    st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["", "head", "0", "1", "NaN", "inf", "-1", "True"])
)


_columns = st.sampled_from(["frame", "joint", "x", "y", "person", "score", "time_s", "confidence", "z"])


@given(
    columns=st.lists(_columns, max_size=8),
    rows=st.lists(st.lists(_cells, max_size=9), max_size=5),
    separator=st.sampled_from(",\t;"),
)  # fmt: skip
def tables(columns: list[str], rows: list[list[Any]], separator: str) -> None:
    text = "\n".join(separator.join(map(str, row)) for row in [columns, *rows])
    Path("table.csv").write_text(text, encoding="utf-8", errors="replace")
    _read(lambda: load_poses("table.csv"))


_plain = st.one_of(st.none(), st.booleans(), st.integers(-3, 10), st.floats(), st.text(max_size=4), st.just(10**400))
_values = st.recursive(
    _plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
_KEYS = ("id", "image_id", "keypoints", "skeleton", "frame_id", "file_name", "track_id", "width", "height", "time_s",
         "keypoint_scores", "fps", "people")  # fmt: skip
_entries = st.lists(st.dictionaries(st.sampled_from(_KEYS), _values, max_size=6) | _values, max_size=3)


_info = _values | st.dictionaries(st.sampled_from(_KEYS), _values)
_coco = {"images": _entries, "annotations": _entries, "categories": _entries, "info": _info}


@given(content=st.fixed_dictionaries({}, optional=_coco))
def coco_files(content: dict[str, Any]) -> None:
    Path("a.json").write_text(json.dumps(content))
    _read(lambda: load_poses("a.json"))


@given(ending=st.sampled_from(sorted(VIDEOS)), change=changes())
def videos(ending: str, change: Callable[[bytes], bytes]) -> None:
    path = Path(f"changed{ending}")
    path.write_bytes(change(_video(ending)))

    def read() -> None:
        with Clip(path) as clip:
            for t in {0, len(clip) // 2, len(clip) - 1}:
                with contextlib.suppress(DKDError):
                    clip.frame(t)

    _read(read)


@cache
def _video(ending: str) -> bytes:
    options = CODECS["h264_closed_gop"][2] if VIDEOS[ending] == "libx264" else {"threads": "1"}
    pixel_format = "yuvj420p" if ending == ".mov" else "yuv420p"
    path = _place() / f"a{ending}"
    return write_clip(
        path, [draw_number(i) for i in range(8)], VIDEOS[ending], options, pixel_format=pixel_format
    ).read_bytes()


@cache
def _image(ending: str) -> bytes:
    y, x = np.mgrid[:40, :60]
    return cv2.imencode(ending, np.stack([4 * x, 5 * y, 0 * x], -1).astype(np.uint8))[1].tobytes()


@given(ending=st.sampled_from((".png", ".jpg", ".bmp", ".webp", ".tif")), change=changes())
def images(ending: str, change: Callable[[bytes], bytes]) -> None:
    path = Path(f"changed{ending}")
    path.write_bytes(change(_image(ending)))
    _read(lambda: read_image(path))


@cache
def _checkpoint() -> bytes:
    path = _place() / "a.safetensors"
    save_model(build_model("dkd-tiny", channels=4, input_size=128), path, {"data": "none"})
    return path.read_bytes()


@given(change=changes(), in_header=st.booleans())
def checkpoints(change: Callable[[bytes], bytes], in_header: bool) -> None:
    data = _checkpoint()
    end = 8 + int.from_bytes(data[:8], "little")
    if in_header:
        header = change(data[8:end])
        data = len(header).to_bytes(8, "little") + header + data[end:]
    else:
        data = change(data)
    Path("changed.safetensors").write_bytes(data)
    _read(lambda: load_model("changed.safetensors"))


@cache
def _session() -> bytes:
    people = [SavedPerson("Anna", "#ff8800", (1.5, 2.0, 30.25, 40.0), 7, True, ("restart(3)",))]
    video = VideoFile("walk.mp4", HASH, 100)
    return Session(video, ModelFile("dkd-mobilenetv2", HASH), 5, 60, people).to_json().encode()


@given(change=changes())
def sessions(change: Callable[[bytes], bytes]) -> None:
    text = change(_session()).decode(errors="replace")
    _read(lambda: parse(text, "a.dkd.json"))


@given(change=changes())
def recipes(change: Callable[[bytes], bytes]) -> None:
    source = Path(load_recipe.__code__.co_filename).parent / "recipes" / "laptop.yaml"
    Path("changed.yaml").write_bytes(change(source.read_bytes()))
    _read(lambda: load_recipe(Path("changed.yaml")))


_SETTINGS = ("steps", "sigma", "machine.threads", "data.train", "augment.scale", "model.settings.channels",
             "model.bias_fades", "optimiser.milestones")  # fmt: skip


@given(key=st.sampled_from(_SETTINGS), value=st.text(max_size=12))
def words(key: str, value: str) -> None:
    _read(lambda: load_recipe("laptop", [f"{key}={value}"]))


@given(change=changes())
def label_files(change: Callable[[bytes], bytes]) -> None:
    folder = Path("penn")
    if not folder.exists():
        write_penn(folder)
        (folder / "labels" / "0001.mat").rename("whole.mat")
    (folder / "labels" / "0001.mat").write_bytes(change(Path("whole.mat").read_bytes()))
    _read(lambda: load_people("./penn"))


@given(name=st.sampled_from(("run.json", "log.csv")), change=changes())
def run_folders(name: str, change: Callable[[bytes], bytes]) -> None:
    folder = Path("runs/a")
    if not folder.exists():
        run = Run(folder)
        run.open(quick("steps=2"))
        run.append_log({"step": 1, "loss": 0.5})
        run.close()
        (folder / "run.json").rename("run.json")
        (folder / "log.csv").rename("log.csv")
    for one in ("run.json", "log.csv"):
        data = Path(one).read_bytes()
        (folder / one).write_bytes(change(data) if one == name else data)
    list_runs("runs")  # never an error


TARGETS = (
    pose_files,
    tables,
    coco_files,
    videos,
    images,
    checkpoints,
    sessions,
    recipes,
    words,
    label_files,
    run_folders,
)
