"""Every kind of file that the project writes, in two versions, and how to tell which one is there."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from scipy.io import loadmat

from dkd import Clip, export_all, load_poses
from dkd.cli.main import build_parser
from dkd.datasets.render_set import RenderSetConfig, render_set
from dkd.errors import DKDError
from dkd.evaluation import run as evaluation_run
from dkd.evaluation.compare import Comparison
from dkd.evaluation.results import INDEX, write_parquet
from dkd.formats.files import export
from dkd.models.checkpoints import load_model, save_model
from dkd.models.registry import build_model
from dkd.pose.skeleton import SKELETONS
from dkd.sessions.content import ModelFile, VideoFile
from dkd.sessions.session import Session
from dkd.studies.reports import Reports
from dkd.studies.rows import Row
from dkd.studies.settings import StudySettings
from dkd.studies.store import EXPORTS, Store, clips_schema
from dkd.studies.table import read_table, write_table
from dkd.studies.work import do_row
from dkd.training.run import Run
from tests.support.fake_trace import FakeTrace
from tests.support.tracks import make_track
from tests.support.video_files import write_clip
from widgets import save_page

OLD, NEW = 3, 5
_SET = RenderSetConfig(n_train=1, n_test=1, n_frames=2, size=64)


class Kind(NamedTuple):
    """Attributes:
    write: writes a version into a folder.
    read: returns what tells the versions apart; raises if the file is not whole.
    """

    write: Callable[[Path, int], object]
    read: Callable[[Path], Any]


def _model(folder: Path, version: int) -> None:
    torch.manual_seed(version)
    save_model(build_model("dkd-tiny", channels=4), folder / "a.safetensors", {"step": version})


def _state(folder: Path, version: int) -> None:
    Run(folder).save_state(version, {"x": torch.full((20_000,), float(version))})


def _read_state(folder: Path) -> Any:
    stored = Run(folder).load_state()
    assert stored is not None
    step, tensors = stored
    assert (tensors["x"] == step).all()
    return step


def _log(folder: Path, version: int) -> None:
    """The log grows by a row per step; a run that goes on first removes what is too much."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(folder)
    run.rewind(version - 1)
    for step in range(len(run.log()) + 1, version + 1):
        run.append_log({"step": step, "loss": 0.5})


def _read_log(folder: Path) -> Any:
    steps = Run(folder).log()["step"].tolist()
    assert steps == list(range(1, len(steps) + 1))
    return len(steps)


def _track(version: int) -> Any:
    return make_track(version, 40, 1, SKELETONS["penn_action"], 30.0)


def _exported(ending: str) -> Kind:
    def write(folder: Path, version: int) -> None:
        export(_track(version), folder / f"a{ending}")

    def read(folder: Path) -> Any:
        path = folder / f"a{ending}"
        if path.is_dir():
            return {p.name: json.loads(p.read_text()) for p in sorted(path.iterdir())}
        data = path.read_bytes()
        return data if ending not in (".npz", ".parquet") else len(data)

    return Kind(write, read)


def _overlay(folder: Path, version: int) -> None:
    frames = np.full((6, 64, 96, 3), 20 * version, np.uint8)
    track = make_track(version, 6, 1, SKELETONS["penn_action"], 30.0)
    export(track, folder / "a.mp4", video=Clip.from_array(frames, 30.0))


def _read_overlay(folder: Path) -> Any:
    with Clip(folder / "a.mp4") as clip:
        assert len(clip) == 6 and not clip.warnings
        return round(float(clip[3][0, 0].mean()) / 20)


def _rendered(folder: Path, version: int) -> None:
    for _ in render_set(folder / "set", _SET, workers=1):
        pass


def _read_rendered(folder: Path) -> Any:
    """What is there is whole: a label file comes last, so all pictures of its clip are there."""
    done = sorted(path.stem for path in (folder / "set" / "labels").glob("*.mat"))
    for name in done:
        loadmat(folder / "set" / "labels" / f"{name}.mat")
        assert len(list((folder / "set" / "frames" / name).glob("*.jpg"))) == 2
    return NEW if len(done) == 2 else OLD


