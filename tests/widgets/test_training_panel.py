"""The training panel without a browser: its form, thinning of curves, display, and freed resources."""

from __future__ import annotations

import math
import re
import shlex
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd.cli.main import build_parser
from dkd.errors import ConfigError
from dkd.training.config import load_recipe
from dkd.training.record import Record
from dkd.training.run import Run
from dkd.training.runs import list_runs
from dkd.training.session import TrainingSession
from tests.support.server import until
from tests.widgets.test_page import contents_of, message, read, records_of
from widgets import TrainingPanel
from widgets.panels.panel import duration
from widgets.training.curves import CURVES, LIMIT, PLOTS, Curves, History, still_curves, thin
from widgets.training.form import FIELDS, ConfigForm, as_command, as_python, differences, lines_to_words
from widgets.training.panel import STATES, facts
from widgets.training.runs import runs_html

TINY = (
    "model.settings.input_size=128 model.settings.channels=8 model.settings.initializer=tiny batch=2 n_frames=2 "
    "model.pretrain=0 steps=12 snapshot_every=4 validate_every=6 data.validation_clips=2 data.validation_frames=4 "
    "machine.threads=1"
)


# ---- the form

WORDS = (
    ["steps=7"],
    ["optimiser.learning_rate=1e-5", "adversary.eta=0.1"],
    ["data.train=[penn_action, 'a folder, with a comma']", "data.shares=[3, 1]"],
    ["model.name=simple-baseline-tiny", "model.settings={}", "model.start=null"],
    ["model.settings.channels=16", "augment.rotation=0"],
)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("recipe", ["laptop", "paper"])
def test_the_lines_of_code_mean_the_same_settings(recipe: str, words: list[str]) -> None:
    """Run the code that the form shows: the Python line as Python, the shell line with the parser of ``dkd``."""
    config = load_recipe(recipe, words)
    said = differences(config, load_recipe(recipe))
    assert load_recipe(recipe, said) == config
    heard: list[object] = []
    exec(as_python(recipe, said, "runs/a b"), {"train": lambda *a: heard.extend(a), "load_recipe": load_recipe})
    assert heard == [config, "runs/a b"]
    program, *arguments = shlex.split(as_command(recipe, said, "runs/a b"))
    parsed = build_parser().parse_args(arguments)
    assert program == "dkd" and load_recipe(parsed.config, parsed.words) == config
    assert str(parsed.run) == "runs/a b"


def test_no_difference_is_no_word() -> None:
    base = load_recipe("laptop")
    assert differences(base, base) == []
    assert as_python("laptop", [], "runs/x") == 'train(load_recipe("laptop"), "runs/x")'
    assert as_command("laptop", [], "runs/x") == "dkd train --config laptop --run runs/x"


def test_lines_become_words() -> None:
    assert lines_to_words("\n steps=3 \n# a remark\n\nseed=1") == ["steps=3", "seed=1"]


@pytest.fixture
def form() -> Iterator[ConfigForm]:
    form = ConfigForm("laptop", "runs/x", [], lambda: None)
    yield form
    form.close()


def test_the_typed_settings_are_trained(form: ConfigForm) -> None:
    assert form.config() == load_recipe("laptop") and form.words() == []
    form.fields["steps"].value = 50
    form.fields["data.train"].value = "penn_action, lsp"
    form.more.value = "augment.rotation=10\n"
    assert form.config() == load_recipe("laptop", ["steps=50", "data.train=[penn_action, lsp]", "augment.rotation=10"])
    changed = {key for key, control in form.fields.items() if "dkd-changed" in control._dom_classes}
    assert changed == {"steps", "data.train"}
    assert "steps=50" in form.lines.value and "augment.rotation=10" in form.lines.value


def test_another_recipe_keeps_what_was_changed(form: ConfigForm) -> None:
    form.fields["steps"].value = 50
    form.recipe.value = "paper"
    assert form.config() == load_recipe("paper", ["steps=50"])
    form.recipe.value = "laptop"
    assert form.config() == load_recipe("laptop", ["steps=50"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("augment.rotatoin=1", "did you mean &#x27;rotation&#x27;"),
        ("nonsense", "expected key=value"),
        ("batch=0", "batch"),
    ],
)
def test_a_bad_setting_is_explained_and_keeps_the_settings(form: ConfigForm, line: str, message: str) -> None:
    form.fields["seed"].value = 4
    form.more.value = line
    assert 'role="alert"' in form.message.value and message in form.message.value
    assert (form.more.value, form.fields["seed"].value) == (line, 4)
    with pytest.raises(ConfigError):
        form.config()
    form.more.value = ""
    assert form.message.value == "" and form.config() == load_recipe("laptop", ["seed=4"])


