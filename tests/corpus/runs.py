"""Folders and files of work in progress, damaged or made up: run folders, parts of evaluations, sessions."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from dkd.evaluation.results import Evaluation
from dkd.evaluation.run import evaluate
from dkd.models.checkpoints import save_model
from dkd.models.registry import build_model
from dkd.sessions.content import Bookmark, ModelFile, SavedPerson, VideoFile
from dkd.sessions.session import Session
from dkd.training.run import Run
from dkd.training.runs import list_runs
from tests.corpus.cases import Case, Use, uses
from tests.support.dotted_people import dotted_person, quick

NAN = float("nan")
RUNS, PARTS, SESSIONS = "run folders", "evaluations and their parts", "sessions"


def _shared(name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that is made once for all cases."""
    path = Path(os.environ["DKD_CORPUS"]) / name
    if not path.exists():
        make(new := path.with_name(f"{name}.new"))
        new.rename(path)
    return path


# ---- run folders ----------------------------------------------------------------------------------------------------


def _finished(folder: Path) -> Path:
    """Write what a finished run of two steps has."""
    run = Run(folder)
    run.open(quick("steps=2"))
    for step in (1, 2):
        run.append_log({"step": step, "loss": 0.5 / step})
    model = build_model("dkd-tiny", channels=16, input_size=128)
    run.save_snapshot(model, 1, {})
    run.save_result(model, 2, {})
    run.save_state(2, {"x": torch.zeros(4)})
    run.close()
    return folder


def _run(change: Callable[[Path], object], n: int, folder: Path) -> Use:
    """Two runs, of which one is changed: the list has the other one in any case."""
    for name in ("good", "bad"):
        shutil.copytree(_shared("run", _finished), folder / "runs" / name)
    change(folder / "runs" / "bad")

    def right(table: pd.DataFrame) -> bool:
        other = table[table["run"] == "good"].iloc[0]
        return len(table) == n and (other["status"], other["step"], other["steps"]) == ("finished", 2, 2)

    return uses(lambda: list_runs(folder / "runs"), right)


