"""Thin views of a :class:`dkd.Trace` in a notebook: ``Workbench(trace)`` has them all.

``TrainingPanel()`` trains, ``EvaluationPanel()`` measures and compares; ``Lesson`` and ``Question`` make a notebook
a lesson.
"""

from widgets.anatomy import Anatomy
from widgets.cursor import Cursor
from widgets.debugger import CoherenceDebugger
from widgets.evaluation import EvaluationPanel
from widgets.kernels import Kernels
from widgets.laboratory import Laboratory
from widgets.lessons import Choice, Lesson, Number, Question
from widgets.lineage import Lineage
from widgets.matching import Matching
from widgets.player import Player
from widgets.timeline import Timeline
from widgets.training import TrainingPanel
from widgets.workbench import Workbench

__all__ = [
    "Anatomy", "Choice", "CoherenceDebugger", "Cursor", "EvaluationPanel", "Kernels", "Laboratory", "Lesson",
    "Lineage", "Matching", "Number", "Player", "Question", "Timeline", "TrainingPanel", "Workbench",
]  # fmt: skip
