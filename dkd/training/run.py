"""Run folders: what training leaves on the disk, so that it can be resumed, compared and cited.

    run.json           settings, when, with which versions and commit
    state.safetensors  all that is needed to go on: weights, their average, optimisers, k, the step
    log.csv            a row a step
    snapshots/         the averaged model every so many steps: what the panel's slider moves through
    model.safetensors  the result
    failure.json       the record of the step that failed, where one did
    lock               held by the process that trains
"""

from __future__ import annotations

import contextlib
import csv
import json
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from torch import Tensor

from dkd.errors import CheckpointError, ConfigError, RunBusyError, StorageError, nearest_name
from dkd.io.config import flat, from_mapping, to_mapping
from dkd.io.files import atomic_path
from dkd.io.provenance import provenance
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import read_tensors, save_model, write_tensors
from dkd.models.discriminator import TemporalDiscriminator
from dkd.models.sources import RUN_INFO, RUN_RESULT, RUN_SNAPSHOTS, snapshots_of
from dkd.training.config import TrainConfig

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
FORMAT = "dkd-run/1"


class Run:
    """One run's folder.

    Args:
        folder: exists, or will be made by :meth:`open`.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self._lock = FileLock(self.folder / "lock")

    # --- whose it is -------------------------------------------------------------------------------------------------

    def open(self, config: TrainConfig) -> None:
        """Take the folder for this process, and write down the settings if it is new.

        Raises:
            RunBusyError: another process trains in it.
            CheckpointError: it holds a run with other settings.
            StorageError: it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0.3, poll_interval=0.05)  # who asks whether it is busy holds it for a moment
        except Timeout:
            raise RunBusyError(
                f"another process is training in {self.folder}; stop that one, or give this run a folder of its own"
            ) from None
        except OSError as error:
            raise StorageError(f"cannot write in {self.folder}: {error}") from error
        try:
            if not self.info_file.is_file():
                self._write_json(self.info_file, {"format": FORMAT, "config": to_mapping(config), **provenance()})
            elif differences := self._differences(config):
                raise CheckpointError(
                    f"{self.folder} holds a run with other settings ({differences}); give another folder, or the "
                    "settings it was started with"
                )
            self.failure_file.unlink(missing_ok=True)
        except BaseException:
            self._lock.release()
            raise

    def forget(self) -> None:
        """Take back what :meth:`open` wrote: the run could not begin. A run that has a state or a log is kept."""
        if not self.state_file.exists() and not self.log_file.exists():
            self.info_file.unlink(missing_ok=True)

    def close(self) -> None:
        """Let others have it."""
        self._lock.release()

    def _differences(self, config: TrainConfig) -> str:
        """Which settings of the stored run are not those of ``config``; where it runs does not count.

        A setting that did not exist when the run was begun has its default there: it then does what was done before.
        """
        written = self.info()["config"]
        with contextlib.suppress(ConfigError):  # a setting that no longer exists: it differs, and is named below
            written = to_mapping(from_mapping(TrainConfig, written))
        stored, given = flat(written), flat(to_mapping(config))
        names = [
            k
            for k in sorted(stored.keys() | given.keys())
            if stored.get(k) != given.get(k) and not k.startswith("machine.")
        ]
        shown = ", ".join(f"{k}: {stored.get(k)!r} there, {given.get(k)!r} here" for k in names[:3])
        return shown + (f", and {len(names) - 3} more" if len(names) > 3 else "")

    @property
    def busy(self) -> bool:
        """A process, perhaps this one, trains in it."""
        if self._lock.is_locked:
            return True
        if not (self.folder / "lock").exists():
            return False
        try:
            with FileLock(self.folder / "lock", timeout=0):
                return False
        except (Timeout, OSError):
            return True

    # --- what is in it -----------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def info_file(self) -> Path:
        """run.json"""
        return self.folder / RUN_INFO

    @property
    def state_file(self) -> Path:
        """state.safetensors"""
        return self.folder / "state.safetensors"

    @property
    def log_file(self) -> Path:
        """log.csv"""
        return self.folder / "log.csv"

    @property
    def model_file(self) -> Path:
        """model.safetensors"""
        return self.folder / RUN_RESULT

    @property
    def failure_file(self) -> Path:
        """failure.json"""
        return self.folder / "failure.json"

    def info(self) -> dict[str, Any]:
        """The content of run.json.

        Raises:
            CheckpointError: this is no run's folder, or run.json is damaged.
        """
        try:
            info = json.loads(self.info_file.read_text(encoding="utf-8"))
            if info["format"] != FORMAT:
                raise ValueError(f"format {info['format']!r}")
        except FileNotFoundError:
            raise CheckpointError(f"expected a training run in {self.folder}, found no run.json there") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{self.info_file} cannot be read ({error}); expected format {FORMAT!r}") from error
        return info

    def config(self) -> TrainConfig:
        """The settings that it was started with.

        Raises:
            CheckpointError: this is no run's folder.
            ConfigError: they are of another version.
        """
        return from_mapping(TrainConfig, self.info()["config"])

    def steps_done(self) -> int:
        """Steps that the stored state has seen; 0 without one."""
        if not self.state_file.is_file():
            return 0
        from safetensors import safe_open

        with safe_open(self.state_file, framework="pt") as file:
            return int((file.metadata() or {}).get("step", 0))

    def snapshots(self) -> dict[int, Path]:
        """Step → checkpoint of the averaged model at that step, in order."""
        return snapshots_of(self.folder)

    def log(self) -> pd.DataFrame:
        """The log as a table, a row a step; empty before the first one. An unfinished last row is left out."""
        import pandas as pd

        if not self.log_file.is_file():
            return pd.DataFrame(columns=["step"])
        return pd.read_csv(self.log_file, on_bad_lines="skip")

    def status(self) -> str:
        """``running``, ``finished``, ``failed`` or ``stopped``."""
        if self.busy:
            return "running"
        if self.failure_file.is_file():
            return "failed"
        return "finished" if self.model_file.is_file() else "stopped"

    # --- what training writes ----------------------------------------------------------------------------------------

    def save_state(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Replace the state, whole or not at all.

        Raises:
            StorageError: there is no room; the state before is kept.
        """
        write_tensors(self.state_file, tensors, {"format": FORMAT, "step": str(step)})

    def load_state(self) -> tuple[int, dict[str, Tensor]] | None:
        """The step and the tensors of the stored state, or None where there is none."""
        if not self.state_file.is_file():
            return None
        tensors, header = read_tensors(self.state_file)
        return int(header["step"]), tensors

    def discriminator(self) -> TemporalDiscriminator | None:
        """The temporal discriminator of the stored state; None for a run without an adversary, or without a state."""
        stored = self.load_state()
        start = "adversary."
        tensors = {k.removeprefix(start): v for k, v in (stored[1] if stored else {}).items() if k.startswith(start)}
        if not tensors:
            return None
        out = tensors["out.weight"]  # (J, width, 3, 3)
        discriminator = TemporalDiscriminator(out.shape[0], out.shape[1])
        discriminator.load_state_dict(tensors)
        return discriminator.eval()

    def save_snapshot(self, model: VideoPoseModel, step: int, facts: Mapping[str, Any]) -> Path:
        """Store the averaged model of this step, in half precision; returns the file."""
        path = self.folder / RUN_SNAPSHOTS / f"step_{step:07d}.safetensors"
        save_model(model, path, self._provenance_of(step, facts), half=True)
        return path

    def save_result(self, model: VideoPoseModel, step: int, facts: Mapping[str, Any]) -> Path:
        """Store the averaged model as the run's result; returns the file."""
        save_model(model, self.model_file, self._provenance_of(step, facts))
        return self.model_file

    def _provenance_of(self, step: int, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.info(), "run": self.name, "step": step, **facts}

    def append_log(self, row: Mapping[str, Any]) -> None:
        """Add a row to log.csv; an empty file gets its head first. A log that has a head keeps to its columns.

        Raises:
            StorageError: there is no room.
        """
        try:
            with self.log_file.open("a+", newline="", encoding="utf-8") as file:
                file.seek(0)
                head = file.readline().strip()
                file.seek(0, os.SEEK_END)
                writer = csv.DictWriter(file, head.split(",") if head else list(row), restval="", extrasaction="ignore")
                if not head:
                    writer.writeheader()
                writer.writerow({k: _number(v) for k, v in row.items()})
        except OSError as error:
            raise StorageError(f"cannot write {self.log_file}: {error}; free some space, then resume") from error

    def rewind(self, step: int) -> None:
        """Drop what was logged and stored after ``step``: a run that was killed goes on from an earlier state."""
        for later, path in self.snapshots().items():
            if later > step:
                path.unlink()
        if self.log_file.is_file():
            head, *rows = self.log_file.read_text(encoding="utf-8").splitlines() or [""]
            kept = [r for r in rows if r.split(",")[0].isdigit() and int(r.split(",")[0]) <= step][:step]
            self._write_text(self.log_file, "".join(f"{line}\n" for line in [head, *kept] if line))

    def fail(self, record: Mapping[str, Any], reason: str) -> None:
        """Write down the step that failed; what was saved before it stays."""
        self._write_json(self.failure_file, {"reason": reason, "record": {k: _number(v) for k, v in record.items()}})

    def _write_json(self, path: Path, content: Mapping[str, Any]) -> None:
        self._write_text(path, json.dumps(dict(content), indent=1, ensure_ascii=False) + "\n")

    def _write_text(self, path: Path, text: str) -> None:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Run {self.name!r}: {self.status()}, {self.steps_done()} steps>"


def list_runs(root: str | Path = "runs") -> pd.DataFrame:
    """The runs below a folder, the newest first, a row each.

    Returns:
        ``run, model, adversary, status, step, steps, loss, PCK@0.2, PCK@0.1, acceleration %, started, folder``; figures
        are of the last validation, NaN before the first.
    """
    import pandas as pd

    rows = []
    for file in sorted(Path(root).glob("**/run.json")):
        run = Run(file.parent)
        try:
            info, config = run.info(), run.config()
        except (CheckpointError, ConfigError) as error:
            log.warning("left out: %s", error)
            continue
        table = run.log()
        validated = table.dropna(subset=["pck@0.2"]) if "pck@0.2" in table else table[:0]

        def last(frame: pd.DataFrame, column: str) -> float:
            return float(frame[column].iloc[-1]) if len(frame) and column in frame else math.nan

        rows.append(
            {
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
        )
    columns = list(rows[0]) if rows else ["run", "model", "status", "step", "steps", "folder"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("started", ascending=False, ignore_index=True) if rows else table


def find_run(name: str | Path, root: str | Path = "runs") -> Run:
    """The run of this name below ``root``, or in this folder.

    Raises:
        ConfigError: there is none; the nearest name is given.
    """
    for folder in (Path(name), Path(root) / name):
        if (folder / "run.json").is_file():
            return Run(folder)
    known = [file.parent.name for file in Path(root).glob("**/run.json")]
    raise ConfigError(f"there is no run {str(name)!r} in {root}{nearest_name(str(name), known)}")


def _number(value: Any) -> Any:
    """Short, and exact enough for a log; nothing for what is not known."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value
