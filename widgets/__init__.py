"""Thin views of a :class:`dkd.Trace` in a notebook: ``Workbench(trace)`` has them all. ``TrainingPanel()`` trains."""

from widgets.cursor import Cursor
from widgets.kernels import Kernels
from widgets.matching import Matching
from widgets.player import Player
from widgets.timeline import Timeline
from widgets.training import TrainingPanel
from widgets.workbench import Workbench

__all__ = ["Cursor", "Kernels", "Matching", "Player", "Timeline", "TrainingPanel", "Workbench"]