def _session(folder: Path, version: int) -> None:
    video = VideoFile(str(folder / "clip.mp4"), "0" * 64, version)
    Session(video, ModelFile("dkd-mobilenetv2", "0" * 64), 0, version).save(folder / "a.dkd.json")


def _comparison(folder: Path, version: int, ending: str) -> None:
    columns = pd.MultiIndex.from_tuples([("data", "PCK@0.2")])
    table = pd.DataFrame([[version / 10]], pd.Index(["a"], name="model"), columns)
    Comparison(table, ("a note",)).save(folder / f"a{ending}")


def _part(folder: Path, version: int) -> None:
    write_parquet(folder / "a.parquet", pd.DataFrame({"x": np.full(5000, version)}), {"version": version})


def _read_part(folder: Path) -> Any:
    (found,) = pd.read_parquet(folder / "a.parquet")["x"].unique()
    return int(found)


def _index(folder: Path, version: int) -> None:
    evaluation_run._write_index(folder, [], {"n_frames": version, "specs": {}, "given": {}})


def _study_table(folder: Path, version: int) -> None:
    write_table(folder / "study.csv", [Row(i, f"{i}.mp4", groups={"group": "=a"}) for i in range(version)])


def _study_part(folder: Path, version: int) -> None:
    table = pd.DataFrame({"video": "a.mp4", "person": "anna", "joint": "head", "x": np.full(5000, version)})
    Store(folder).write_part(folder / "joints" / "a.parquet", table, {"name": "a", "frames": version})


def _read_study_part(folder: Path) -> Any:
    return (Store(folder).clip_of(folder / "joints" / "a.parquet") or {})["frames"]


def _clips(folder: Path, version: int) -> None:
    schema = clips_schema(["group"])
    rows = [{name: None for name in schema.names} | {"name": str(i)} for i in range(version)]
    Store(folder).write_clips(pa.Table.from_pylist(rows, schema=schema))


def _read_clips(folder: Path) -> Any:
    table = Store(folder).read_clips()
    assert table is not None
    return table.num_rows


def _study_clips(folder: Path, version: int) -> None:
    Reports().save_clips(folder / "clips.csv", pd.DataFrame({"name": [f"={i}" for i in range(version)]}))


_ENDINGS = (".csv", ".npz")


def _small_video(folder: Path, version: int) -> Path:
    """Return a clip of ``version`` frames, which lies next to the folder: no fault is tried on it."""
    path = folder.parent / "videos" / f"walk{version}.mp4"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write_clip(path, [np.full((96, 160, 3), 20 * i, np.uint8) for i in range(version)])
    return path


def _row(folder: Path, version: int) -> None:
    """What a worker of a study does with a row: pose files of each kind, and then the joints."""
    torch.manual_seed(0)
    model = build_model("dkd-tiny", channels=4, input_size=128).eval()
    row = Row(2, "walk.mp4", box=(10.0, 10.0, 90.0, 90.0), groups={"condition": "=a"})
    do_row(model, row, _small_video(folder, version), StudySettings(export=_ENDINGS), Store(folder), {"attempts": 1})


def _read_row(folder: Path) -> Any:
    """The joints come last, and are whole or not there; each pose file is whole, the old one or the new one."""
    files = [path for ending in _ENDINGS for path in (folder / EXPORTS).glob(f"*{ending}")]
    (part,) = (folder / "joints").rglob("*.parquet")
    joints = Store(folder).clip_of(part) or {}
    return _oldest([len(load_poses(file).frames) for file in files], len(_ENDINGS), joints["frames"])


def _oldest(versions: list[int], n_files: int, *more: int) -> int:
    assert len(versions) == n_files and {*versions, *more} <= {OLD, NEW}
    return min(*versions, *more)


_ALL = ("csv", "trc", "coco", "npz")


