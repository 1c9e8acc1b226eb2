"""The evaluation panel without a browser: requests, display, exports, and freed resources."""

from __future__ import annotations

import gc
import io
import shlex
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import ipywidgets
import numpy as np
import pandas as pd
import pytest
import torch

from dkd import PoseTrack, export
from dkd.cli.main import build_parser, main
from dkd.errors import ConfigError, RunBusyError
from dkd.evaluation.methods import VARIANTS
from dkd.evaluation.results import Evaluation
from dkd.evaluation.summaries import pck_curves, per_joint, summarise
from dkd.models import build_model
from dkd.models.checkpoints import save_model
from dkd.pose.skeleton import get_skeleton
from tests.support.crops_folder import write_crops
from tests.support.held import HeldEvaluation
from tests.support.server import until
from tests.widgets.test_page import contents_of, message, read
from widgets import EvaluationPanel
from widgets.evaluation.form import EvaluationForm, as_command, as_python
from widgets.evaluation.gallery import SIDE, Gallery, gallery_items, moment_key, thumbnail
from widgets.evaluation.job import EvaluationJob, Request, cost_name, load_cost, save_cost
from widgets.evaluation.plots import DASHES, SYMBOLS, EvaluationPlots, Figures, look, still_plots
from widgets.evaluation.results import digest, figures, moments
from widgets.evaluation.table import best, exports, results_table, table_html
from widgets.panels.figures import COLOURS

MODEL = "dkd-mobilenetv2"
METHODS = (MODEL, f"{MODEL}+initializer", f"{MODEL}+erased")
SKELETON = get_skeleton("penn_action")


def synthetic(errors: dict[str, float], data: str = "drawn", frames: int = 12, labels: str = "exact") -> pd.DataFrame:
    """Make a tidy table with a method's left wrist off by given pixels in frames 4 to 6, with a box of 100 px."""
    rows = []
    for model, error in errors.items():
        for video in ("a", "b"):
            for t in range(frames):
                for j, joint in enumerate(SKELETON.joints):
                    true = 40.0 + 5 * j + t, 30.0 + 3 * j
                    off = error if joint == "left_wrist" and 4 <= t <= 6 else 1.0
                    rows.append(
                        {
                            "model": model,
                            "data": data,
                            "video": video,
                            "action": "run",
                            "frame": t,
                            "time_s": t / 10,
                            "joint": joint,
                            "x": true[0] + off,
                            "y": true[1],
                            "score": 0.9 - off / 100,
                            "true_x": true[0],
                            "true_y": true[1],
                            "visible": j != 3,
                            "box_side": 100.0,
                            "box_area": 5000.0,
                            "torso": 30.0,
                            "in_crop": True,
                            "kernel_drift": 0.1,
                            "labels": labels,
                            "skeleton": "penn_action",
                        }  # fmt: skip
                    )
    text = ("model", "data", "video", "action", "joint", "labels", "skeleton")
    return pd.DataFrame(rows).astype(dict.fromkeys(text, "category"))


TABLE = synthetic({"good": 1.0, "bad": 40.0})


# ---- the form


@pytest.fixture
def form(tmp_path: Path) -> Iterator[EvaluationForm]:
    form = EvaluationForm(None, "runs/x", tmp_path, lambda: None)
    yield form
    form.close()


def test_the_default_compares_the_shipped_model_with_its_baseline(form: EvaluationForm) -> None:
    request = form.request()
    assert request.methods == METHODS and "samples" in request.sources and request.n_clips == 4
    assert all(VARIANTS[name].summary in tick.tooltip for name, tick in form.variants.items() if name)
    machine = form.sources.get("pose2sim")
    assert machine is None or "MACHINE LABELS" in machine.tooltip


