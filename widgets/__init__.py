"""Thin views of a :class:`dkd.Trace` in a notebook: ``Workbench(trace)`` has them all.

``TrainingPanel()`` trains, ``EvaluationPanel()`` measures and compares.
"""

from widgets.anatomy import Anatomy
from widgets.cursor import Cursor
from widgets.evaluation import EvaluationPanel
from widgets.kernels import Kernels
from widgets.lineage import Lineage
from widgets.matching import Matching
from widgets.player import Player
from widgets.timeline import Timeline
from widgets.training import TrainingPanel
from widgets.workbench import Workbench

__all__ = [
    "Anatomy", "Cursor", "EvaluationPanel", "Kernels", "Lineage", "Matching", "Player", "Timeline", "TrainingPanel",
    "Workbench",
]  # fmt: skip