def test_settings_can_be_typed_by_python(form: ConfigForm) -> None:
    form.set("steps=9", "augment.rotation=3")
    assert form.fields["steps"].value == 9 and form.more.value == "augment.rotation=3.0"
    with pytest.raises(ConfigError):
        form.set("steps=-1")
    assert form.fields["steps"].value == 9


def test_every_control_has_a_label_and_a_tooltip() -> None:
    assert len({field.label for field in FIELDS}) == len(FIELDS)
    assert all(field.label and field.tooltip and "\n" not in field.tooltip for field in FIELDS)


# ---- curves


@given(st.integers(0, 3000), st.integers(2, 60))
def test_thinning_keeps_ends_order_and_mean(count: int, limit: int) -> None:
    x = np.arange(count, dtype=float)
    kept_x, kept_y = thin(x, 3 * x + 1, limit)
    assert len(kept_x) == min(count, limit)
    np.testing.assert_allclose(kept_y, 3 * kept_x + 1)  # the mean of a line lies on it
    assert (np.diff(kept_x) > 0).all()
    if count:
        assert kept_x[-1] == count - 1


def test_thinning_leaves_out_unknown_values() -> None:
    x, y = thin(np.arange(6.0), np.array([np.nan, 1, np.nan, 3, np.inf, 5]))
    assert x.tolist() == [1, 3, 5] and y.tolist() == [1, 3, 5]


def record(step: int, **more: float) -> Record:
    return Record(step, 1 / step, {"pose": 1 / step}, 0.1, 1.0, 40.0, 0.25, dict(more))


def test_a_history_continues_from_the_log_and_goes_back_after_a_resume() -> None:
    log = pd.DataFrame([record(step).row() for step in range(1, 6)])
    history = History.from_log(log)
    history.extend([record(4), record(5, **{"pck@0.2": 0.5}), record(6)])  # the run was resumed from step 3
    assert history.columns["step"] == [1, 2, 3, 4, 5, 6]
    assert history.last("pck@0.2") == 0.5 and math.isnan(history.last("reliance"))
    assert history.curve("pose")[1].tolist() == [1 / step for step in range(1, 7)]
    assert {len(values) for values in history.columns.values()} == {6}


def test_curves_are_short_and_plots_of_an_adversary_come_with_one() -> None:
    history = History()
    history.extend(record(step) for step in range(1, 2001))
    curves = Curves()
    curves.show(history)
    assert len(curves.figure.data) == len(CURVES) and max(len(t.x) for t in curves.figure.data) == LIMIT
    alone = curves.figure.layout.height
    visible = [getattr(curves.figure.layout, f"xaxis{i + 1}").visible for i in range(len(PLOTS))]
    assert visible == [not plot.needs_adversary for plot in PLOTS]
    for column, value in {"real": 0.4, "fake": 0.2, "k": 0.01, "convergence": 0.4}.items():
        history.columns[column] = [value] * len(history)
    curves.show(history)
    assert curves.figure.layout.height > alone
    assert all(getattr(curves.figure.layout, f"xaxis{i + 1}").visible for i in range(len(PLOTS)))
    curves.compare({"other": history})
    assert {t.line.dash for t in curves.figure.data[len(CURVES) :]} == {"dash"}
    curves.compare({})
    assert len(curves.figure.data) == len(CURVES)
    # A reloaded page requests the whole state: it gets the current drawing, not the initial one.
    state = curves.figure.get_state()
    assert state["_widget_data"][0]["x"]["shape"] == (LIMIT,)
    curves.close()


def test_the_still_picture_is_self_contained() -> None:
    assert still_curves(History()) == ""
    history = History()
    history.extend(record(step, **{"pck@0.2": step / 20}) for step in range(1, 11))
    svg = still_curves(history)
    assert svg.count("<polyline") == 2 and "http" not in svg and "step 10" in svg


# ---- words and tables


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5300, "88 min"), (12000, "3 h 20 min")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_head_says_how_far_and_how_long() -> None:
    history = History()
    history.extend(record(step) for step in range(1, 11))
    config = load_recipe("laptop", ["steps=110", "batch=4", "n_frames=5"])  # 20 frames a step at 40 a second
    assert facts(history, config, True) == [
        ("step", "10 of 110"), ("frames/s", "40"), ("waiting for data", "25 %"), ("left", "50 s"), ("pose loss", "0.1"),
    ]  # fmt: skip
    assert facts(history, config, False) == [("step", "10 of 110"), ("pose loss", "0.1")]
    assert facts(history, None, False) == []