@pytest.mark.parametrize(
    "request_",
    [
        Request(METHODS, ("samples",)),
        Request((MODEL,), ("samples", "penn_action=a folder"), 3, 20),
        Request((f"{MODEL}+swapped+occluded", "runs/x", MODEL), ("./own",), None, 5),
        Request((f"{MODEL}+mean", "some file.safetensors"), ("samples",), 1),
    ],
)
def test_the_request_survives_a_round_trip_and_is_shown_as_code(form: EvaluationForm, request_: Request) -> None:
    form.set(request_)
    got = form.request()
    assert set(got.methods) == set(request_.methods) and set(got.sources) == set(request_.sources)
    assert (got.n_clips, got.n_frames) == (request_.n_clips, request_.n_frames)
    program, *words = shlex.split(as_command(request_, "runs/a b", "torso"))
    heard = build_parser().parse_args(words)
    assert program == "dkd" and tuple(heard.methods) == request_.methods and tuple(heard.data) == request_.sources
    assert (heard.clips, heard.frames, str(heard.out)) == (request_.n_clips, request_.n_frames, "runs/a b")
    calls: list[Any] = []

    def evaluate(*a: Any, **k: Any) -> tuple[()]:
        calls.append((a, k))
        return ()

    known = {"evaluate": evaluate, "Evaluation": lambda folder: SimpleNamespace(table=lambda: calls.append(folder))}
    exec(as_python(request_, "runs/a b"), known)
    assert calls[1] == "runs/a b"
    (methods, sources, folder), limits = calls[0]
    assert (tuple(methods), tuple(sources), folder) == (request_.methods, request_.sources, "runs/a b")
    assert limits == {k: v for k in ("n_clips", "n_frames") if (v := getattr(request_, k)) is not None}


def test_missing_data_are_explained(form: EvaluationForm) -> None:
    for tick in form.models.values():
        tick.value = False
    with pytest.raises(ConfigError, match="at least one method"):
        form.request()
    assert "at least one method" in form.lines.value
    form.others.value = MODEL
    for tick in form.sources.values():
        tick.value = False
    with pytest.raises(ConfigError, match="at least one data set"):
        form.request()