def _cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(
        (folder / name).read_bytes()[: (folder / name).stat().st_size // 2]
    )


def _info(**values: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        content = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({k: v for k, v in {**content, **values}.items() if v is not ...}))

    return change


def _write(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


RUN_FOLDERS: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "whole": (lambda folder: None, 2, "right"),
    "a cut state": (_cut("state.safetensors"), 1, "warned"),
    "an empty result": (_write("model.safetensors", b""), 1, "warned"),
    "run.json cut": (_cut("run.json"), 1, "warned"),
    "run.json a list": (_write("run.json", b"[]"), 1, "warned"),
    "run.json deep": (_write("run.json", b"[" * 10**5), 1, "warned"),
    "run.json in Latin-1": (_write("run.json", b'{"a": "\xfc"}'), 1, "warned"),
    "no settings": (_info(config=...), 1, "warned"),
    "settings of NaN": (_info(config={"steps": NAN}), 1, "warned"),
    "a start that is a number": (_info(started=3), 1, "warned"),
    "another format": (_info(format="other/1"), 1, "warned"),
    "a log of another kind": (_write("log.csv", b"a,b\n1,2\n"), 1, "warned"),
    "a log in another encoding": (_write("log.csv", b"step,loss\n1,\xff\xfe\n"), 1, "warned"),
    "an empty log": (_write("log.csv", b""), 2, "right"),
    "a cut log": (_cut("log.csv"), 2, "right"),
    "words in the log": (_write("log.csv", b"step,loss\n1,many\n"), 2, "right"),
    "10^30 steps in the log": (_write("log.csv", b"step,loss\n" + b"1" + b"0" * 30 + b",2\n"), 1, "warned"),
    "a log of 10^400": (_write("log.csv", b"step,loss\n1e400,2\n"), 1, "warned"),
    "no state": (lambda folder: (folder / "state.safetensors").unlink(), 2, "right"),
    "a strange snapshot": (_write("snapshots/step_last.safetensors", b""), 2, "right"),
    "a failure that is none": (_write("failure.json", b"["), 2, "right"),
    "a run within the run": (lambda folder: shutil.copytree(folder, folder / "again"), 3, "right"),
    "a link to itself": (lambda folder: (folder / "loop").symlink_to(folder), 2, "right"),
}


# ---- evaluations ----------------------------------------------------------------------------------------------------


def _evaluated(folder: Path) -> None:
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    save_model(build_model("dkd-tiny", channels=8, input_size=128), folder / "small.safetensors", {})
    people = {"dots": [dotted_person(0, 3), dotted_person(1, 3)]}
    list(evaluate([str(folder / "small.safetensors")], ["dots"], folder / "eval", people=people))


def _evaluation(change: Callable[[Path], object], folder: Path) -> Use:
    """An evaluation of two clips, changed; reading all rows, and where each comes from."""
    shutil.copytree(_shared("evaluation", _evaluated) / "eval", folder / "eval")
    change(folder / "eval")

    def read() -> pd.DataFrame:
        found = Evaluation(folder / "eval")
        found.provenance()
        return found.table()

    return uses(read, lambda table: len(table) == 2 * 3 * 13 and set(table["video"]) == {"dots 0", "dots 1"})


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet"))


def _index(**values: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / "evaluation.json"
        content = {**json.loads(path.read_text()), **values}
        path.write_text(json.dumps({k: v for k, v in content.items() if v is not ...}))

    return change


def _part(change: Callable[[Path, Path], object]) -> Callable[[Path], object]:
    return lambda folder: change(*_parts(folder))


def _rows(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], object]:
    """Change the rows of a part, and keep what it says about itself."""

    def apply(folder: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        first = _parts(folder)[0]
        table = pq.read_table(first)
        made = pa.Table.from_pandas(change(table.to_pandas()), preserve_index=False)
        pq.write_table(made.replace_schema_metadata(table.schema.metadata), first)

    return apply


EVALUATIONS: dict[str, tuple[Callable[[Path], object], str]] = {
    "whole": (lambda folder: None, "right"),
    "a part cut": (_part(lambda a, b: a.write_bytes(a.read_bytes()[:200])), "refused"),
    "a part empty": (_part(lambda a, b: a.write_bytes(b"")), "refused"),
    "a part of text": (_part(lambda a, b: a.write_text("no table")), "refused"),
    "a part under another's name": (_part(lambda a, b: shutil.copy(a, b)), "refused"),
    "a part of another program": (_part(lambda a, b: pd.DataFrame({"a": [1]}).to_parquet(a)), "refused"),
    "a part without a column": (_rows(lambda t: t.drop(columns="score")), "refused"),
    "a part of another video's rows": (_rows(lambda t: t.assign(video="dots 1")), "refused"),
    "a part without rows": (_rows(lambda t: t.iloc[:0]), "refused"),
    "an index cut": (lambda f: (f / "evaluation.json").write_text('{"format": "dkd'), "refused"),
    "an index of another format": (_index(format="x/9"), "refused"),
    "an index without parts": (_index(parts=...), "refused"),
    "parts that are no names": (_index(parts=[3]), "refused"),
    "parts in a text": (_index(parts="abc"), "refused"),
    "parts outside of the folder": (_index(parts=["../../secret.parquet"]), "refused"),
    "methods that are no names": (_index(methods=[3]), "refused"),
    "methods in a number": (_index(methods=3), "refused"),
    "a deep index": (lambda f: (f / "evaluation.json").write_text("[" * 10**5), "refused"),
    "no index": (lambda f: (f / "evaluation.json").unlink(), "refused"),
    "rows twice": (_rows(lambda t: pd.concat([t, t])), "refused"),
    "scores in text": (_rows(lambda t: t.assign(score="high")), "refused"),
}


# ---- sessions -------------------------------------------------------------------------------------------------------

HASH = "0123456789abcdef" * 4


def _session(key: str, value: Any, folder: Path) -> Use:
    person = SavedPerson("Anna", "#ff8800", (1.5, 2.0, 30.25, 40.0), 7, True, ("restart(3)",))
    video = VideoFile(str(folder / "walk.mp4"), HASH, 100)
    session = Session(video, ModelFile("dkd-mobilenetv2", HASH), 5, 60, [person], [Bookmark(3, "here")], {"zoom": 1.5})
    values: Any = json.loads(session.to_json(folder))
    place, *parents = values, *key.split(".")
    for part in parents[:-1]:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if key:
        place[parents[-1]] = value
    (folder / "a.dkd.json").write_text(json.dumps(values))
    right = None if key else lambda found: found == session
    return uses(lambda: Session.load(folder / "a.dkd.json"), right)


def _session_text(data: bytes, folder: Path) -> Use:
    (folder / "a.dkd.json").write_bytes(data)
    return uses(lambda: Session.load(folder / "a.dkd.json"))


SESSION_VALUES: tuple[tuple[str, Any], ...] = (
    ("colour", 1),
    ("video", None),
    ("video.path", ""),
    ("video.path", "a\0b"),
    ("video.sha256", "abc"),
    ("video.n_frames", 0),
    ("video.n_frames", True),
    ("video.fps", 0),
    ("start", -1),
    ("start", 60),
    ("stop", 101),
    ("stop", 10**30),
    ("people", {}),
    ("people.0.name", ""),
    ("people.0.name", "a\nb"),
    ("people.0.colour", "red"),
    ("people.0.box", [1, 2, 3]),
    ("people.0.box", [30, 2, 3, 4]),
    ("people.0.frame", 99),
    ("people.0.calls", ["__import__('os').getcwd()"]),
    ("people.0.calls", ["restart(" + "9" * 5000 + ")"]),
    ("people.0.square", "circle"),
    ("bookmarks.0.frame", 55),
    ("view", []),
    ("format", "dkd-session/9"),
    ("model.name", ""),
)
SESSION_TEXTS = {
    "nothing": b"",
    "null": b"null",
    "cut": b'{"format": "dkd-session/1", "video": {',
    "deep": b"[" * 10**5,
    "Latin-1": b'{"a": "\xe9"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "40 MB": b" " * (40 * 2**20),
}


def cases() -> Iterator[Case]:
    for name, (damage, n, outcome) in RUN_FOLDERS.items():
        yield Case(RUNS, name, outcome, partial(_run, damage, n))
    for name, (damage, outcome) in EVALUATIONS.items():
        yield Case(PARTS, name, outcome, partial(_evaluation, damage))
    yield Case(SESSIONS, "whole", "right", partial(_session, "", None))
    for key, value in SESSION_VALUES:
        yield Case(SESSIONS, f"{key} = {str(value)[:30]!r}", "refused", partial(_session, key, value))
    for name, data in SESSION_TEXTS.items():
        yield Case(SESSIONS, name, "refused", partial(_session_text, data))
