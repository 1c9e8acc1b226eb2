"""The studio: from a video of one's own to a corrected, saved track, on one page."""

from __future__ import annotations

import html
import logging
import os
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from dkd.analysis.identity import same_person
from dkd.errors import ConfigError, VideoMovedError
from dkd.io.paths import DEFAULT_MODEL, as_path
from dkd.models.base import VideoPoseModel
from dkd.sessions.opening import find_video
from dkd.sessions.session import ENDING, Session
from dkd.tracking.tables import FORMATS
from dkd.video.protocols import mean_rate, rate_text
from widgets.core.filmstrip import display_with_still, filmstrip_html
from widgets.core.library import ModuleWidget, script
from widgets.core.view import unknown_keyword
from widgets.core.wire import write_message
from widgets.exports.exports import menu
from widgets.studio.bench import Bench
from widgets.studio.persons import Person
from widgets.studio.pictures import Pictures, encode, facts
from widgets.studio.project import Project
from widgets.studio.requests import Requests, as_sentence
from widgets.studio.saving import Saver, earlier_session
from widgets.studio.tracking import judge
from widgets.studio.uploads import Uploads

_log = logging.getLogger(__name__)
_KEYWORDS = ("model", "session")
LIVE_HEIGHT = 480  # pixels of the picture that is shown while a person is tracked