def _all(folder: Path, version: int) -> None:
    track = make_track(0, version, 1, SKELETONS["penn_action"], 30.0, gaps=False)
    for one in export_all(track, folder / "all", name="a", formats=_ALL):
        assert one.complete, one.notes


def _read_all(folder: Path) -> Any:
    files = [path for path in (folder / "all").iterdir() if path.suffix != ".tmp"]
    return _oldest([len(load_poses(path).frames) for path in files], len(_ALL))


def _live(folder: Path, version: int) -> None:
    """The command records a clip that is played once; what cannot be written there is kept elsewhere."""
    video = _small_video(folder, version)
    model = video.with_name("tiny.safetensors")
    if not model.exists():
        torch.manual_seed(0)
        save_model(build_model("dkd-tiny", channels=4, input_size=128), model, {"step": 1})
    tempfile.tempdir = str(video.parent)
    words = f"live {video} --box 10,10,90,90 --model {model} --engine torch --quiet --force --out {folder / 'a.npz'}"
    arguments = build_parser().parse_args(words.split())
    try:
        with redirect_stdout(StringIO()):
            arguments.command(arguments)
    except DKDError as error:
        if kept := re.search(r"kept in (\S+\.npz)", str(error)):
            assert str(load_poses(kept[1]).source).startswith(video.stem)
        raise


def _page(folder: Path, version: int) -> None:
    trace = FakeTrace(version, channels=2, cells=16)
    save_page(trace, folder / "a.html", caption=f"version {version}")


def _read_page(folder: Path) -> Any:
    text = (folder / "a.html").read_text(encoding="utf-8")
    assert text.rstrip().endswith("</html>")
    return set(re.findall(r"version \d", text))


def _figure(folder: Path, version: int) -> None:
    export(FakeTrace(version, channels=2, cells=16), folder / "a.svg", frame=version - 1)


def _text(name: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).read_text()


KINDS: dict[str, Kind] = {
    "checkpoint": Kind(_model, lambda f: load_model(f / "a.safetensors").provenance["step"]),
    "state of a training": Kind(_state, _read_state),
    "log of a training": Kind(_log, _read_log),
    "settings of a training": Kind(
        lambda f, v: Run(f)._write_json(f / "run.json", {"v": v}),
        lambda f: json.loads((f / "run.json").read_text())["v"]
    ),
    "part of an evaluation": Kind(_part, _read_part),
    "index of an evaluation": Kind(_index, lambda f: json.loads((f / INDEX).read_text())["n_frames"]),
    "comparison, Markdown": Kind(lambda f, v: _comparison(f, v, ".md"), _text("a.md")),
    "comparison, LaTeX": Kind(lambda f, v: _comparison(f, v, ".tex"), _text("a.tex")),
    "session": Kind(_session, lambda f: Session.load(f / "a.dkd.json").stop),
    "poses, CSV": _exported(".csv"),
    "poses, Parquet": _exported(".parquet"),
    "poses, TRC": _exported(".trc"),
    "poses, COCO": _exported(".coco.json"),
    "poses, DeepLabCut": _exported(".dlc.csv"),
    "poses, OpenPose (a folder)": _exported(".openpose"),
    "poses, NPZ": _exported(".npz"),
    "table of a study": Kind(_study_table, lambda f: len(read_table(f / "study.csv"))),
    "joints of a clip in a study": Kind(_study_part, _read_study_part),
    "table of a study's clips": Kind(_clips, _read_clips),
    "table of a study's clips, CSV": Kind(_study_clips, lambda f: len(pd.read_csv(f / "clips.csv"))),
    "pose files and joints of a row of a study": Kind(_row, _read_row),
    "poses in several formats": Kind(_all, _read_all),
    "recording of a live run": Kind(_live, lambda f: load_poses(f / "a.npz").source),
    "page": Kind(_page, _read_page),
    "figure, SVG": Kind(_figure, _text("a.svg")),
    "overlay video": Kind(_overlay, _read_overlay),
    "rendered people": Kind(_rendered, _read_rendered),
}  # fmt: skip