def test_a_finished_run_is_offered(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    form = EvaluationForm(None, "x", tmp_path, lambda: None)
    assert list(form.models) == [MODEL, "dkd-mobilenetv2-joints", "simple-baseline-mobilenetv2"]
    form.close()


# ---- figures, table, exports


def test_figures_are_the_librarys() -> None:
    results = digest(TABLE, None, "box", 0.2)
    known = summarise(TABLE, ("data", "model"))
    for row in results.summary.to_dict("records"):
        expected = known.loc[(row["data"], row["method"])]
        assert all(row[name] == pytest.approx(expected[name]) for name in ("PCK@0.2", "AUC", "acceleration error %"))
    assert results.summary["method"].tolist() == ["good", "bad"]  # the best first
    shown = figures(results, ["bad", "good"], "drawn", "box", 0.2)
    groups = per_joint(TABLE, columns="groups")
    assert shown.joints.loc["bad", "wrist"] == pytest.approx(groups.loc["bad", "Wri"])
    assert list(shown.joints) == ["head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
    long = pck_curves(TABLE, thresholds=[0.3])
    last = shown.curves.iloc[-1]
    assert {n: last[n] for n in ("good", "bad")} == pytest.approx(long.set_index("model")["PCK"].to_dict())
    assert "larger side of the labelled person's box" in results.note and "α = 0.2" in results.note
    assert "labels: exact" in results.note and "2 clips, 24 frames" in results.note


def test_another_threshold_has_a_column_and_is_recounted() -> None:
    results = digest(synthetic({"fair": 10.0}), None, "torso", 0.5)  # a third of the torso
    assert results.summary.columns[3] == "PCK@0.5" and "torso" in results.note
    assert results.summary["PCK@0.5"].iloc[0] > results.summary["PCK@0.05"].iloc[0]


def test_machine_labels_are_named_everywhere() -> None:
    table = synthetic({"good": 1.0, "bad": 40.0}, labels="machine labels (two networks agree)")
    results = digest(table, None, "box", 0.2)
    assert results.summary["labels"].str.contains("machine labels").all() and "machine labels" in results.note
    shown = figures(results, ["good", "bad"], "drawn", "box", 0.2)
    plots = EvaluationPlots()
    plots.show(shown)
    assert all("machine labels" in trace.hovertemplate for trace in plots.figure.data)
    assert "machine labels" in still_plots(shown)
    plots.close()
    assert all("machine labels" in text for text in exports(results.summary, results.note).values())


def test_plots_tell_methods_apart_in_grey_and_wait_for_cost() -> None:
    looks = [look(i) for i in range(8)]
    assert len({(symbol, dash) for _, symbol, dash in looks}) == len({colour for colour, _, _ in looks}) == 8
    assert len(COLOURS) == len(SYMBOLS) == len(DASHES)
    results = digest(TABLE, None, "box", 0.1)
    plots = EvaluationPlots()
    plots.show(figures(results, ["good", "bad"], "drawn", "box", 0.1))
    assert len(plots.figure.data) == 8 and [len(t.x) for t in plots.figure.data[2::4]] == [0, 0]
    assert any("Measure cost" in note.text for note in plots.figure.layout.annotations)
    height = plots.figure.layout.height
    plots.set_width(900)
    assert plots.figure.layout.height > height
    cost = pd.DataFrame({"params (M)": [2.0, 8.0], "GMACs": [0.5, 5.0], "ms": [9.0, 30.0]}, index=["good", "bad"])
    results = digest(TABLE, cost, "box", 0.1)
    plots.show(figures(results, ["good", "bad"], "drawn", "box", 0.1))
    bubbles = plots.figure.data[2::4]
    assert [t.x[0] for t in bubbles] == [0.5, 5.0]
    areas = [t.marker.size**2 for t in bubbles]
    assert areas[1] / areas[0] == pytest.approx(4)
    line = next(s for s in plots.figure.layout.shapes if s.xref == "x2")
    assert line.x0 == line.x1 == 0.1
    plots.close()


def test_the_table_is_let_out_in_three_forms() -> None:
    results = digest(TABLE, None, "box", 0.2)
    texts = exports(results.summary, results.note)
    back = pd.read_csv(io.StringIO(texts["csv"]))
    assert back["method"].tolist() == ["good", "bad"] and list(back) == list(results.summary)
    np.testing.assert_allclose(back["AUC"], results.summary["AUC"], atol=5e-4)
    assert r"acceleration error \%" in texts["latex"] and r"\caption" in texts["latex"] and " % " not in texts["latex"]
    assert texts["markdown"].count("\n| good") == 1 and results.note in texts["markdown"]
    assert exports(results.summary[:0], "") == {"csv": "", "latex": "", "markdown": ""}


def test_the_best_is_marked_on_each_data_set_apart() -> None:
    table = pd.concat(
        [digest(synthetic({"good": 1.0, "bad": 40.0}, data=d), None, "box", 0.05).summary for d in ("one", "two")]
    ).reset_index(drop=True)
    marks = best(table)
    assert marks["PCK@0.05"] == [True, False, True, False] and marks["acceleration error %"] == [True, False] * 2
    assert "flips" not in marks or not all(marks["flips"])
    assert table_html(table).count("<b>") == sum(sum(column) for column in marks.values())
    assert "&lt;" in table_html(table.assign(method="<b>")) and table_html(table[:0]) == ""


def test_cost_is_that_of_the_network_and_kept(tmp_path: Path) -> None:
    assert cost_name(f"{MODEL}+erased+one-euro") == MODEL
    assert cost_name(f"{MODEL}+initializer+occluded") == f"{MODEL}+initializer"
    cost = pd.DataFrame({"params (M)": [5.0], "GMACs": [0.7], "ms": [12.3]}, pd.Index([MODEL], name="model"))
    cost.attrs = {"device": "some", "threads": 1, "rounds": 3}
    assert load_cost(tmp_path) is None
    save_cost(tmp_path, cost)
    again = load_cost(tmp_path)
    assert again is not None and again.attrs == cost.attrs
    pd.testing.assert_frame_equal(again, cost)
    summary = pd.DataFrame({"method": [f"{MODEL}+erased", "other"], "data": "d", "labels": "l", "PCK@0.2": [0.5, 0.6]})
    table = results_table(summary, cost, cost_name, "PCK@0.2")
    assert table["method"].tolist() == ["other", f"{MODEL}+erased"]
    assert np.isnan(table["GMACs"][0]) and table["GMACs"][1] == 0.7


# ---- the gallery


def test_worst_moments_of_all_methods_and_of_hidden_joints() -> None:
    table = synthetic({"good": 30.0, "bad": 40.0})
    table.loc[(table.joint == SKELETON.joints[3]) & (table.frame == 2), "x"] += 50
    found = moments(table, "box", 0.2)
    assert found["error"].is_monotonic_decreasing
    assert set(found["model"]) == {"good", "bad"} and set(found["visible"]) == {True, False}
    wrists = found[found["joint"] == "left_wrist"]
    assert len(wrists) == 4 and set(wrists["n_frames"]) == {3} and set(wrists["frame"]) == {4}
    assert not len(moments(synthetic({"good": 1.0}), "box", 0.2))


def test_pictures_are_made_once_and_show_the_error() -> None:
    table = synthetic({"bad": 40.0})
    asked: list[tuple[str, str, int]] = []

    def image(*where: Any) -> np.ndarray:
        asked.append(where)
        return np.full((120, 160, 3), 90, np.uint8)

    found = moments(table, "box", 0.2)
    known: dict[str, bytes] = {}
    items = list(gallery_items(found, table, image, known))
    again = list(gallery_items(found, table, image, known))
    assert len(asked) == len(items) == len(found) and again == items
    assert items[0]["key"] == moment_key(found.iloc[0].to_dict()) == "bad|drawn|a|4|left_wrist"
    assert items[0]["error"] == pytest.approx(0.4) and items[0]["visibility"] == "visible" and items[0]["run"] == 3
    picture = cv2.imdecode(np.frombuffer(items[0]["picture"], np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture is not None and picture.shape == (SIDE, SIDE, 3)
    yellow = (picture[..., 0] > 200) & (picture[..., 1] > 170) & (picture[..., 2] < 130)
    assert 100 < yellow.sum() < 5000


def test_a_thumbnail_without_joints() -> None:
    nowhere = np.full((13, 2), np.nan)
    frame = np.zeros((40, 60, 3), np.uint8)
    assert thumbnail(frame, nowhere, nowhere, SKELETON, "head")[:2] == b"\xff\xd8"
    far = np.full((13, 2), 1e7)
    assert thumbnail(frame, far, np.random.default_rng(0).uniform(0, 40, (13, 2)), SKELETON, "head")


def test_a_click_is_heard() -> None:
    heard: list[str] = []
    gallery = Gallery(heard.append)
    gallery._handle_custom_msg({"type": "open", "key": "a|b"}, [])
    gallery.choose("c")
    assert heard == ["a|b", "c"]
    gallery.close()


# ---- the whole panel


@pytest.fixture
def make(tmp_path: Path, lab_data: Path) -> Iterator[Callable[..., EvaluationPanel]]:
    panels: list[EvaluationPanel] = []
    threads = torch.get_num_threads()

    def panel(methods: Any = METHODS[:2], **options: Any) -> EvaluationPanel:
        options = {"alpha": 0.05, "root": tmp_path, **options}
        panels.append(EvaluationPanel(methods, f"rendered={lab_data / 'rendered'}", tmp_path / "results", **options))
        return panels[-1]

    yield panel
    for made in panels:
        if made.job is not None:
            made.job.stop()
        made.close()
    torch.set_num_threads(threads)


def enabled(panel: EvaluationPanel) -> tuple[bool, bool]:
    return not panel.run_button.disabled, not panel.stop_button.disabled


def test_an_evaluation_from_the_click_to_the_frame(
    make: Callable[..., EvaluationPanel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    panel = make()
    assert panel.state == "new" and enabled(panel) == (True, False) and not len(panel.table)
    panel.run_button.click()
    until(lambda: panel.state == "finished")
    assert len(panel.gallery.items) and enabled(panel) == (True, False) and panel.head._error == ""
    assert panel.evaluation is not None and panel.evaluation.missing == 0
    assert sorted(panel.summary["method"]) == list(METHODS[:2]) and len(panel.table) == 2 * 2 * 8 * 13
    assert panel.results._exports["csv"].count("\n") == 3
    assert len(panel.moments) == len(panel.gallery.items)
    before = panel.summary["PCK@0.05"].tolist()
    panel.normaliser.value = "torso"
    assert panel.summary["PCK@0.05"].tolist() != before and panel.gallery._unit == "torso"
    panel.normaliser.value = "box"
    assert panel.summary["PCK@0.05"].tolist() == before

    panel.show_moment(0)
    worst = panel.moments.iloc[0]
    until(lambda: panel.views.second.bench is not None)
    first, second = panel.views.first.bench, panel.views.second.bench
    assert first is not None and second is not None and first.cursor is second.cursor
    assert (first.frame, first.joint) == (worst["frame"], worst["joint"]) == (second.frame, second.joint)
    assert first.trace.model_name == worst["model"] != second.trace.model_name
    assert first.trace.ground_truth is not None and panel.gallery._message == ""
    assert f'Workbench(trace, frame={worst["frame"]}, joint="{worst["joint"]}")' in panel.gallery._code
    said: dict[str, Any] = {}
    monkeypatch.setattr("widgets.Workbench", lambda trace, **where: said.update(where, trace=trace))
    exec(panel.gallery._code, {})  # the lines that are shown do the same
    assert (said["frame"], said["joint"]) == (worst["frame"], worst["joint"])
    np.testing.assert_allclose(said["trace"].joints, first.trace.joints, atol=1e-3)
    panel.views.second_method.value = ""
    until(lambda: panel.views.second.bench is None)

    still = panel.still_html()
    assert "finished" in still and still.count("<polyline") == 2 and "data:image/jpeg" in still and "http" not in still

    saved = panel.gallery.to_html(tmp_path / "fails.html", moments=2, around=3, licence="CC0")
    reader = read(saved.path)
    contents = contents_of(reader)
    worst = [moment_key(row) for row in panel.moments.sort_values("error", ascending=False).to_dict("records")]
    assert [person["name"] for person in contents["people"]] == worst[:2]
    for person in contents["people"]:
        method, _, video, frame, joint = person["name"].split("|")
        header = message(reader, person["header"])
        assert int(frame) == header["first"] + person["shown"]["frame"] and person["shown"]["joint"] == joint
        assert header["model"] == method and video in header["clip"]
        row = panel.table[(panel.table["model"] == method) & (panel.table["video"] == video)]
        row = row[(row["frame"] == int(frame)) & (row["joint"] == joint)].iloc[0]
        found = header["tracks"][person["shown"]["frame"], header["joints"].index(joint)]
        assert np.allclose(found, (row["x"], row["y"]), atol=1e-3)
    items = message(reader, contents["gallery"]["items"])["items"]
    assert [item["key"] for item in items] == [item["key"] for item in panel.gallery.items]
    assert all(item["picture"].startswith(b"\xff\xd8") for item in items)
    with pytest.raises(ConfigError, match="1 or more, got 0"):
        panel.gallery.to_html(tmp_path / "none.html", moments=0)
    with pytest.raises(ConfigError, match="before and after a moment"):
        panel.gallery.to_html(tmp_path / "none.html", around=-1)
    with pytest.raises(ConfigError, match="fewer moments"):
        panel.gallery.to_html(tmp_path / "none.html", max_mb=0.3)
    stopped = panel.gallery.to_html(tmp_path / "none.html", cancel=lambda: True)
    assert not stopped.complete and not (tmp_path / "none.html").exists()

    again = make()  # the cell is run again
    assert panel._is_closed and again.state == "finished" and len(again.table) == len(panel.table)


def test_a_still_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_model(build_model("dkd-tiny", channels=16, input_size=128), tmp_path / "random.safetensors", {})
    source = f"person_crops={write_crops(tmp_path / 'data', 20)}"
    panel = EvaluationPanel(str(tmp_path / "random.safetensors"), source, tmp_path / "results", root=tmp_path)
    try:
        panel.run_button.click()
        until(lambda: panel.state == "finished")
        (row,) = panel.summary.to_dict("records")
        assert panel.head._error == "" and row["frames"] == 1 and np.isnan(row["acceleration error %"])
        panel.show_moment(0)
        until(lambda: panel.views.first.bench is not None)
        bench = panel.views.first.bench
        assert bench is not None and len(bench.trace) == 1 and bench.frame == 0 and panel.gallery._message == ""
        assert "finished" in panel.still_html()
    finally:
        panel.close()


def test_stop_keeps_what_is_done_and_resume_goes_on(make: Callable[..., EvaluationPanel]) -> None:
    panel = make(METHODS)
    held = HeldEvaluation(panel)
    panel.run_button.click()
    held.hold()
    until(lambda: panel.job is not None and panel.job.progress is not None)
    again = make(METHODS)  # finds the job that is under way
    assert again.job is panel.job and again.state == "running"
    again.stop_button.click()
    held.let_go()
    until(lambda: again.state not in ("running", "stopping"))
    assert again.state == "stopped" and again.run_button.description == "Resume"
    assert again.evaluation is not None and again.evaluation.missing == 5 and len(again.summary) == 1
    again.run_button.click()
    until(lambda: again.state == "finished")
    assert again.evaluation is not None and again.evaluation.missing == 0 and len(again.table) == 3 * 2 * 8 * 13


def test_what_does_not_fit_is_explained_in_the_panel(make: Callable[..., EvaluationPanel]) -> None:
    panel = make((f"{MODEL}+erasd",))
    panel.run_button.click()
    until(lambda: panel.state == "failed" and panel.head._error)
    assert "did you mean 'erased'" in panel.head._error and enabled(panel) == (True, False)
    panel.form.others.value = ""
    panel.run_button.click()
    until(lambda: "at least one method" in panel.head._error)
    panel.form.others.value = MODEL
    panel.form.n_frames.value = 2
    panel.run_button.click()
    until(lambda: panel.state == "finished")
    assert panel.head._error == "" and panel.table["frame"].max() == 1


def test_other_settings_than_those_measured_are_ready_to_run(make: Callable[..., EvaluationPanel]) -> None:
    panel = make((MODEL,), n_frames=2)
    panel.run_button.click()
    until(lambda: panel.state == "finished")
    panel.form.n_frames.value = 3
    until(lambda: panel.state == "new")
    panel.form.n_frames.value = 2
    until(lambda: panel.state == "finished")


def test_cost_is_measured_when_it_is_asked_for(
    make: Callable[..., EvaluationPanel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("widgets.evaluation.job.ROUNDS", 1)
    panel = make((MODEL, f"{MODEL}+erased"), n_frames=2)
    panel.with_cost.value = True
    panel.run_button.click()
    until(lambda: panel.state == "finished" and "GMACs" in panel.summary)
    assert list(panel.cost.index) == [MODEL]  # type: ignore[union-attr]
    assert panel.summary["GMACs"].nunique() == 1 and (panel.summary["ms a frame"] > 0).all()
    assert "interleaved" in panel._results.note


def test_pose_files_have_no_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Next to a model they are left out; alone there is nothing to measure, which is said."""
    track = PoseTrack(np.zeros((3, 1, 13, 2)), np.ones((3, 1, 13)), SKELETON, np.arange(3), np.arange(3) / 30)
    path = str(export(track, tmp_path / "theirs.h5").path)
    alone = EvaluationJob(tmp_path / "alone", None, [path])
    until(lambda: not alone.active)
    assert alone.state == "failed" and "no cost" in str(alone.error)
    monkeypatch.setattr("widgets.evaluation.job.ROUNDS", 1)
    both = EvaluationJob(tmp_path / "both", None, [path, MODEL])
    until(lambda: not both.active)
    cost = load_cost(tmp_path / "both")
    assert both.error is None and cost is not None and list(cost.index) == [MODEL]


def test_two_jobs_do_not_write_into_one_folder(tmp_path: Path) -> None:
    job = EvaluationJob(tmp_path, Request((MODEL,), ("samples",)))
    with pytest.raises(RunBusyError, match="in progress"):
        EvaluationJob(tmp_path, Request((MODEL,), ("samples",)))
    job.stop()
    assert not job.active


def test_closing_frees_threads_and_widgets(make: Callable[..., EvaluationPanel]) -> None:
    instances = ipywidgets.widgets.widget._instances
    threads, widgets = set(threading.enumerate()), set(instances)
    panel = make((MODEL,), n_frames=3)
    panel.run_button.click()
    until(lambda: panel.state == "finished")
    panel.show_moment(0)
    until(lambda: panel.views.first.bench is not None)
    panel.close()
    panel.close()
    left = [t.name for t in set(threading.enumerate()) - threads if t.name != "evaluation" and "Monitor" not in t.name]
    assert left == []
    gc.collect()
    assert [type(instances[key]).__name__ for key in set(instances) - widgets] == []


def test_an_unknown_keyword_or_choice_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="did you mean 'methods'"):
        EvaluationPanel(method=MODEL, folder=tmp_path)
    with pytest.raises(ConfigError, match="torso"):
        EvaluationPanel(folder=tmp_path, normaliser="torsi")
    with pytest.raises(ConfigError, match="alpha"):
        EvaluationPanel(folder=tmp_path, alpha=0)


def test_the_folder_of_a_terminal_is_opened(tmp_path: Path, lab_data: Path) -> None:
    rendered = f"rendered={lab_data / 'rendered'}"
    checkpoint = tmp_path / "a+b" / "own.safetensors"  # a plus that begins no variant
    save_model(build_model("dkd-tiny", channels=8, input_size=128), checkpoint, {})
    spec = f"{checkpoint}+erased"
    assert main(["evaluate", MODEL, spec, "--data", rendered, "--frames", "2", "--out", str(tmp_path / "results")]) == 0
    again = EvaluationPanel(folder=tmp_path / "results", root=tmp_path)
    try:
        assert again.state == "finished" and again.form.request().methods == (MODEL, spec)
        assert again.form.request().sources == (rendered,)
        assert again.form.request().n_frames == 2 and len(Evaluation(tmp_path / "results").table())
    finally:
        again.close()


def test_without_data_there_is_no_drawing() -> None:
    plots = EvaluationPlots()
    plots.show(Figures())
    assert len(plots.figure.data) == 0 and still_plots(Figures()) == ""
    assert not len(digest(TABLE[:0], None, "box", 0.2).summary)
    plots.close()
