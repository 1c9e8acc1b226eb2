"""What an editor's page is told of people and their tracks, as messages that need no page to be tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from widgets.studio.edits import uncorrected
from widgets.studio.spliced import Spliced
from widgets.studio.version import Version


def shown_trace(version: Version) -> Any:
    """Return a trace of all frames of a version: where they are not traced again yet, they are the old ones."""
    if version.done or version.behind is None:
        return version.trace
    return Spliced(version.trace.in_progress(), version.behind, version.length)


def render_tracks(versions: Mapping[str, Version], selected: str) -> dict[str, Any]:
    """Return the tracks that are drawn over the feed's.

    Returns:
        ``people``: name and ``joints`` (T, J, 2) float32 of all but the selected person; ``uncorrected``: the selected
        person's joints before all corrections, if there are any.
    """
    others = [(name, one) for name, one in versions.items() if name != selected]
    people = [{"name": name, "joints": np.asarray(shown_trace(one).joints, np.float32)} for name, one in others]
    version = versions[selected]
    start = uncorrected(version.trace)
    if start is version.trace:
        return {"people": people}
    return {"people": people, "uncorrected": np.asarray(start.joints[: version.length], np.float32)}


def render_progress(versions: Mapping[str, Version], selected: str) -> dict[str, Any]:
    """Return how many frames of the selected person are ``traced``, ``of`` how many, and who is still ``busy``."""
    version = versions[selected]
    busy = [name for name, one in versions.items() if not one.done and not one.failed]
    return {"traced": min(version.trace.n_traced, version.length), "of": version.length, "busy": busy}
