"""What the page asks of the studio: one method per type of message."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dkd.errors import ConfigError, DKDError, VideoMovedError
from dkd.tracking.reinitialise import Reinitialise
from widgets.core.view import describe_error
from widgets.studio.listing import complete_path

_log = logging.getLogger(__name__)

Content = Mapping[str, Any]


class Requests:
    """Answers the page of a :class:`widgets.studio.studio.Studio`. What fails is shown where the page asked for it."""

    _project: Any
    _pictures: Any
    _uploads: Any
    _opening: str
    _reopening: Any
    send: Any
    open_video: Any
    open_session: Any
    save: Any
    save_joints: Any
    _publish: Any
    _bench: Any
    _saver: Any
    traces: Any

    def _hear(self, _widget: Any, content: Content, buffers: Sequence[Any]) -> None:
        kind = str(content.get("type", ""))
        try:
            if kind == "upload":
                if (reply := self._uploads.handle(content, buffers)) is not None:
                    self.send(reply)
                return
            action = getattr(self, f"_on_{kind}", None)
            if action is None:
                raise ValueError(f"expected a message that the studio knows, got {kind!r}")
            self._project.problems.pop(str(content.get("place", kind)), None)
            action(content)
        except Exception as error:  # shown on the page: otherwise it would only reach the server's log
            _log.info("%s failed", kind, exc_info=True)
            self._report(str(content.get("place", kind)), error)

    def _report(self, place: str, error: Exception) -> None:
        text = str(error) if isinstance(error, DKDError) else describe_error(error, "in the studio")
        with self._project.lock:
            self._project.problems[place] = text
        self._publish()

    # --- the video ----------------------------------------------------------------------------------------------------

    def _on_complete(self, content: Content) -> None:
        self.send({"type": "completions", "text": content["text"], **complete_path(content["text"])})

    def _on_samples(self, _content: Content) -> None:
        self._pictures.samples()

    def _on_open(self, content: Content) -> None:
        """Open a video or a session in the thread."""
        path = str(content["path"])
        self._opening = path

        def job(_cancelled: Any) -> None:
            try:
                if self._reopening is not None:
                    self.open_session(self._reopening.path, path)
                else:
                    self.open_video(path)
            except VideoMovedError:
                pass  # the page asks where it is
            except Exception as error:
                self._report("source", error)
            finally:
                self._opening = ""
                self._publish()

        self._project.worker.do("open", job)
        self._publish()

    def _on_leave(self, _content: Content) -> None:
        self._reopening = None
        self._bench.close()
        self._project.leave()

    def _on_frame(self, content: Content) -> None:
        self._pictures.frame(int(content["frame"]), int(content["height"]))

    def _on_thumbnails(self, content: Content) -> None:
        self._pictures.thumbnails(int(content["first"]), int(content["stop"]), int(content["count"]))

    # --- range and people ---------------------------------------------------------------------------------------------

    def _on_range(self, content: Content) -> None:
        self._project.set_range(int(content["start"]), int(content["stop"]))

    def _on_find(self, content: Content) -> None:
        self._project.find(int(content["frame"]))

    def _on_add(self, content: Content) -> None:
        self._project.add_person(content["box"], int(content["frame"]))

    def _on_change(self, content: Content) -> None:
        changes = {name: content[name] for name in ("name", "colour", "box", "frame") if name in content}
        self._project.change_person(int(content["key"]), **changes)

    def _on_remove(self, content: Content) -> None:
        self._project.remove_person(int(content["key"]))

    def _on_reinitialise(self, content: Content) -> None:
        self._condition(reinitialise=Reinitialise() if content["on"] else None)

    def _on_refine(self, content: Content) -> None:
        self._condition(refine=bool(content["on"]))

    def _condition(self, **changes: Any) -> None:
        with self._project.lock:
            self._project.conditions = replace(self._project.conditions, **changes)
        self._publish()

    # --- tracks -------------------------------------------------------------------------------------------------------

    def _on_track(self, _content: Content) -> None:
        self._project.track()

    def _on_stop(self, _content: Content) -> None:
        self._project.stop_tracking()

    def _on_save(self, content: Content) -> None:
        self.save(content["path"])

    def _on_export(self, content: Content) -> None:
        editor = self._bench.editor
        if editor is None:
            raise ConfigError("expected a tracked person, got none; track somebody first")
        shown = {"frame": editor.frame, "joint": editor.joint, "layers": editor.layers, **content}
        shown["bookmarks"] = editor.bookmarks
        self._saver.exports.start(str(content["kind"]), self.traces, self._saver.stem(self._project.clip), shown)

    def _on_export_cancel(self, _content: Content) -> None:
        self._saver.exports.cancel()

    def _on_joints(self, content: Content) -> None:
        self.save_joints(str(content["ending"]))


def as_sentence(text: str) -> str:
    """Return an error's text as a sentence of a page: with a capital, unless it begins with a name, and a full stop."""
    if re.match("[a-z]+ ", text):
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
