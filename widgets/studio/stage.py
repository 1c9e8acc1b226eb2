"""The stage: a player on which joints are dragged."""

from __future__ import annotations

from widgets.core.library import script
from widgets.core.view import View


class Stage(View):
    """The player of an :class:`~widgets.Editor`: its frames, with the tools for corrections. It is of no use alone."""

    _module = script("studio/stage.js")
