"""Run folders: files of a training run, with which it can be resumed, compared and cited.

    run.json           settings, date, versions and commit
    state.safetensors  everything needed to resume: weights, their average, optimisers, k, the step
    log.csv            one row per step
    snapshots/         the averaged model at regular steps, shown by the panel's slider
    model.safetensors  the result
    failure.json       the record of a failed step, if any
    lock               held by the process that trains

A run can only be resumed with the settings with which it was started.
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

import numpy as np
from filelock import FileLock, Timeout
from torch import Tensor

from dkd.errors import CheckpointError, ConfigError, RunBusyError, StorageError, checked
from dkd.io.config import flat, from_mapping, to_mapping
from dkd.io.files import atomic_path
from dkd.io.leftovers import remove
from dkd.io.locks import is_locked
from dkd.io.provenance import provenance
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import read_header, read_tensors, save_model, write_tensors
from dkd.models.discriminator import TemporalDiscriminator
from dkd.models.sources import RUN_INFO, RUN_RESULT, RUN_SNAPSHOTS, snapshots_of
from dkd.training.config import TrainConfig

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
FORMAT = "dkd-run/1"


@checked
class Run:
    """Folder of a training run.

    Args:
        folder: an existing folder, or one that :meth:`open` will create.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self._lock = FileLock(self.folder / "lock")

    # --- ownership ---------------------------------------------------------------------------------------------------

    def open(self, config: TrainConfig) -> None:
        """Lock the folder for this process, and write the settings if it is new.

        Raises:
            RunBusyError: another process is training in it.
            CheckpointError: it contains a run with different settings.
            StorageError: it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0.3, poll_interval=0.05)  # :attr:`busy` holds the lock briefly
        except Timeout:
            raise RunBusyError(
                f"another process is training in {self.folder}; stop it, or use a different folder for this run"
            ) from None
        except OSError as error:
            raise StorageError(f"cannot write in {self.folder}: {error}") from error
        try:
            self.check(config)
            if not self.exists:
                self._write_json(self.info_file, {"format": FORMAT, "config": to_mapping(config), **provenance()})
            try:
                self.failure_file.unlink(missing_ok=True)
            except OSError as error:
                raise StorageError(f"cannot write in {self.folder}: {error}") from error
        except BaseException:
            self._lock.release()
            raise

    def check(self, config: TrainConfig) -> None:
        """Check that a run with these settings can begin or go on in the folder; nothing is written.

        Raises:
            RunBusyError: another process is training in it.
            CheckpointError: it contains a run with different settings.
        """
        if is_locked(self.folder / "lock") and not self._lock.is_locked:
            raise RunBusyError(
                f"another process is training in {self.folder}; stop it, or use a different folder for this run"
            )
        if self.exists and (differences := self._differences(config)):
            raise CheckpointError(
                f"{self.folder} holds a run with different settings ({differences}); use another folder, or the "
                "settings with which it was started"
            )

    def forget(self) -> None:
        """Remove what :meth:`open` wrote if the run could not start. A run with a state or a log is kept."""
        if not self.state_file.exists() and not self.log_file.exists():
            remove(self.info_file)

    def close(self) -> None:
        """Release the lock."""
        self._lock.release()

    def _differences(self, config: TrainConfig) -> str:
        """Describe the differences between the settings of the stored run and ``config``, without machine settings.

        A setting that did not exist when the run was started has its default, which means the behaviour of that time.
        """
        written = self.info()["config"]
        with contextlib.suppress(ConfigError):  # a setting that no longer exists is reported below as a difference
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
        """Whether a process, possibly this one, is training in the folder."""
        return self._lock.is_locked or is_locked(self.folder / "lock")

    # --- content -----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def exists(self) -> bool:
        """Whether a run was started in the folder."""
        return self.info_file.is_file()

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
        """Read the content of run.json.

        Raises:
            CheckpointError: the folder is not a run's, or run.json is damaged.
        """
        try:
            info = json.loads(self.info_file.read_text(encoding="utf-8"))
            if info["format"] != FORMAT:
                raise ValueError(f"format {info['format']!r}")
            if not isinstance(info["config"], dict) or not isinstance(info["started"], str):
                raise ValueError("its settings and the time of its start are missing")
        except FileNotFoundError:
            raise CheckpointError(f"expected a training run in {self.folder}, found no run.json there") from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise CheckpointError(f"{self.info_file} cannot be read ({error}); expected format {FORMAT!r}") from error
        return info

    def config(self) -> TrainConfig:
        """Return the settings with which the run was started.

        Raises:
            CheckpointError: the folder is not a run's.
            ConfigError: the settings come from a different version.
        """
        return from_mapping(TrainConfig, self.info()["config"])

    def steps_done(self) -> int:
        """Return the number of steps of the stored state, or of the result if that is ahead; 0 if there is neither.

        The result is written before the state: a process that was stopped in between leaves it ahead.

        Raises:
            CheckpointError: a file is damaged.
        """
        steps = [0]
        try:
            if self.state_file.is_file():
                steps.append(int(read_header(self.state_file).get("step", 0)))
            if self.model_file.is_file():
                steps.append(int(json.loads(read_header(self.model_file).get("provenance", "{}")).get("step", 0)))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise CheckpointError(f"{self.folder} does not say how many steps it has done ({error})") from error
        return max(steps)

    def snapshots(self) -> dict[int, Path]:
        """Return the checkpoints of the averaged model by step, in order."""
        return snapshots_of(self.folder)

    def log(self) -> pd.DataFrame:
        """Read the log as a table, one row per step; an incomplete last row is left out.

        Raises:
            CheckpointError: it cannot be read.
        """
        import pandas as pd

        if not self.log_file.is_file() or self.log_file.stat().st_size == 0:
            return pd.DataFrame(columns=["step"])
        try:
            table = pd.read_csv(self.log_file, on_bad_lines="skip")
            for column in table:
                table[column] = pd.to_numeric(table[column], errors="coerce")
            if "step" in table and not (table["step"].dropna().abs() < 2**53).all():
                raise ValueError("its steps are too large to be any")
        except (OSError, ValueError, OverflowError) as error:
            raise CheckpointError(f"{self.log_file} cannot be read ({error})") from error
        if "step" not in table:
            raise CheckpointError(f"{self.log_file} is no log of a training: it has no column 'step'")
        return table.dropna(subset=["step"]).astype({"step": np.int64})

    def status(self) -> str:
        """Return ``running``, ``finished``, ``failed`` or ``stopped``, from what is on the disk."""
        if self.busy:
            return "running"
        if self.failure_file.is_file():
            return "failed"
        return "finished" if self.model_file.is_file() else "stopped"

    # --- writing -----------------------------------------------------------------------------------------------------

    def save_state(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Replace the state atomically.

        Raises:
            StorageError: the disk is full; the previous state is kept.
        """
        if wrong := next((name for name, one in tensors.items() if not isinstance(one, Tensor)), None):
            raise ConfigError(f"expected tensors by name, got {wrong!r}: {type(tensors[wrong]).__name__}")
        write_tensors(self.state_file, tensors, {"format": FORMAT, "step": str(step)})

    def load_state(self) -> tuple[int, dict[str, Tensor]] | None:
        """Read the step and the tensors of the stored state; ``None`` if there is none."""
        if not self.state_file.is_file():
            return None
        tensors, header = read_tensors(self.state_file)
        try:
            return int(header["step"]), tensors
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"{self.state_file} is not the state of a training: it has no step") from error

    def discriminator(self) -> TemporalDiscriminator | None:
        """Load the temporal discriminator of the stored state; ``None`` without an adversary or without a state."""
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
        """Store the averaged model of this step in half precision and return the file."""
        path = self.folder / RUN_SNAPSHOTS / f"step_{step:07d}.safetensors"
        save_model(model, path, self._provenance_of(step, facts), half=True)
        return path

    def save_result(self, model: VideoPoseModel, step: int, facts: Mapping[str, Any]) -> Path:
        """Store the averaged model as the run's result and return the file."""
        save_model(model, self.model_file, self._provenance_of(step, facts))
        return self.model_file

    def _provenance_of(self, step: int, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.info(), "run": self.name, "step": step, **facts}

    def append_log(self, row: Mapping[str, Any]) -> None:
        """Append a row to log.csv, after a header if the file is empty. An existing header determines the columns.

        Raises:
            StorageError: the disk is full.
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
        """Remove log rows and files after ``step``, so that a killed run can resume from an earlier state."""
        for later, path in self.snapshots().items():
            if later > step:
                path.unlink()
        if self.log_file.is_file():
            head, *rows = self.log_file.read_text(encoding="utf-8").splitlines() or [""]
            kept = [r for r in rows if r.split(",")[0].isdigit() and int(r.split(",")[0]) <= step][:step]
            self._write_text(self.log_file, "".join(f"{line}\n" for line in [head, *kept] if line))

    def fail(self, record: Mapping[str, Any], reason: str) -> None:
        """Write the record of the failed step; everything saved before stays."""
        self._write_json(self.failure_file, {"reason": reason, "record": {k: _number(v) for k, v in record.items()}})

    def _write_json(self, path: Path, content: Mapping[str, Any]) -> None:
        self._write_text(path, json.dumps(dict(content), indent=1, ensure_ascii=False) + "\n")

    def _write_text(self, path: Path, text: str) -> None:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def __repr__(self) -> str:
        return f"<Run {self.name!r}: {self.status()}, {self.steps_done()} steps>"


def _number(value: Any) -> Any:
    """Format a number for the log: short, but precise enough; empty if unknown."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value
