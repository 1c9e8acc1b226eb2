"""Evaluation: the table against its trace, and no result measured twice, lost, or mixed up."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from dkd.cli.main import main
from dkd.datasets.people import PersonSequence
from dkd.datasets.render_set import RenderSetConfig, render_set
from dkd.errors import ConfigError, DatasetError, StorageError
from dkd.evaluation.methods import Method, get_method
from dkd.evaluation.people import follow_person, measure_person
from dkd.evaluation.results import Evaluation
from dkd.evaluation.run import Progress, evaluate
from dkd.models import build_model
from dkd.models.checkpoints import save_model
from tests.support import processes
from tests.support.dotted_people import dotted_person

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a small DKD with random weights; its accuracy does not matter here."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_model(build_model("dkd-tiny", channels=16, input_size=128), path, {"run": "none"})
    return path


@pytest.fixture(scope="module")
def other(checkpoint: Path) -> Path:
    torch.manual_seed(1)
    path = checkpoint.with_name("other.safetensors")
    save_model(build_model("dkd-tiny", channels=16, input_size=128), path, {})
    return path


def people() -> dict[str, Sequence[PersonSequence]]:
    """Return two clips: one of six frames with hidden and missing joints and a missing box, and one of four."""
    first, second = dotted_person(0, 6), dotted_person(1, 4)
    joints = first.joints.copy()
    joints[2, 5] = np.nan
    visible = np.ones(joints.shape[:2], bool)
    visible[:, 7] = False
    boxes = np.array([[50, 40, 230, 240]] * 6, np.float32)
    first = replace(first, joints=joints, visible=visible, boxes=boxes, action="hop", labels="drawn")
    return {"dots": [first, second]}


def run(methods: Sequence[str | Method], folder: Path, **settings) -> list[Progress]:
    return list(evaluate(methods, ["dots"], folder, people=people(), **settings))


def test_a_row_is_a_joint_in_a_frame_as_the_trace_has_it(checkpoint: Path, tmp_path: Path) -> None:
    method, person = get_method(str(checkpoint)), people()["dots"][0]
    run([method], tmp_path)
    table = Evaluation(tmp_path).table()
    assert len(table) == (6 + 4) * 13
    trace = follow_person(method, person)
    rows = table[table.video == "dots 0"]
    for t in range(6):
        for j, joint in enumerate(trace.skeleton.joints):
            row = rows[(rows.frame == t) & (rows.joint == joint)].iloc[0]
            assert (row.x, row.y) == tuple(trace.joints[t, j])
            assert row.score == trace.scores[t, j]
            assert row.time_s == pytest.approx(t / 10)
            np.testing.assert_array_equal((row.true_x, row.true_y), person.joints[t, j])
            assert row.visible == (j != 7 and not (t == 2 and j == 5))
            assert (row.box_side, row.box_area) == (200, 180 * 200)
            crop = trace.crops[t]
            x, y = person.joints[t, j]
            inside = crop.left <= x + 0.5 < crop.left + crop.side and crop.top <= y + 0.5 < crop.top + crop.side
            assert row.in_crop == inside
            assert row.kernel_drift == trace.kernel_drift()[t]
            assert (row.model, row.data, row.action, row.labels) == (method.name, "dots", "hop", "drawn")
    # Without boxes the joints' own serves.
    second = table[(table.video == "dots 1") & (table.frame == 0)]
    span = np.ptp(people()["dots"][1].joints[0], axis=0)
    assert second.box_side.iloc[0] == pytest.approx(span.max())
    assert second.box_area.iloc[0] == pytest.approx(span.prod())
    assert (second.visible == second.true_x.notna()).all()


def test_existing_results_are_not_measured_again(checkpoint: Path, other: Path, tmp_path: Path) -> None:
    methods = [str(checkpoint), f"{checkpoint}+erased"]
    assert [p.fresh for p in run(methods, tmp_path)] == [True] * 4
    whole = Evaluation(tmp_path).table()
    times = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.parquet")}
    again = run(methods, tmp_path)
    assert [p.fresh for p in again] == [False] * 4
    assert (again[-1].videos, again[-1].of_videos, again[-1].frames, again[-1].of_frames) == (4, 4, 20, 20)
    assert times == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.parquet")}
    # One more method is all that is added; what was asked for last is what the table has.
    assert [p.method for p in run([*methods, str(other)], tmp_path) if p.fresh] == ["other", "other"]
    assert list(Evaluation(tmp_path).table().model.cat.categories) == ["small", "small+erased", "other"]
    run(methods, tmp_path)
    pd.testing.assert_frame_equal(Evaluation(tmp_path).table(), whole)
    # Fewer frames, other labels or other weights are another measurement.
    assert all(p.fresh for p in run(methods, tmp_path, n_frames=2))
    moved = [replace(p, joints=p.joints + 1) for p in people()["dots"]]
    assert all(p.fresh for p in evaluate(methods, ["dots"], tmp_path, people={"dots": moved}))
    assert all(p.fresh for p in run([replace(get_method(str(other)), name="small")], tmp_path))


def test_a_stopped_evaluation_resumes_to_the_same_result(checkpoint: Path, tmp_path: Path) -> None:
    methods = [str(checkpoint), f"{checkpoint}+frozen"]
    run(methods, tmp_path / "whole")
    stopped = evaluate(methods, ["dots"], tmp_path / "stopped", people=people())
    next(stopped)
    stopped.close()  # type: ignore[attr-defined]
    assert Evaluation(tmp_path / "stopped").missing == 3
    assert len(Evaluation(tmp_path / "stopped").table()) == 6 * 13
    # Stopped in the middle of a video: nothing half is kept.
    asked: list[int] = []

    def cancel() -> bool:
        asked.append(0)
        return len(asked) > 3

    assert [p.fresh for p in run(methods, tmp_path / "stopped", cancel=cancel)] == [False]
    assert Evaluation(tmp_path / "stopped").missing == 3
    assert [p.fresh for p in run(methods, tmp_path / "stopped")] == [False, True, True, True]
    assert not list(tmp_path.rglob("*.tmp"))
    pd.testing.assert_frame_equal(
        Evaluation(tmp_path / "stopped").table(), Evaluation(tmp_path / "whole").table(), check_exact=True
    )


class _Broken(list):
    """A sequence of images, one of which cannot be read."""

    def __getitem__(self, index):
        if index == 2:
            raise DatasetError("expected an image; it is damaged")
        return super().__getitem__(index)


def test_a_broken_video_is_reported_and_the_others_are_measured(checkpoint: Path, tmp_path: Path) -> None:
    first, second = people()["dots"]
    broken = {"dots": [replace(first, images=_Broken(first.images)), second]}
    records = list(evaluate([str(checkpoint)], ["dots"], tmp_path, people=broken))
    assert [bool(p.error) for p in records] == [True, False]
    assert "it is damaged" in str(records[0].error)
    assert list(Evaluation(tmp_path).table().video.unique()) == ["dots 1"]
    assert Evaluation(tmp_path).missing == 1


def test_provenance_is_in_the_files(checkpoint: Path, tmp_path: Path) -> None:
    run([f"{checkpoint}+swapped"], tmp_path)
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    facts = Evaluation(tmp_path).provenance()
    assert set(facts.weights_sha256) == {digest}
    assert set(facts["model.config.encoder"]) == {"tiny"}
    assert set(facts.method) == {"small+swapped"}
    assert facts.frames.tolist() == [6, 4]
    assert set(facts["versions.torch"]) == {torch.__version__}
    saved = Evaluation(tmp_path).save(tmp_path / "all.parquet")
    stored = json.loads(pq.read_metadata(saved).metadata[b"dkd"])
    assert [part["weights_sha256"] for part in stored["parts"]] == [digest, digest]
    assert len(pd.read_parquet(saved)) == 10 * 13


def test_a_method_without_a_file_is_known_by_its_weights(tmp_path: Path) -> None:
    torch.manual_seed(3)
    method = Method("random", build_model("simple-baseline-tiny", channels=8, input_size=128).eval())
    assert [p.fresh for p in run([method], tmp_path)] == [True, True]
    assert Evaluation(tmp_path).table().kernel_drift.isna().all()
    assert [p.fresh for p in run([method], tmp_path)] == [False, False]
    with torch.no_grad():
        next(method.model.parameters()).add_(1)
    assert [p.fresh for p in run([method], tmp_path)] == [True, True]


def test_invalid_requests_are_errors_before_anything_runs(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two methods are called 'small'"):
        run([str(checkpoint), replace(get_method(str(checkpoint)))], tmp_path)
    with pytest.raises(ConfigError, match="there is none"):
        run([], tmp_path)
    with pytest.raises(ConfigError, match="erased"):
        run([f"{checkpoint}+erasd"], tmp_path)
    with pytest.raises(ConfigError, match="at least one frame"):
        run([str(checkpoint)], tmp_path, n_frames=0)
    with pytest.raises(ConfigError, match="rendered"):
        list(evaluate([str(checkpoint)], ["renderd"], tmp_path))
    with pytest.raises(DatasetError, match="no people"):
        list(evaluate([str(checkpoint)], ["dots"], tmp_path, people={"dots": []}))
    mpii = Method("m", build_model("dkd-tiny", skeleton="mpii", channels=8, input_size=128).eval())
    with pytest.raises(ConfigError, match="the joints of 'mpii'"):
        run([mpii], tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="expected an evaluation in"):
        Evaluation(tmp_path)


def test_a_damaged_part_is_named(checkpoint: Path, tmp_path: Path) -> None:
    run([str(checkpoint)], tmp_path)
    part = next(tmp_path.rglob("dots_0-*.parquet"))
    part.write_bytes(part.read_bytes()[:200])
    with pytest.raises(DatasetError, match=part.name):
        Evaluation(tmp_path).table()
    part.unlink()
    assert [p.fresh for p in run([str(checkpoint)], tmp_path)] == [False, True]


def test_a_part_proves_who_it_is(checkpoint: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A part under another's name, and another program's file, are measured again, not taken."""
    run([str(checkpoint)], tmp_path)
    whole = Evaluation(tmp_path).table()
    first, second = sorted(tmp_path.glob("parts/small/dots/*.parquet"))
    kept = second.read_bytes()
    foreign = pd.DataFrame({"a": [1]})
    for spoil in (
        lambda: shutil.copy(first, second),
        lambda: foreign.to_parquet(second),
        lambda: second.write_bytes(kept[: len(kept) // 2]),
        lambda: second.write_bytes(b""),
        lambda: second.write_text("no table"),
    ):
        spoil()
        with pytest.raises(DatasetError, match=re.escape(second.name)):
            Evaluation(tmp_path).table()
        assert [p.fresh for p in run([str(checkpoint)], tmp_path)] == [False, True]
        assert second.name in caplog.text
        pd.testing.assert_frame_equal(Evaluation(tmp_path).table(), whole)


def test_a_failed_write_is_an_error_and_keeps_the_old_file(checkpoint: Path, tmp_path: Path) -> None:
    records = evaluate([str(checkpoint)], ["dots"], tmp_path, people=people())
    next(records)
    (place,) = tmp_path.glob("parts/small/dots")
    kept = list(place.iterdir())
    place.rename(tmp_path / "aside")
    place.write_text("a file where a folder is needed")
    with pytest.raises(StorageError, match="cannot write"):
        next(records)
    place.unlink()
    (tmp_path / "aside").rename(place)
    assert list(place.iterdir()) == kept
    assert [p.fresh for p in run([str(checkpoint)], tmp_path)] == [False, True]


def test_a_full_disk_keeps_the_results(checkpoint: Path, tmp_path: Path) -> None:
    methods = [str(checkpoint), f"{checkpoint}+erased"]
    _, child = processes.start(processes.evaluate_on_a_full_disk, methods, str(tmp_path), people())
    said = child.recv()
    assert "cannot write" in said and "free some space" in said, said
    assert Evaluation(tmp_path).missing == 3 and not list(tmp_path.rglob("*.tmp"))
    assert [p.fresh for p in run(methods, tmp_path)] == [False, True, True, True]


def test_a_killed_evaluation_resumes(checkpoint: Path, tmp_path: Path) -> None:
    methods = [str(checkpoint), f"{checkpoint}+erased"]
    process, child = processes.start(processes.evaluate_until_told, methods, str(tmp_path / "killed"), people())
    assert child.recv() == 1
    child.send("on")  # to the second video, in the midst of which it is killed, or just after
    time.sleep(0.05)
    process.kill()
    process.join()
    assert [p.fresh for p in run(methods, tmp_path / "killed")][0] is False
    run(methods, tmp_path / "whole")
    pd.testing.assert_frame_equal(
        Evaluation(tmp_path / "killed").table(), Evaluation(tmp_path / "whole").table(), check_exact=False, rtol=1e-4
    )


def test_the_perturbed_past_is_measured(checkpoint: Path) -> None:
    """The method's feedback is used by the trace: with erased maps only the first frame stays the same."""
    person = people()["dots"][0]
    plain, erased = (measure_person(get_method(f"{checkpoint}{v}"), "dots", person) for v in ("", "+erased"))
    assert plain is not None and erased is not None
    same = (plain[["x", "y"]] == erased[["x", "y"]]).all(axis=1)
    assert same[plain.frame == 0].all()
    assert not same[plain.frame > 1].all()


def test_processes_share_the_videos(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "people"
    for _ in render_set(data, RenderSetConfig(n_train=1, n_test=3, n_frames=4, size=128), workers=1):
        pass
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    asked = [str(checkpoint), "--data", f"rendered={data}", "--set", "accelerator=cpu", "threads=1"]
    threads = torch.get_num_threads()
    try:
        assert main(["evaluate", *asked, "--out", str(alone)]) == 0
    finally:
        torch.set_num_threads(threads)
    said = capsys.readouterr().out
    assert "small" in said and "exact (rendered)" in said
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, "-m", "dkd", "evaluate", *asked, "--out", str(shared)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert Evaluation(shared).missing == 0 and Evaluation(shared).given == {"rendered": f"rendered={data}"}
    assert set(Evaluation(shared).table().data) == {"rendered"}
    pd.testing.assert_frame_equal(Evaluation(shared).table(), Evaluation(alone).table())
