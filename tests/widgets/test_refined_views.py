"""Refined joints as a choice of the views, without a browser: the workbench's switch, the studio's, the live view."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import pytest

from dkd import Conditions, Live, Trace, load_model, load_poses
from dkd.cli.main import main
from dkd.errors import ConfigError
from dkd.io.paths import DEFAULT_MODEL
from dkd.models.base import VideoPoseModel
from dkd.video.clip import Clip
from dkd.video.ranges import ClipRange
from dkd.video.samples import get_sample
from tests.support.server import until
from widgets import LiveView, Studio, Workbench
from widgets.core.filmstrip import filmstrip_html
from widgets.core.wire import read_message, render_header
from widgets.live.live import render_seen
from widgets.page.about import facts_about

WALK = get_sample("rendered_walk")
BOX = (196.0, 64.0, 299.0, 356.0)
T = 6
NAMES = {True: "refined", False: "plain"}


@pytest.fixture(scope="module")
def model() -> VideoPoseModel:
    return load_model("dkd-mobilenetv2")


@pytest.fixture(scope="module")
def clip() -> Iterator[Clip]:
    with Clip(WALK.path) as opened:
        yield opened


@pytest.fixture(scope="module")
def traces(model: VideoPoseModel, clip: Clip) -> dict[bool, Trace]:
    part = ClipRange(clip, 0, T)
    return {on: Trace(model, part, WALK.box, Conditions(refine=on), progress=False) for on in (False, True)}


def test_the_switch_shows_the_other_run_and_keeps_it(traces: dict[bool, Trace]) -> None:
    bench = Workbench(traces[False], frame=3)
    assert not bench.refine and bench._can_refine and bench.trace is traces[False]
    bench.refine = True
    until(lambda: bench.trace is not traces[False])
    made = bench.trace
    np.testing.assert_array_equal(made.joints, traces[True].joints)
    np.testing.assert_array_equal(made.heatmaps, traces[False].heatmaps)
    assert bench.frame == 3 and bench.code().endswith(", refine=True)")
    until(lambda: bench._new_starts == "")
    bench.refine = False
    assert bench.trace is traces[False] and "refine" not in bench.code()
    bench.refine = True
    assert bench.trace is made
    bench.close()


def test_each_trace_is_shown_as_it_was_made_unless_told_otherwise(traces: dict[bool, Trace]) -> None:
    as_made, without = Workbench(traces[True]), Workbench(traces[True], refine=False)
    assert as_made.refine and as_made.trace is traces[True] and "refine" not in as_made.code()
    as_made.trace = traces[False]
    assert not as_made.refine and as_made.trace is traces[False]
    until(lambda: without.trace is not traces[True])
    np.testing.assert_array_equal(without.trace.joints, traces[False].joints)
    assert without.code().endswith(", refine=False)")
    for bench in (as_made, without):
        bench.close()


def test_a_trace_that_grows_can_be_refined(model: VideoPoseModel, clip: Clip, traces: dict[bool, Trace]) -> None:
    bench = Workbench.tracing(model, ClipRange(clip, 0, T), WALK.box, Conditions(refine=True))
    assert bench.refine
    np.testing.assert_array_equal(bench.wait().joints, traces[True].joints)
    bench.close()


def test_a_per_frame_model_has_no_switch(clip: Clip) -> None:
    trace = Trace("simple-baseline-mobilenetv2", ClipRange(clip, 0, 2), WALK.box, progress=False)
    bench = Workbench(trace)
    assert not bench._can_refine and not bench.refine
    bench.close()
    with pytest.raises(ConfigError, match="has no initializer beside it"):
        Workbench(trace, refine=True)


def test_headers_stills_and_pages_say_it(traces: dict[bool, Trace]) -> None:
    for on, trace in traces.items():
        assert read_message(*render_header(trace, 0))["refined"] is on
        assert ("joints refined by the initializer" in filmstrip_html(trace, "x")) is on
        assert ("refine=True" in dict(facts_about(trace))["settings"]) is on


def test_the_studio_tracks_saves_and_opens_refined_people(tmp_path: Path, traces: dict[bool, Trace]) -> None:
    video = Path(copyfile(WALK.path, tmp_path / "walk.mp4"))
    studio = Studio(video, model="dkd-mobilenetv2")
    studio.range = range(0, T)
    for on in (True, False):
        studio._hear(studio, {"type": "refine", "on": on}, [])
        assert studio._state["refine"] is on
        studio.add_person(WALK.box, name=NAMES[on])
        studio.track()
        assert studio.wait(60)
    found = studio.traces
    for on in (True, False):
        np.testing.assert_array_equal(found[NAMES[on]].joints, traces[on].joints)
    studio.add_person(BOX)  # who is not tracked yet
    studio.save()
    assert studio.wait(60) and studio.session is not None
    place = studio.session.path
    assert place is not None
    studio.close()
    saved = {one["name"]: one["refine"] for one in json.loads(place.read_text())["people"]}
    assert saved == {"refined": True, "plain": False, "person_1": False}
    again = Studio(place)
    assert again.wait(60) and again._project.warnings == ()
    assert again._state["refine"] and again._state["reinitialise"]
    for name, trace in found.items():
        np.testing.assert_array_equal(again.traces[name].joints, trace.joints)
    again.close()


def test_the_live_view_names_it_and_its_cost(model: VideoPoseModel, clip: Clip) -> None:
    frames = [(t / 30, clip.frame(t)) for t in range(3)]
    for on in (False, True):
        view = LiveView(model, iter(frames), WALK.box, Conditions(refine=on))
        assert view._about["refined"] is on
        assert ("joints refined by the initializer" in view.still_html()) is on
        live = Live(model, iter(frames), WALK.box, Conditions(refine=on), drop=False)
        with live:
            live.wait()
        assert live.latest is not None
        message: Any = read_message(*render_seen(live.latest, live, "head", 5.0))
        assert ("refine" in message["stages"]) is on and (message["refine_ms"] > 0) is on
        view.close()


def test_commands_offer_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    box = ",".join(f"{edge:g}" for edge in WALK.box)
    found = []
    for words in ([], ["--refine"]):
        out = tmp_path / f"o{len(words)}.slp"
        assert main(["track", str(WALK.path), "--box", box, "--stop", "4", "--out", str(out), *words]) == 0
        found.append(load_poses(out))
        assert ("13 joints, refined by the initializer: " in capsys.readouterr().out) is bool(words)
    assert [one.software for one in found] == [DEFAULT_MODEL, f"{DEFAULT_MODEL}+refined"]
    assert (found[0].xy[1:] != found[1].xy[1:]).any() and (found[0].xy[0] == found[1].xy[0]).all()
    assert main(["page", "--live", "-o", str(tmp_path / "p.html"), "--refine"]) == 2
    assert "--refine has no meaning with --live" in capsys.readouterr().err
    live = ["live", str(WALK.path), "--box", box, "--seconds", "0.5", "--refine"]
    assert main(live) == 0
    assert " + refine " in capsys.readouterr().err