def test_the_table_of_runs_escapes_and_marks() -> None:
    table = pd.DataFrame(
        [{"run": "<b>", "model": "m", "status": "stopped", "step": 3, "steps": 9, "loss": math.nan, "folder": "runs/x"}]
    )
    shown = runs_html(table, "runs/x")
    assert "&lt;b&gt;" in shown and "<b>" not in shown and 'aria-current="true"' in shown and "–" in shown
    assert "No runs yet" in runs_html(table[:0])


# ---- the whole panel


@pytest.fixture
def make(tmp_path: Path, lab_data: Path) -> Iterator[Callable[..., TrainingPanel]]:
    panels: list[TrainingPanel] = []
    threads = torch.get_num_threads()

    def panel(name: str = "first", *words: str) -> TrainingPanel:
        people = [f"data.train=[rendered={lab_data / 'rendered'}]", f"data.validation=rendered={lab_data / 'rendered'}"]
        panels.append(TrainingPanel(tmp_path / name, words=[*TINY.split(), *people, *words]))
        return panels[-1]

    yield panel
    for made in panels:
        if made.session is not None:
            made.session.stop()
        made.close()
    torch.set_num_threads(threads)


def enabled(panel: TrainingPanel) -> tuple[bool, ...]:
    buttons = (panel.start_button, panel.pause_button, panel.step_button, panel.stop_button)
    return tuple(not button.disabled for button in buttons)


def test_a_run_from_the_first_click_to_the_end(make: Callable[..., TrainingPanel]) -> None:
    panel = make()
    assert panel.state == "new" and enabled(panel) == STATES["new"][1:5]
    assert "after step 4" in panel.views.message.value
    panel.count.value = 5
    panel.step_button.click()
    until(lambda: panel.history.columns["step"][-1:] == [5] and panel.views.first.shown == 4)
    assert panel.state == "paused" and enabled(panel) == STATES["paused"][1:5]
    assert panel.start_button.description == "Resume" and panel.form.fields["steps"].disabled
    bench = panel.views.first.bench
    assert bench is not None
    bench.frame, bench.joint, bench.layers = 2, "head", {"trails": True}
    bench.cursor.cell = (3, 4)
    panel.start_button.click()
    until(lambda: panel.state == "finished" and panel.views.first.shown == 12)
    assert panel.views.first.bench is bench and (bench.frame, bench.joint, bench.cursor.cell) == (2, "head", [3, 4])
    assert bench.layers["trails"] and panel.head._error == ""
    assert enabled(panel) == (False, False, False, False)
    assert list(panel.views.first.snapshots) == [4, 8, 12]
    late = bench.trace
    panel.views.first.slider.value = 4
    until(lambda: panel.views.first.shown == 4)
    assert not panel.views.follow.value
    assert not np.array_equal(bench.trace.heatmaps, late.heatmaps) and "step 4" in bench.trace.model_name
    panel.views.follow.value = True
    until(lambda: panel.views.first.shown == 12)
    assert bench.trace is late  # kept, not made again
    panel.views.comparing.value = True
    until(lambda: panel.views.second.shown == 4)
    assert panel.views.second.bench is not None and panel.views.second.bench.cursor is bench.cursor
    panel.views.person.value = 1
    until(lambda: bench.trace is not late)
    assert bench.trace.clip.name != late.clip.name
    still = panel.still_html()
    assert "finished, step 12" in still and still.count("<polyline") >= 2 and "data:image/jpeg" in still


