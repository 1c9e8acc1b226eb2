"""How rows get into the table of a study: videos of a folder, and people marked in the studio."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dkd.errors import ConfigError
from dkd.studies.listing import list_rows
from dkd.studies.rows import Row
from dkd.studies.settings import TABLE
from dkd.studies.table import check_groups, write_table

if TYPE_CHECKING:
    from dkd.sessions.session import Session
    from dkd.studies.study import Study

log = logging.getLogger(__name__)


class Adding:
    """Methods of :class:`dkd.Study`."""

    def add(
        self, videos: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], *, folders: Sequence[str] = ()
    ) -> int:
        """Add the videos that are not in the table yet; return how many.

        Args:
            videos, folders: as for :meth:`create`.

        Raises:
            ConfigError: there are no videos.
            StorageError: the table cannot be written.
        """
        study = cast("Study", self)
        study.read()
        there = {(study.folder / row.video).resolve() for row in study.rows}
        new = [
            row for row in list_rows(videos, study.folder, folders) if (study.folder / row.video).resolve() not in there
        ]
        if new:
            write_table(study.folder / TABLE, [*study.rows, *new])
            study.read()
        return len(new)

    def add_session(
        self, session: Session | str | os.PathLike[str], groups: Mapping[str, str] | None = None
    ) -> list[str]:
        """Add the people of a session, with their boxes and the part of the video; return the names of their rows.

        A row of the same person in the same video is replaced and keeps its groups and labels. So is the row that
        :meth:`create` and :meth:`add` make for a video: nobody was marked in it yet. Changes by hand, such as corrected
        joints, are no part of a study; the log says so.

        Args:
            session: a session, such as :attr:`Studio.session`, or its file.
            groups: values of groups, for rows that have none.

        Raises:
            ConfigError: the session has no people, or a group cannot be used.
            SessionError: the file is none of a session.
            StorageError: the table cannot be written.
        """
        from dkd.sessions.session import Session  # here: it brings torch, which a finished study does not need

        study = cast("Study", self)
        session = session if isinstance(session, Session) else Session.load(session)
        if not session.people:
            raise ConfigError("expected a session with at least one person, got none; draw a box in the studio first")
        check_groups(groups or {})
        study.read()
        video = Path(os.path.abspath(session.video.path))

        def is_of_it(row: Row) -> bool:
            return (study.folder / row.video).resolve() == video.resolve()

        old = {row.person: row for row in study.rows if is_of_it(row)}
        unmarked = next((row for row in old.values() if row == Row(row.number, row.video, groups=row.groups)), None)
        like = unmarked or next(iter(old.values()), None)
        path = like.video if like else Path(os.path.relpath(video, study.folder.resolve())).as_posix()
        given = dict(like.groups if like else dict.fromkeys(study.groups, "")) | dict(groups or {})
        stop = None if session.stop == session.video.n_frames else session.stop
        new = []
        for person in session.people:
            row = old.get(person.name) or Row(0, path, groups=given)
            new.append(
                replace(
                    row, person=person.name, box=person.box, frame=person.frame, start=session.start, stop=stop
                )
            )  # fmt: skip
            if person.calls:
                log.warning("the changes by hand of %s are no part of the study", person.name)
        names = {row.person for row in new}
        kept = [row for row in study.rows if not (is_of_it(row) and (row.person in names or row == unmarked))]
        write_table(study.folder / TABLE, [*kept, *new])
        study.read()
        return [row.name for row in new]
