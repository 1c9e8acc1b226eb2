"""Views of a :class:`dkd.Trace` in a notebook: ``Workbench(trace)`` shows all of them.

``save_page(trace, "walk.html")`` writes them into one file to mail, and ``save_live_page("dkd.html")`` one in which the
model runs. ``Studio()`` opens a video of your own.
``TrainingPanel()`` trains models, ``EvaluationPanel()`` measures and compares them; ``Lesson`` and ``Question`` turn a
notebook into a lesson. Each is imported on first access: only the panels need plotly, which takes as long to import as
torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from widgets.anatomy.anatomy import Anatomy
    from widgets.coherence.debugger import CoherenceDebugger
    from widgets.core.cursor import Cursor
    from widgets.evaluation.panel import EvaluationPanel
    from widgets.joint_kernels.joint_kernels import JointKernels
    from widgets.laboratory.laboratory import Laboratory
    from widgets.lessons.lessons import Choice, Lesson, Number, Question
    from widgets.lineage.lineage import Lineage
    from widgets.live.live import LiveView
    from widgets.live_page.live_page import save_live_page
    from widgets.page.page import save_page
    from widgets.studio.editor import Editor
    from widgets.studio.studio import Studio
    from widgets.study.study_view import StudyView
    from widgets.training.panel import TrainingPanel
    from widgets.workbench.kernels import Kernels
    from widgets.workbench.matching import Matching
    from widgets.workbench.player import Player
    from widgets.workbench.timeline import Timeline
    from widgets.workbench.workbench import Workbench

_HOMES = {
    "widgets.anatomy.anatomy": ("Anatomy",),
    "widgets.coherence.debugger": ("CoherenceDebugger",),
    "widgets.core.cursor": ("Cursor",),
    "widgets.evaluation.panel": ("EvaluationPanel",),
    "widgets.joint_kernels.joint_kernels": ("JointKernels",),
    "widgets.laboratory.laboratory": ("Laboratory",),
    "widgets.lessons.lessons": ("Choice", "Lesson", "Number", "Question"),
    "widgets.lineage.lineage": ("Lineage",),
    "widgets.live.live": ("LiveView",),
    "widgets.live_page.live_page": ("save_live_page",),
    "widgets.page.page": ("save_page",),
    "widgets.studio.editor": ("Editor",),
    "widgets.studio.studio": ("Studio",),
    "widgets.study.study_view": ("StudyView",),
    "widgets.training.panel": ("TrainingPanel",),
    "widgets.workbench.kernels": ("Kernels",),
    "widgets.workbench.matching": ("Matching",),
    "widgets.workbench.player": ("Player",),
    "widgets.workbench.timeline": ("Timeline",),
    "widgets.workbench.workbench": ("Workbench",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Anatomy", "Choice", "CoherenceDebugger", "Cursor", "Editor", "EvaluationPanel", "JointKernels", "Kernels",
    "Laboratory", "Lesson", "Lineage", "LiveView", "Matching", "Number", "Player", "Question", "Studio",
    "StudyView", "Timeline", "TrainingPanel", "Workbench", "save_live_page", "save_page",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'widgets' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
