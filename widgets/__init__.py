"""Views of a :class:`dkd.Trace` in a notebook: ``Workbench(trace)`` shows all of them.

``TrainingPanel()`` trains models, ``EvaluationPanel()`` measures and compares them; ``Lesson`` and ``Question`` turn a
notebook into a lesson.
"""

from widgets.anatomy.anatomy import Anatomy
from widgets.coherence.debugger import CoherenceDebugger
from widgets.core.cursor import Cursor
from widgets.evaluation.panel import EvaluationPanel
from widgets.laboratory.laboratory import Laboratory
from widgets.lessons.lessons import Choice, Lesson, Number, Question
from widgets.lineage.lineage import Lineage
from widgets.training.panel import TrainingPanel
from widgets.workbench.kernels import Kernels
from widgets.workbench.matching import Matching
from widgets.workbench.player import Player
from widgets.workbench.timeline import Timeline
from widgets.workbench.workbench import Workbench

__all__ = [
    "Anatomy", "Choice", "CoherenceDebugger", "Cursor", "EvaluationPanel", "Kernels", "Laboratory", "Lesson",
    "Lineage", "Matching", "Number", "Player", "Question", "Timeline", "TrainingPanel", "Workbench",
]  # fmt: skip
