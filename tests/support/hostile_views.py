"""Views whose names all look like markup, each made in the kernel of a notebook; see test_names_browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from dkd import Clip, Study, Trace, evaluate
from dkd.evaluation.methods import Method
from dkd.models.registry import build_model
from dkd.pose.skeleton import Skeleton
from dkd.training.run import Run
from dkd.video.samples import get_sample
from tests.analysis.test_diagnosis import broken_trace
from tests.support.dotted_people import dotted_person, quick
from tests.support.fake_trace import FakeTrace
from tests.support.joint_kernels import joints_model, joints_trace
from tests.support.many_clips import many_clips
from tests.support.small_laboratory import BOX, small_trace
from widgets import (
    Anatomy,
    CoherenceDebugger,
    Editor,
    EvaluationPanel,
    JointKernels,
    Laboratory,
    Lineage,
    LiveView,
    Studio,
    StudyView,
    TrainingPanel,
    Workbench,
)

# Harmless, but seen if a browser, MathJax, Markdown or a table takes them for more than text.
PROBES = ["<b class=probe>x</b>", "$a_b$ and \\(c\\)", "a | b", "=1+1", "<img class=probe>", "&lt;b&gt;",
          "`code` **x**", "[a](b)", "\"double\" 'single'", "שלום عالم", "long " * 40, "two\nlines",
          "$$d$$"]  # fmt: skip
NAME, MATH = PROBES[0], "$a_b$ <b class=probe>x</b>"
FILE = "$a_b$ <b class=probe>x"  # no slash, which no file can have in its name


def _skeleton(joints: Any, limbs: Any) -> Skeleton:
    names = tuple(f"{PROBES[i % len(PROBES)]} {i}" for i in range(len(joints)))
    return Skeleton(NAME, names, tuple((names[a], names[b]) for a, b in limbs))


def named(trace: Any) -> Any:
    """Give a trace's joints, model, clip and ground truth hostile names."""
    trace.skeleton = _skeleton(trace.skeleton.joints, trace.skeleton.limb_indices)
    trace.model_name = trace.clip.name = MATH
    trace.ground_truth_kind = MATH
    return trace


def _really_traced() -> Trace:
    """A run of a model that has the names from the start, so that runs made from it have them, too."""
    model = small_trace(stop=1).model
    model.skeleton, model.name = _skeleton(model.skeleton.joints, model.skeleton.limb_indices), MATH
    trace = Trace(model, Clip(get_sample("rendered_walk").path), BOX, progress=False, stop=4)
    trace.clip.name = MATH  # type: ignore[misc]
    return trace


def _model() -> Any:
    return build_model("dkd-tiny", channels=8, input_size=128).eval()


def _video(folder: Path) -> Path:
    return Path(shutil.copyfile(get_sample("rendered_walk").path, folder / f"{FILE}.mp4"))


def workbench(folder: Path) -> Any:
    return Workbench(named(FakeTrace(calibrated=True)), frame=20)


def debugger(folder: Path) -> Any:
    return CoherenceDebugger(named(broken_trace()))


def laboratory(folder: Path) -> Any:
    trace = _really_traced()
    view = Laboratory(trace)
    view.apply("swap_readouts", *trace.skeleton.joints[:2])
    view.wait()
    return view


def lineage(folder: Path) -> Any:
    view = Lineage(named(FakeTrace()))
    view.reliance = True
    return view


def anatomy(folder: Path) -> Any:
    view = Anatomy(_really_traced())
    view.frame = 2
    return view


def joint_kernels(folder: Path) -> Any:
    model = joints_model()
    model.skeleton, model.name = _skeleton(model.skeleton.joints, model.skeleton.limb_indices), MATH
    view = JointKernels(joints_trace(4, model))
    view.frame, view.joint = 2, model.skeleton.joints[4]
    return view


def editor(folder: Path) -> Any:
    view = Editor(_really_traced(), bookmarks=[{"frame": 1, "note": MATH}, {"frame": 2, "note": "\n".join(PROBES)}])
    view.wait()
    return view


def studio(folder: Path) -> Any:
    view = Studio(_video(folder))
    view.range = range(3)
    view.add_person(BOX)
    view.track()
    view.wait()
    return view


def live(folder: Path) -> Any:
    model = _model()
    model.skeleton, model.name = _skeleton(model.skeleton.joints, model.skeleton.limb_indices), MATH
    view = LiveView(model, _video(folder), BOX, engine="torch")
    view.start()
    assert view.live is not None
    view.live.join()
    return view


def study(folder: Path) -> Any:
    made: Study = many_clips(folder, 8, person=MATH, group=MATH, stem=FILE)
    view = StudyView(made)
    view.open_clip(made.clips()["name"][0])
    view.wait()
    return view


def training(folder: Path) -> Any:
    for name in (FILE, "&lt;i&gt; =1+1", "[a](b) `c` **d**"):
        run = Run(folder / name)
        run.open(quick())
        run.append_log({"step": 1, "loss": 0.5, "pose": 0.5})
        run.close()
    return TrainingPanel(folder / FILE, root=folder)


def evaluation(folder: Path) -> Any:
    # Measures find joints by name: these stay.
    people = {MATH: [dotted_person(0, 4)], "=1+1 [a](b)": [dotted_person(1, 4)]}
    for i, one in enumerate(people.values()):
        object.__setattr__(one[0], "name", f"{NAME} {i}")
        object.__setattr__(one[0], "action", MATH)
    methods = [Method(f"{MATH} {i}", _model()) for i in range(2)]
    for _ in evaluate(methods, list(people), folder / "results", people=people):
        pass
    run = Run(folder / FILE)  # a finished one is offered as a method
    run.open(quick())
    run.save_result(build_model("dkd-tiny", channels=8, input_size=128), 1, {})
    run.close()
    return EvaluationPanel(folder=folder / "results", root=folder)


VIEWS = {one.__name__: one for one in (
    workbench, debugger, laboratory, lineage, anatomy, joint_kernels, editor, studio, live, study, training, evaluation,
)}  # fmt: skip


def make(name: str, folder: str) -> Any:
    """Make a view; what it needs is written into the folder."""
    return VIEWS[name](Path(folder))
