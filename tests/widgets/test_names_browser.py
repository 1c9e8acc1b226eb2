"""Names that look like markup, in every live view: they are shown as they are, and nothing is made of them.

``SHOWN`` lists which view is probed with the names of what. Exports, tables, reports and pages that need no browser are
in ``tests/io/test_escaping.py``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dkd import get_sample
from tests.conftest import ROOT
from tests.support.browser import Lab, at_rest, opened, python, screenshot
from tests.support.fake_trace import FakeTrace
from tests.support.hostile_names import FILE, hostile, renamed
from tests.support.server import PATIENCE_S, until
from widgets import save_page

HEAD = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
import torch
torch.set_num_threads(1)
from tests.support.hostile_names import FILE, hostile, renamed
"""
FAKES = f"""{HEAD}
from tests.analysis.test_diagnosis import broken_trace
from tests.support.fake_trace import FakeTrace
from widgets import Anatomy, CoherenceDebugger, Lineage, Workbench"""
REAL = f"""{HEAD}
from pathlib import Path
from dkd import Clip, Trace, build_model
from dkd.pose.skeleton import SKELETONS
from dkd.video.samples import get_sample
from tests.support.hostile_names import hostile_skeleton
from tests.support.many_clips import many_clips
from widgets import Editor, Laboratory, LiveView, Studio, StudyView
SKELETONS["probe"] = hostile_skeleton(SKELETONS["penn_action"])
torch.manual_seed(0)
model = build_model("dkd-tiny", "probe", channels=8, input_size=128).eval()
model.name = hostile("model")
folder = Path(FOLDER)
box = (220.0, 60.0, 440.0, 440.0)
def trace():
    made = Trace(model, Clip(folder / f"{{FILE}}.mp4"), box, engine="torch", progress=False, stop=4)
    return made"""
PANELS = f"""{HEAD}
from dkd.evaluation.run import evaluate
from dkd.models.checkpoints import save_model
from dkd import build_model
from dkd.training.run import Run
from tests.support.dotted_people import dotted_person, quick
from pathlib import Path
from dataclasses import replace
from widgets import EvaluationPanel, TrainingPanel
folder = Path(FOLDER)
run = Run(folder / FILE)
run.open(quick("steps=2"))
run.append_log({{"step": 1, "loss": 0.5}})
run.close()
save_model(build_model("dkd-tiny", channels=8, input_size=128), folder / f"{{FILE}}.safetensors", {{}})
people = [replace(dotted_person(i, 3), name=hostile(f"video {{i}}"), labels=hostile("labels")) for i in range(2)]
list(evaluate([str(folder / f"{{FILE}}.safetensors")], [hostile("data")], folder / "eval",
    people={{hostile("data"): people}}))"""
