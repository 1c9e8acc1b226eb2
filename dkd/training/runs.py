"""The runs in a folder: their table, and one by its name."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dkd.errors import ConfigError, DKDError, checked, nearest_name
from dkd.training.run import Run

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@checked
def list_runs(root: str | Path = "runs") -> pd.DataFrame:
    """List the runs in a folder, newest first, one row per run.

    Returns:
        ``run, model, adversary, status, step, steps, loss, PCK@0.2, PCK@0.1, acceleration %, started, folder``; results
        are those of the last validation, NaN before the first.

    Raises:
        ConfigError: ``root`` is a file.
    """
    if Path(root).is_file():
        raise ConfigError(f"expected a folder of runs, but {root} is a file; give the folder that it lies in")
    import pandas as pd

    rows = []
    for file in sorted(Path(root).glob("**/run.json")):
        try:
            rows.append(_row(Run(file.parent)))
        except (DKDError, OSError) as error:
            log.warning("left out: %s: %s", file.parent, error)
    columns = list(rows[0]) if rows else ["run", "model", "status", "step", "steps", "folder"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("started", ascending=False, ignore_index=True) if rows else table


def _row(run: Run) -> dict[str, Any]:
    """Return a run's row of :func:`list_runs`.

    Raises:
        CheckpointError, ConfigError: a file of the run cannot be read.
    """
    info, config, table = run.info(), run.config(), run.log()
    validated = table.dropna(subset=["pck@0.2"]) if "pck@0.2" in table else table[:0]

    def last(frame: pd.DataFrame, column: str) -> float:
        return float(frame[column].iloc[-1]) if len(frame) and column in frame else math.nan

    return {
        "run": run.name,
        "model": config.model.name,
        "adversary": config.adversary.eta,
        "status": run.status(),
        "step": max(run.steps_done(), int(table["step"].max()) if len(table) and run.busy else 0),
        "steps": config.steps,
        "loss": last(table, "loss"),
        "PCK@0.2": last(validated, "pck@0.2"),
        "PCK@0.1": last(validated, "pck@0.1"),
        "acceleration %": last(validated, "acceleration"),
        "started": info["started"],
        "folder": str(run.folder),
    }


def find_run(name: str | Path, root: str | Path = "runs") -> Run:
    """Find the run with this name in ``root``, or in this folder.

    Raises:
        ConfigError: there is no such run; the nearest name is given.
    """
    for folder in (Path(name), Path(root) / name):
        if (folder / "run.json").is_file():
            return Run(folder)
    known = [file.parent.name for file in Path(root).glob("**/run.json")]
    raise ConfigError(f"there is no run {str(name)!r} in {root}{nearest_name(str(name), known)}")