class Studio(Requests, ModuleWidget):
    """Opens a video, tracks the people in it, and lets one correct and save the tracks; all on one page.

    Without arguments the page asks for a video: a path, a file that is dropped or chosen, a recording of the webcam, or
    a sample. Everything that the page does can be done in Python, too:

        studio = Studio("clip.mp4")
        studio.add_person((385, 375, 770, 1140), frame=0)
        studio.track()
        studio.wait()
        studio.traces["person_1"].joints  # (T, J, 2)

    Args:
        video: path of a video, of a folder with images, a pattern of image names (``"im_%05d.png"``), or of a session
            (``"clip.dkd.json"``), whose people are then tracked again with all corrections.
        model: a model, the name of a shipped one, or the path of a checkpoint.
        session: where to save; by default next to the video, ``clip.dkd.json`` for ``clip.mp4``. An existing session is
            opened: then ``video`` says where the video is now.

    Raises:
        VideoError: the video cannot be used.
        SessionError: the session cannot be used.
        TypeError: a keyword is unknown; the nearest one is given.
    """

    _module = script("studio/studio.js")
    _clip = traitlets.Dict().tag(sync=True)
    _state = traitlets.Dict().tag(sync=True)
    _editor = anywidget.WidgetTrait().tag(sync=True)
    _export_menu = traitlets.Dict(menu()).tag(sync=True)
    _error = traitlets.Unicode("").tag(sync=True)
    _filmstrip = traitlets.Unicode().tag(sync=True)
    _closed = True  # until it is complete: ipywidgets also closes incomplete widgets when they are deleted

    def __init__(
        self,
        video: str | os.PathLike[str] | None = None,
        *,
        model: VideoPoseModel | str | os.PathLike[str] = DEFAULT_MODEL,
        session: str | os.PathLike[str] | None = None,
        **unknown: Any,
    ):
        if unknown:
            raise unknown_keyword("Studio", next(iter(unknown)), _KEYWORDS)
        saves_at = None if session is None else Path(os.path.expanduser(os.fspath(session)))
        self._project = Project(model, self._changed, self._show_traced)
        self._pictures = Pictures(self.send, lambda kind, error: _log.info("no %s: %s", kind, error))
        self._uploads = Uploads()
        self._saver = Saver(self._publish, saves_at)
        self._shown_generation = -1
        self._opening = self._moved = self._earlier = ""
        self._reopening: Session | None = None  # a session whose video is to be opened
        self._still: Any = None
        self._keeping = threading.RLock()
        self._content: Any = None  # of the project, when it was last looked at
        self._bench = Bench(self._show_editor, self._on_correction)
        super().__init__(_filmstrip=f"dkd-{uuid.uuid4().hex[:12]}")
        self._closed = False
        self._publish()
        self.on_msg(self._hear)
        if saves_at is not None and saves_at.exists():
            self.open_session(saves_at, video)
        elif video is not None:
            self.open_video(video)

    # --- Python -------------------------------------------------------------------------------------------------------

    @property
    def video(self) -> Path | None:
        """Path of the open video, ``None`` without one."""
        return self._project.path

    @property
    def range(self) -> range:
        """Chosen frames, in numbers of the video. Set it to ``range(start, stop)`` to choose others."""
        return range(self._project.start, self._project.stop)

    @range.setter
    def range(self, frames: range) -> None:
        if not isinstance(frames, range) or frames.step != 1:
            raise ConfigError(f"expected frames such as range(30, 90), got {frames!r}")
        self._project.set_range(frames.start, frames.stop)

    @property
    def people(self) -> tuple[str, ...]:
        """Names of the people."""
        return tuple(person.name for person in self._project.people)

    @property
    def traces(self) -> dict[str, Any]:
        """The trace of each person who was tracked, with all corrections, by name."""
        return self._bench.traces

    def open_video(self, video: str | os.PathLike[str]) -> None:
        """Open a video, a folder of images, a pattern of image names, or a session; what was open is closed.

        Raises:
            VideoError, SessionError: it cannot be used.
        """
        if os.fspath(video):  # an empty one is refused as no video
            as_path(video, "a video")
        if os.fspath(video).endswith(ENDING):
            self.open_session(video)
            return
        earlier = earlier_session(Path(os.path.expanduser(os.fspath(video))))
        self._project.open(video, lambda: self._begin(None, "" if earlier is None else str(earlier)))

    def _begin(self, session: Session | None, earlier: str = "") -> None:
        """Leave what was open, once it is sure that the next video can be opened."""
        self._bench.close()
        self._saver.begin(session)
        self._reopening, self._moved, self._earlier = None, "", earlier

    def open_session(self, session: str | os.PathLike[str], video: str | os.PathLike[str] | None = None) -> None:
        """Open a session: its people are tracked again, with all corrections, in a thread; see :meth:`wait`.

        Args:
            session: path of the session.
            video: the video, if it was moved.

        Raises:
            SessionError: it is not a session, or damaged.
            VideoMovedError: the video is not where the session says; the page asks for it, too.
            VideoError: the video cannot be used.
        """
        loaded = Session.load(os.path.expanduser(os.fspath(session)))
        self._reopening = loaded
        try:
            place = find_video(loaded, video)
        except VideoMovedError as error:
            self._moved = f"The video of this session is not at {' nor at '.join(map(str, error.looked))}."
            self._publish()
            raise
        loaded.video = replace(loaded.video, path=os.path.abspath(place))
        self._project.open_session(loaded, place, lambda: self._begin(loaded))

    def add_person(
        self,
        box: Sequence[float] | None,
        frame: int | None = None,
        name: str | None = None,
        colour: str | None = None,
    ) -> str:
        """Add a person.

        Args:
            box: (x0, y0, x1, y1) in pixels of the frame; ``None``: the model searches the whole frame.
            frame: number of that frame in the video; by default the first of the range.
            name: name of the person; by default ``"person_1"`` and so on.
            colour: ``"#rrggbb"``.

        Returns:
            The name.
        """
        return self._project.add_person(box, self._project.start if frame is None else frame, name, colour).name

    def remove_person(self, name: str) -> None:
        """Remove a person with the track."""
        self._project.remove_person(name)

    def find_people(self, frame: int | None = None) -> None:
        """Look for people in a frame, in a thread; the page shows them as proposals."""
        self._project.find(self._project.start if frame is None else frame)

    def track(self) -> None:
        """Track everybody who has no track yet, in a thread; see :meth:`wait`.

        Raises:
            ConfigError: there is nobody, or a box is in a frame outside the range.
        """
        self._project.track()

    def stop(self) -> None:
        """Stop tracking; the frames that were tracked are kept."""
        self._project.stop_tracking()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all work is done and saved, at most ``timeout`` seconds for each; return whether it is."""
        editor = self._bench.editor
        traced = self._project.worker.wait(timeout) and (editor is None or editor.wait(timeout))
        return traced and self._saver.wait(timeout)

    @property
    def session(self) -> Session | None:
        """The session that was saved last, ``None`` before. Its ``path`` is the file."""
        return self._saver.session

    def save(self, path: str | os.PathLike[str] | None = None) -> None:
        """Save the session now, in a thread; it is also saved after each change once there is a track.

        Args:
            path: where, from now on; the name ends in ``.dkd.json``.

        Raises:
            ConfigError: no video is open, or the name has another ending.
        """
        if path is not None:
            self._saver.save_elsewhere(Path(os.path.expanduser(os.fspath(path))))
        project, editor = self._project, self._bench.editor
        clip = project.need_clip()
        self._saver.save(
            clip, project.model(), self.range, list(project.people), project.conditions, self.traces,
            self._bench.calls, bookmarks=() if editor is None else editor.bookmarks, view=self._view(),
        )  # fmt: skip

    def save_joints(self, ending: str = ".csv") -> None:
        """Write the joints as a table next to the session, in a thread; no file is replaced.

        Raises:
            ConfigError: nobody was tracked, or the ending is unknown.
        """
        if not self.traces:
            raise ConfigError("expected a tracked person, got none; track somebody first: studio.track()")
        self._saver.export(self.traces, ending, self._project.start, self._project.clip)

    def _view(self) -> dict[str, Any]:
        editor = self._bench.editor
        if editor is None:
            return {}
        return {"frame": editor.frame, "joint": editor.joint, "layers": dict(editor.layers), "person": editor.person}

    def close(self) -> None:
        """Free the page, the editor and the clip. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self.on_msg(self._hear, remove=True)
        self._pictures.close()
        self._uploads.close()
        self._saver.close()
        self._bench.close()
        self._project.close()
        super().close()

    # --- to the page --------------------------------------------------------------------------------------------------

    def _publish(self) -> None:
        """Bring the page up to date. Called from any thread."""
        project = self._project
        if self._closed:
            return
        with project.lock:
            if project.generation != self._shown_generation:
                self._shown_generation = project.generation
                self._pictures.show(project.clip, project.generation)
                self._clip = {} if project.clip is None else render_clip(project.clip, project.path, project.generation)
            self._state = {
                "opening": self._opening,
                "range": [project.start, project.stop],
                "range_note": project.range_note,
                "people": [person.to_page() for person in project.people],
                "proposals": project.proposals,
                "proposed_in": project.proposed_in,
                "finding": project.worker.is_busy("find"),
                "tracking": project.worker.is_busy("track"),
                "reinitialise": project.conditions.reinitialise is not None,
                "refine": project.conditions.refine,
                "problems": {place: as_sentence(text) for place, text in project.problems.items()},
                "same": project.same,
                "warnings": list(project.warnings),
                "moved": self._moved,
                "earlier": self._earlier,
                "saved": dict(self._saver.saved),
                "joints": dict(self._saver.joints),
                "formats": sorted(FORMATS),
                "exporting": self._saver.exports.state,
            }

    def _changed(self) -> None:
        """Called after each change of the project, from any thread."""
        if not self._closed:
            self._publish()
            self._keep_up()

    def _on_correction(self) -> None:
        """After a correction, save, and say how good the tracks are now, and whether two are on one person."""
        project, finished = self._project, self._bench.finished
        with project.lock:
            for person in project.people:
                if person.name in finished:
                    judge(person, finished[person.name], project.start)
            project.same = same_sentences(self.traces, project.start)
        self._publish()
        self.save()

    def _show_traced(self, person: Person, trace: Any, frame: int) -> None:
        """Show a frame that was just tracked. Called in the thread that tracks."""
        clip = trace.clip
        content = {
            "type": "traced",
            "key": person.key,
            "frame": frame + self._project.start,
            "joints": np.asarray(trace.partial_joints[frame], np.float32),
            "limbs": [list(pair) for pair in trace.skeleton.limb_indices],
            "jpeg": encode(clip.frame(frame), LIVE_HEIGHT, float(getattr(clip, "pixel_aspect", 1))),
        }
        self.send(*write_message(content))

    def _show_editor(self, editor: Any) -> None:
        self._editor = editor

    def _keep_up(self) -> None:
        """Show the tracks that are there in the editor, and save what changed. Called from any thread."""
        project = self._project
        if project.worker.is_busy("track"):
            return
        with self._keeping:
            session = self._saver.session
            view = {} if session is None else session.view
            marks = [] if session is None else [{"frame": m.frame, "note": m.note} for m in session.bookmarks]
            self._bench.sync(project.people, view, marks)
            before, content = self._content, project.content()
            if content == before:
                return
            self._content = content
            is_same_clip = before is not None and before[0] == content[0]
            project.same = same_sentences(self.traces, project.start)
            if self.traces or (is_same_clip and self._saver.saved):
                self.save()

    # --- the still picture --------------------------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        self._still = display_with_still(self, self.still_html())

    def still_html(self) -> str:
        """Return the HTML that stays in the notebook without a kernel: frames with the first person's skeleton."""
        traces = self.traces
        if traces:
            return filmstrip_html(next(iter(traces.values())), self._filmstrip)
        name = html.escape(self._project.path.name) if self._project.path else "no video yet"
        return f'<p data-dkd-filmstrip="{self._filmstrip}">Studio: {name}. Run the cell to open it.</p>'


def same_sentences(traces: Mapping[str, Any], start: int) -> list[str]:
    """Say in a sentence each where two tracks are on one person."""
    return [str(found) for found in same_person(traces, start)] if len(traces) > 1 else []


def render_clip(clip: Any, path: Path | None, generation: int) -> dict[str, Any]:
    """Return what the page knows about a clip; times are (T,) float64 in seconds, as bytes."""
    return {
        "generation": generation,
        "name": clip.name,
        "path": "" if path is None else str(path),
        "n": len(clip),
        "size": [clip.width, clip.height],
        "aspect": float(getattr(clip, "pixel_aspect", 1)),
        "facts": facts(clip),
        "rate": rate_text(clip),
        "fps": mean_rate(clip),
        "warnings": [warning.text for warning in getattr(clip, "warnings", ())],
        "times": np.asarray(clip.times, np.float64).tobytes(),
    }
