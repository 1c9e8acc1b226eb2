"""What a large study costs: ``python -m benchmarks.scale [--clips 8] [--rows 60] [--workers 1 2 4]``.

Prints for a plain loop, processes on this machine and a Ray cluster on it: processor time and time per row of one
frame, whose difference from the loop is the overhead of a row; then both per clip with more and more workers, and how
many times as fast they are as one; and the bytes of the results. Processor time is that of all processes of a study,
Ray's own included, and hardly depends on what else the machine does. docs/scale.md draws its estimate from these
numbers.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from dkd.studies.store import CLIPS
from dkd.studies.study import Study
from dkd.video.samples import Sample, default_sample, get_sample

LOOP = """
import json, sys, time
from dkd.studies.sources import Videos
from dkd.studies.store import Store
from dkd.studies.study import Study
from dkd.studies.worker import attempt, prepare
study = Study(sys.argv[1])
model, marks = prepare(study.settings), []
for row in study.rows:
    task = {"row": {name: getattr(row, name) for name in row.__slots__}, "video": str(study.video(row)),
            "facts": {"key": "", "model_sha256": "", "attempts": 1}}
    assert attempt(model, task, study.settings, Store(sys.argv[2]), Videos(), lambda: None)["error"] is None
    marks.append([time.perf_counter(), time.process_time()])
print(json.dumps(marks))
"""


def make(folder: Path, sample: Sample, n_rows: int, n_frames: int) -> Study:
    """Make a study of many people who are all the same one, in the first frames of a clip."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    box = f'"{",".join(f"{edge:g}" for edge in sample.box)}"' if sample.box else "find"
    lines = [f"{sample.path},{i},{box},{n_frames}" for i in range(n_rows)]
    (folder / "study.csv").write_text("\n".join(["video,person,box,stop", *lines]) + "\n")
    (folder / "study.yaml").write_text("model: dkd-mobilenetv2\n")
    return Study(folder)


def per_row(study: Study, engine: str, workers: int) -> tuple[float, float]:
    """Return the time and the processor time of a row, in seconds.

    The first two rows of each worker are left out: its process starts and opens the model before them.
    """
    marks: list[tuple[float, float]] = []
    if engine == "loop":
        command = [sys.executable, "-c", LOOP, str(study.folder), str(study.folder / "loop")]
        marks = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    else:
        for one in study.run(workers, engine=engine):
            assert one.error is None, one.error
            spent = 0.0
            for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    spent += sum(process.cpu_times()[:2])
            marks.append((time.perf_counter(), spent))
    first, last = marks[2 * workers - 1], marks[-1]
    n = len(marks) - 2 * workers
    return (last[0] - first[0]) / n, (last[1] - first[1]) / n


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=8, help="clips for each worker (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=60, help="rows of one frame (default: %(default)s)")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4], help="numbers of workers")
    arguments = parser.parse_args()
    filmed, rendered = default_sample(), get_sample("rendered_walk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "study"
        print(f"load {os.getloadavg()[0]:.1f}, {len(os.sched_getaffinity(0))} cores", flush=True)
        for engine in ("loop", "local", "ray"):
            wall, spent = per_row(make(folder, rendered, arguments.rows, 1), engine, 1)
            print(f"row of one frame, {engine:5}: {1e3 * spent:6.1f} ms of processor, {1e3 * wall:6.1f} ms", flush=True)
        for sample, n_frames in ((rendered, 60), (filmed, 100)):
            study = make(folder, sample, arguments.clips + 2, n_frames)
            wall, spent = per_row(study, "local", 1)
            part = study._store.part(study.rows[0].name, {}).stat().st_size
            clips = (study.folder / CLIPS).stat().st_size / len(study)
            engine = study.clips()["engine"].iloc[0]
            print(
                f"{sample.name} in {engine}: {1e3 * spent / n_frames:.1f} ms of processor per frame, "
                f"{1e3 * wall / n_frames:.1f} ms; joints {part / n_frames:.0f} bytes per frame, "
                f"{clips:.0f} bytes per row of clips.parquet", flush=True,
            )  # fmt: skip
        for engine in ("local", "ray"):
            alone = math.nan
            for workers in arguments.workers:
                wall, spent = per_row(make(folder, filmed, (arguments.clips + 2) * workers, 100), engine, workers)
                alone = wall if workers == 1 else alone
                print(
                    f"{engine:5}, {workers} workers: {spent:.2f} s of processor per clip of 100 frames, {wall:.2f} s, "
                    f"{alone / wall:.2f} times as fast as 1, load {os.getloadavg()[0]:.1f}", flush=True,
                )  # fmt: skip


if __name__ == "__main__":
    main()
