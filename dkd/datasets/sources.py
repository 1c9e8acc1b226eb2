"""Data sets by name: ``load_people("penn_action")``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from dkd.datasets.labelled_videos import load_labelled_videos
from dkd.datasets.lsp import load_lsp, load_lsp_extended
from dkd.datasets.mpii import load_mpii
from dkd.datasets.penn_action import load_penn_action
from dkd.datasets.people import PersonSequence
from dkd.datasets.person_crops import load_person_crops
from dkd.datasets.sample_clips import CAMERAS, load_pose2sim, load_samples
from dkd.datasets.sub_jhmdb import load_sub_jhmdb
from dkd.errors import ConfigError, DatasetError, checked, nearest_name
from dkd.io.paths import data_folder, find_data


def load_rendered(root: Path | None = None, split: str = "train") -> list[PersonSequence]:
    """Load people rendered with ``dkd render``, from ``root`` or from ``rendered`` in the data folder.

    Raises:
        DatasetError: there are none yet.
    """
    folder = data_folder() / "rendered" if root is None else root
    if not (folder / "render.json").is_file():
        raise DatasetError(
            f"expected rendered people in {folder}, found none; render them first, in a minute or two: dkd render, "
            "or the first cells of notebooks/04_train.ipynb"
        )
    fps = _rendered_rate(folder / "render.json")
    return [replace(p, fps=fps, labels="exact (rendered)") for p in load_penn_action(folder, split)]


def load_corrections(root: Path | None = None, split: str = "train") -> list[PersonSequence]:
    """Load frames corrected by hand (``dkd.export_corrections``), from ``root`` or ``corrections`` in the data folder.

    Raises:
        DatasetError: there are none yet.
    """
    folder = data_folder() / "corrections" if root is None else root
    if not (folder / "corrections.json").is_file():
        raise DatasetError(
            f"expected corrected frames in {folder}, found none; correct a trace and export them first: "
            "export_corrections(trace)"
        )
    return [replace(p, labels="corrected by hand, the rest predicted") for p in load_penn_action(folder, split)]


def _rendered_rate(file: Path) -> float:
    """Read the frame rate from the settings that ``dkd render`` keeps."""
    try:
        rate = float(json.loads(file.read_text(encoding="utf-8"))["config"]["fps"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(
            f"expected the settings of dkd render with config.fps in {file}, but it is damaged or cut "
            f"short ({type(error).__name__}: {str(error)[:200]}); render the people again"
        ) from error
    if not 0 < rate < float("inf"):
        raise DatasetError(f"expected config.fps above 0 in {file}, got {rate}; render the people again")
    return rate


# name → load(root, split). If root is None, a loader looks for its data set in the data folder.
SOURCES: dict[str, Callable[[Path | None, str], list[PersonSequence]]] = {
    "rendered": load_rendered,
    "corrections": load_corrections,
    "penn_action": load_penn_action,
    "sub_jhmdb": load_sub_jhmdb,
    "sub_jhmdb/1": partial(load_sub_jhmdb, fold=1),
    "sub_jhmdb/2": partial(load_sub_jhmdb, fold=2),
    "sub_jhmdb/3": partial(load_sub_jhmdb, fold=3),
    "lsp": load_lsp,
    "lsp_extended": load_lsp_extended,
    "mpii": load_mpii,
    "person_crops": load_person_crops,
    "person_crops/upright": partial(load_person_crops, only_upright=True),
    "labelled_videos": load_labelled_videos,
    "samples": load_samples,
    "pose2sim": load_pose2sim,
}


# What the data folder must contain for a source with people to track to be available.
_MEASURABLE = {
    "samples": "samples/rendered_walk.npz",
    "rendered": "rendered/render.json",
    "pose2sim": f"samples/pose2sim/labels/{CAMERAS[0]}.npz",
    "penn_action": "penn_action/labels",
    "sub_jhmdb": "sub_jhmdb/joint_positions",
    "person_crops": "person_crops",
}


def available_sources() -> list[str]:
    """Return the sources for evaluation in the data folder, best known first; their content is not read."""
    return [name for name, needed in _MEASURABLE.items() if find_data(needed).exists()]


@checked
def load_people(source: str, split: str = "train") -> list[PersonSequence]:
    """Load the people of one split of a data set on disk, in its official layout.

    Args:
        source: one of

            - a name of :data:`SOURCES`: "penn_action", "sub_jhmdb" (fold 1), "sub_jhmdb/2", "lsp", … in
              :func:`dkd.io.paths.data_folder`;
            - a name and its folder: "penn_action=path/to/Penn_Action";
            - a folder in Penn Action's layout, which also suits your own data: "path/to/folder". Write "./penn_action"
              for a folder that has the name of a data set.
        split: "train" or "test"; "lsp_extended", "mpii" and "labelled_videos" only have "train", "samples" and
            "pose2sim" only "test".

    Returns:
        People with the data set's own joints for videos ("penn_action", "sub_jhmdb"), and Penn Action's joints for
        stills.

    Raises:
        ConfigError: no data set has this name (the nearest one is given), or it has no such split.
        DatasetError: the data set is missing or damaged; the message shows the expected layout, where it was looked
            for, and what to do.
    """
    name, equals, folder = source.partition("=")
    if name in SOURCES and bool(equals) == bool(folder):
        return SOURCES[name](Path(folder).expanduser() if folder else None, split)
    path = Path(source).expanduser()
    if source and (path.is_dir() or path.is_absolute() or source.startswith(".")):
        return load_penn_action(path, split)
    if equals and folder and name not in SOURCES:
        raise ConfigError(
            f"expected 'name=folder' with the name of a data set, got the name {name!r}{nearest_name(name, SOURCES)} "
            f"Known: {', '.join(SOURCES)}. A folder in Penn Action's layout is given alone."
        )
    raise ConfigError(
        f"expected the name of a data set, 'name=folder', or a folder in Penn Action's layout; {source!r} is none "
        f"of these{nearest_name(name, SOURCES)} Known: {', '.join(SOURCES)}."
    )