def test_a_finished_run_is_a_page_with_all_its_steps(make: Callable[..., TrainingPanel], tmp_path: Path) -> None:
    panel = make()
    with pytest.raises(ConfigError, match="expected a run with snapshots, got none"):
        panel.to_html(tmp_path / "learning.html")
    panel.start_button.click()
    until(lambda: panel.state == "finished" and panel.views.first.shown == 12)
    saved = panel.to_html(tmp_path / "learning.html", caption="It learns.")
    reader = read(saved.path)
    contents = contents_of(reader)
    assert [person["name"] for person in contents["people"]] == ["step 4", "step 8", "step 12"]
    assert contents["arrange"] == "steps" and contents["caption"] == "It learns."
    assert panel.views.first.bench is not None
    last = panel.views.first.bench.trace
    assert np.array_equal(message(reader, contents["people"][2]["header"])["tracks"], np.float32(last.joints))
    assert len(last) == len(records_of(reader, 0)) == 4  # the panel's own trace is still open
    assert "step 8" in dict(contents["people"][1]["facts"])["model"]
    few = panel.to_html(tmp_path / "few.html", steps=[12, 4])
    assert [person["name"] for person in contents_of(read(few.path))["people"]] == ["step 4", "step 12"]
    with pytest.raises(ConfigError, match="there is no snapshot of step 5. There are: 4, 8, 12"):
        panel.to_html(tmp_path / "none.html", steps=[5])
    with pytest.raises(ConfigError, match="or fewer steps"):
        panel.to_html(tmp_path / "none.html", max_mb=0.2)
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["few.html", "learning.html"]


def test_an_error_of_the_run_is_shown_and_can_be_mended(make: Callable[..., TrainingPanel], tmp_path: Path) -> None:
    panel = make("second", f"data.train=['{tmp_path / 'nowhere'}']")
    panel.start_button.click()
    until(lambda: panel.state == "failed" and panel.head._error)
    assert "nowhere" in panel.head._error
    assert not panel.form.fields["steps"].disabled and not panel.run.info_file.exists()
    panel.form.fields["data.train"].value = panel.form.fields["data.validation"].value
    panel.start_button.click()
    until(lambda: panel.state == "finished")
    assert panel.head._error == "" and len(panel.history) == 12


def test_an_error_in_a_callback_is_shown(make: Callable[..., TrainingPanel]) -> None:
    panel = make()
    panel.runs.refresh_button.click()
    assert panel.head._error == ""
    panel.form.more.value = "stepps=3"
    panel.start_button.click()
    assert re.search("did you mean 'steps'", panel.head._error) and panel.state == "new"


def test_the_panel_finds_an_active_session_and_a_stopped_run_again(make: Callable[..., TrainingPanel]) -> None:
    panel = make()
    panel.step_button.click()
    until(lambda: len(panel.history) == 1)
    session = panel.session
    again = make()  # the cell is run again, perhaps with a form that says something else
    assert panel._is_closed and again.session is session and again.state == "paused"
    until(lambda: len(again.history) == 1)
    again.stop_button.click()
    until(lambda: again.state == "stopped")
    third = make("first", "steps=99")
    assert third.session is None and third.state == "stopped" and third.start_button.description == "Resume"
    assert third.form.fields["steps"].value == 12 and third.form.fields["steps"].disabled  # the run's own settings
    assert len(third.history) == 1
    third.form.folder.value = str(third.run.folder.with_name("new"))
    assert third.state == "new" and not third.form.fields["steps"].disabled


def test_other_runs_are_drawn_opened_and_compared(make: Callable[..., TrainingPanel], tmp_path: Path) -> None:
    other = make("other")
    other.start_button.click()
    until(lambda: other.state == "finished")
    panel = make("mine")
    assert list_runs(tmp_path)["run"].tolist() == ["other"]
    panel.runs.pick.value = (str(tmp_path / "other"),)
    assert any(trace.line.dash == "dash" and len(trace.x) == 12 for trace in panel.curves.figure.data)
    panel.runs.open_button.click()
    assert panel.run.folder == Run(tmp_path / "other").folder and panel.state == "finished"
    until(lambda: panel.views.first.shown == 12)
    panel.runs.compare_button.click()
    until(lambda: panel.views.second.shown == 4)
    assert panel.head._error == ""


def test_closing_frees_everything_and_the_run_continues(make: Callable[..., TrainingPanel]) -> None:
    before = set(ipywidgets.widgets.widget._instances)
    panel = make("free", "steps=100000")
    panel.start_button.click()
    until(lambda: panel.views.first.shown)
    session = panel.session
    assert isinstance(session, TrainingSession)
    panel.close()
    panel.close()
    assert set(ipywidgets.widgets.widget._instances) == before
    assert session._listeners == [] and session.state == "running"
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {"training panel", "traces of snapshots"}
    done = session.steps_done
    until(lambda: session.steps_done > done)


def test_an_unknown_keyword_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="did you mean 'recipe'"):
        TrainingPanel(tmp_path / "x", recpie="laptop")
    with pytest.raises(ConfigError, match="there is no recipe"):
        TrainingPanel(tmp_path / "x", recipe="lapdog")