# Each view: its setup, its cell, where it is on the page, and the kinds of names that it must show as they are.
JOINTS = ("head", "left_wrist")
SHOWN: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "workbench": (FAKES, "Workbench(renamed(FakeTrace()), frame=20)", ".dkd-workbench",
                  (*map(hostile, JOINTS), hostile("model"), hostile("clip"), hostile("truth"))),
    "debugger": (FAKES, "CoherenceDebugger(renamed(broken_trace()))", ".dkd-debugger",
                 (hostile("head"), hostile("model"), hostile("clip"))),
    "lineage": (FAKES, "Lineage(renamed(FakeTrace()), other=renamed(FakeTrace(), ' 2'))", ".dkd-lineage",
                (hostile("head"), hostile("model 2"))),
    "anatomy": (FAKES, "Anatomy(renamed(FakeTrace(8)))", ".dkd-anatomy", tuple(map(hostile, JOINTS))),
    "laboratory": (REAL, "Laboratory(trace())", ".dkd-laboratory", tuple(map(hostile, JOINTS))),
    "editor": (REAL, "Editor({hostile('anna'): trace()}, bookmarks=[{'frame': 2, 'note': hostile('mark')}])",
               ".dkd-editor", (*map(hostile, JOINTS), hostile("anna"), hostile("mark"), hostile("model"), FILE)),
    "live": (REAL, "LiveView(model, folder / f'{FILE}.mp4', box)", ".dkd-live",
             (*map(hostile, JOINTS), hostile("model"), FILE)),
    "studio": (REAL, "Studio(folder / f'{FILE}.mp4', model=model)", ".dkd-studio", (FILE,)),
    "study": (REAL, "StudyView(many_clips(folder, 4, hostile('person'), hostile('group'), FILE))", ".dkd-study",
              (hostile("person 1"), hostile("group"), FILE)),
    "training": (PANELS, "TrainingPanel(folder / 'other', root=folder)", ".dkd-training", (FILE,)),
    "evaluation": (PANELS, "EvaluationPanel(folder=folder / 'eval')", ".dkd-evaluation",
                   (FILE, hostile("data"), hostile("labels"), hostile("video 1"))),
}  # fmt: skip
# Everything that is written in a view, also in tooltips, fields and for screen readers, with single spaces.
TEXTS = """(view) => [view, ...view.querySelectorAll('*')]
    .map((e) => `${e.title ?? ''} ${e.ariaLabel ?? ''} ${e.value ?? ''} ${e.textContent}`)
    .join(' ').replace(/\\s+/g, ' ')"""
MARKUP = ".jp-OutputArea .probe, .jp-OutputArea mjx-container, .jp-OutputArea .MathJax"


@pytest.mark.parametrize("setup", [FAKES, REAL, PANELS], ids=["fakes", "real", "panels"])
def test_names_are_shown_as_they_are(lab_window: Page, jupyter_lab: Lab, setup: str, tmp_path: Path) -> None:
    shutil.copy(get_sample("rendered_walk").path, tmp_path / f"{FILE}.mp4")
    here = {name: row for name, row in SHOWN.items() if row[0] == setup}
    cells = [f"view_{name} = {row[1]}\nview_{name}" for name, row in here.items()]
    setup = setup.replace("FOLDER", repr(str(tmp_path)))
    with opened(lab_window, jupyter_lab, f"names_{len(here)}.ipynb", setup, *cells, height=2200) as page:
        for name, (_, _, place, names) in here.items():
            view = page.locator(place).first
            view.scroll_into_view_if_needed()
            expect(view).to_contain_text(names[-1].split()[-1])
            missing: list[str] = []

            def all_there(view=view, names=names, missing=missing) -> bool:
                text = view.evaluate(TEXTS)
                missing[:] = [one for one in names if one not in text]
                return not missing

            try:
                until(all_there)
            except AssertionError:
                raise AssertionError(f"{name} does not show {missing}") from None
            at_rest(page)
            screenshot(page, f"names_{name}")
            assert page.locator(MARKUP).count() == 0, name
        python(page, "None")


def test_a_page_shows_names_as_they_are(browser: Browser, tmp_path: Path) -> None:
    trace = renamed(FakeTrace(8))
    save_page({hostile("anna"): trace}, tmp_path / "a.html", caption=hostile("caption"), licence=hostile("licence"),
              bookmarks=[{"frame": 2, "note": hostile("mark")}])  # fmt: skip
    context = browser.new_context(viewport={"width": 1500, "height": 950})
    context.set_default_timeout(PATIENCE_S * 1e3)
    page = context.new_page()
    page.goto((tmp_path / "a.html").as_uri())
    until(lambda: bool(page.evaluate("() => document.querySelector('.dkd-workbench')?.dkd?.store.shown != null")))
    text = page.locator("body").evaluate(TEXTS)
    kinds = ("anna", "caption", "licence", "mark", "model", "clip", *JOINTS)
    assert [kind for kind in kinds if hostile(kind) not in text] == []
    assert page.locator(".probe").count() == 0
    screenshot(page, "names_page")
    context.close()
