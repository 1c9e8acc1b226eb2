"""What a study says of its results: comparisons of groups, a methods paragraph, and a table for a spreadsheet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dkd.errors import ConfigError
from dkd.io.escaping import csv_cell
from dkd.io.files import atomic_path
from dkd.io.paths import as_path
from dkd.studies.settings import check_not_of_a_study
from dkd.studies.sources import is_url

if TYPE_CHECKING:
    import pandas as pd

    from dkd.studies.compare import GroupComparison
    from dkd.studies.study import Study


class Reports:
    """Methods of :class:`dkd.Study`."""

    def compare(
        self,
        by: str,
        measure: str = "confidence",
        *,
        groups: Sequence[str] | None = None,
        unit: str = "video",
        n_resamples: int = 2000,
        seed: int = 0,
    ) -> GroupComparison:
        """Compare groups of clips by a measure, with bootstrap intervals; see :mod:`dkd.studies.compare`.

        Args:
            by: a group of the table, or ``person``, ``verdict``, ``status``, ``engine``.
            measure: a column of numbers of the table of clips, such as ``confidence`` or ``pck_20``.
            groups: only these groups, in this order.
            unit: what is resampled: ``video``, or a group such as ``subject`` whose clips belong together.
            n_resamples, seed: settings of the bootstrap.

        Raises:
            ConfigError: there is no such column or group, there are too many groups, or one has clips of a single
                unit.
            DatasetError: the table of clips is damaged.
        """
        from dkd.studies.compare import compare_groups

        study = cast("Study", self)
        clips = study.clips()
        # The same video, however it is written; one in an object store is not fetched for that.
        folder = study.folder.resolve()
        places = {
            row.name: row.video if is_url(row.video) else os.path.normpath(folder / row.video) for row in study.rows
        }
        clips["video"] = clips["name"].map(places).fillna(clips["video"])
        return compare_groups(clips, by, measure, groups=groups, unit=unit, n_resamples=n_resamples, seed=seed)

    def methods(self, kind: str = "text", comparison: GroupComparison | None = None) -> str:
        """Return a paragraph for the methods section of a paper: versions, model, settings, counts and failures.

        Args:
            kind: ``text``, ``markdown`` or ``latex``.
            comparison: a result of :meth:`compare`, whose numbers and bootstrap are described, too.

        Raises:
            ConfigError: the kind is unknown.
            DatasetError: the table of clips is damaged.
        """
        from dkd.studies.methods import methods

        study = cast("Study", self)
        return methods(study, study.clips(), kind, comparison)

    def state(self, clips: pd.DataFrame | None = None) -> str:
        """Return in a sentence what is done, failed and waiting; ``clips`` if they were read already."""
        study = cast("Study", self)
        clips = study.clips() if clips is None else clips
        done, partial, failed = (int((clips["status"] == status).sum()) for status in ("done", "partial", "failed"))
        text = f"{done} of {len(study)} clips are done, {int(clips['frames'].sum())} frames"
        waiting = len(study) - done - partial - failed
        for count, what in ((partial, "done in part"), (failed, "failed"), (waiting, "waiting")):
            text += f", {count} {what}" if count else ""
        warned = int((clips["warnings"] > 0).sum())
        return text + (f"; {warned} with a warning about the video (column warning)" if warned else "")

    def save_clips(self, file: str | os.PathLike[str], clips: pd.DataFrame | None = None) -> Path:
        """Write the table of clips as CSV for a spreadsheet, completely or not at all.

        Text that a spreadsheet would take for a formula gets an apostrophe in front.

        Args:
            file: the file; it must end in ``.csv``.
            clips: rows of :meth:`clips` to write; all by default.

        Raises:
            ConfigError: the file has another ending, or is the table of a study.
            DatasetError: the table of clips is damaged.
            StorageError: the file cannot be written.
        """
        file = as_path(file, "the file of the table")
        if file.suffix.lower() != ".csv":
            raise ConfigError(f"expected a file that ends in .csv, got {file}; clips.parquet has the same table")
        check_not_of_a_study(file)
        table = cast("Study", self).clips() if clips is None else clips
        with atomic_path(file) as temporary:
            text = table.map(csv_cell).rename(columns=csv_cell).to_csv(index=False)
            temporary.write_text(text, encoding="utf-8", newline="")
        return file
