"""What a study costs besides its traces: against a plain loop, with one and two workers; restarts of large studies.

    python -m benchmarks.studies [--clips 12] [--rows 10000 100000]

The loop and the studies trace the same clips with one thread for each network, taking turns. A study of many rows is
run with a fake tracer, in a process of its own, and then opened and run again when it is finished.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dkd.studies.rows import Row
from dkd.studies.store import CLIP_COLUMNS, Store
from dkd.studies.study import Study
from dkd.studies.table import write_table
from dkd.video.samples import default_sample

LOOP = """
import json, sys, time
import cv2, torch
torch.set_num_threads(1); cv2.setNumThreads(1)
from dkd.studies.store import Store
from dkd.studies.study import Study
from dkd.studies.work import do_row, open_model
study = Study(sys.argv[1])
model = open_model(study.settings)
begin = time.perf_counter()
for row in study.rows:
    facts = {"key": "", "model_sha256": "", "attempts": 1}
    do_row(model, row, study.video(row), study.settings, Store(sys.argv[2]), facts)
print(json.dumps(time.perf_counter() - begin))
"""
MEMORY = """
import json, os, sys, time
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # as dkd study run
import psutil, pyarrow.dataset, pyarrow.parquet, pandas
from dkd.studies.local import Outcome
from dkd.studies.study import Study

def status(name):  # of /proc/self/status, in kB
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))

class Fake:
    def __init__(self, clip): self.clip = clip
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def run(self, tasks):
        for task in tasks:
            row, facts = task["row"], task["facts"]
            yield Outcome(task, {**self.clip, "name": task["name"], "video": row["video"], "person": row["person"],
                                 **row["groups"], **facts})

base = status("VmRSS")
begin = time.perf_counter()
study = Study(sys.argv[1])
opened = time.perf_counter() - begin
n = sum(1 for _ in study.run(engine=Fake(json.loads(sys.argv[2]))))
assert n in (0, len(study)), n
ran = time.perf_counter() - begin
print(json.dumps([opened, ran, base / 1e3, (status("VmHWM") - base) / 1e3]))
"""


def run_child(program: str, *arguments: str) -> Any:
    """Run a program in a process of its own and return what it prints as JSON."""
    command = [sys.executable, "-c", program, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def compare(folder: Path, n_clips: int, rounds: int) -> None:
    """Print what a clip costs in a plain loop, and in studies of one and two workers."""
    sample = default_sample()
    (folder / "videos").mkdir()
    for i in range(n_clips):
        shutil.copy(sample.path, folder / "videos" / f"{i}.mp4")
    box = f'"{",".join(f"{edge:g}" for edge in sample.box)}"' if sample.box else "find"
    lines = [f"../videos/{i}.mp4,{box}" for i in range(n_clips)]
    seconds: dict[str, list[float]] = {"plain loop": [], "1 worker": [], "2 workers": []}
    for n in range(rounds):
        place = folder / f"study{n}"
        for workers in (0, 1, 2):
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            (place / "study.csv").write_text("\n".join(["video,box", *lines]) + "\n")
            (place / "study.yaml").write_text("model: dkd-mobilenetv2\n")
            study = Study(place)
            if workers == 0:
                seconds["plain loop"].append(run_child(LOOP, str(place), str(folder / "loop")))
                continue
            first = None
            for _ in study.run(workers):  # the start of the workers, a few seconds, is not a cost of a clip
                first = first or time.perf_counter()
            assert first is not None
            done = n_clips - 1
            seconds[f"{workers} worker{'s' * (workers > 1)}"].append((time.perf_counter() - first) * n_clips / done)
    print(f"{n_clips} clips of {sample.name}, {rounds} rounds, load {os.getloadavg()[0]:.1f}; seconds per clip")
    best = {name: min(values) / n_clips for name, values in seconds.items()}
    for name, value in best.items():
        print(f"  {name:12} {value:6.2f}   loop ÷ this {best['plain loop'] / value:.2f}")


def grow(folder: Path, n_rows: int) -> None:
    """Print what a study of many rows costs its driver: a run whose tracer is a fake, and one with nothing left to do.

    Memory is the most that was in use, beyond what the imports need.
    """
    (folder / "videos").mkdir(parents=True)
    video = folder / "videos" / "clip.mp4"
    video.touch()
    rows = [Row(0, "../videos/clip.mp4", f"person {i}", groups={"condition": f"c{i % 20}"}) for i in range(n_rows)]
    study = folder / "study"
    study.mkdir()
    write_table(study / "study.csv", rows)
    (study / "study.yaml").write_text("model: dkd-mobilenetv2\n")
    store, state = Store(study), video.stat()
    clip: dict[str, Any] = dict.fromkeys(CLIP_COLUMNS) | {
        "status": "done", "frames": 300, "video_sha256": "0" * 64, "confidence": 0.9, "verdict": "followed",
        "video_bytes": state.st_size, "video_mtime_ns": state.st_mtime_ns, "finished": "2026-01-01T00:00:00+0000",
    }  # fmt: skip
    opened, ran, base, memory = run_child(MEMORY, str(study), json.dumps(clip))
    print(
        f"{n_rows} rows, a fake tracer: open {opened:.2f} s, run {ran:.2f} s, {base:.0f} + {memory:.0f} MB", flush=True
    )
    for row in rows:
        part = store.part(row.name, row.groups)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    opened, ran, base, memory = run_child(MEMORY, str(study), json.dumps(clip))
    print(
        f"{n_rows} rows, all done:      open {opened:.2f} s, run {ran:.2f} s, {base:.0f} + {memory:.0f} MB", flush=True
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=12, help="clips of the comparison (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of it (default: %(default)s)")
    parser.add_argument(
        "--rows", type=int, nargs="*", default=[100, 10_000, 100_000], help="rows of studies with a fake tracer"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for n_rows in arguments.rows:
            grow(Path(folder) / f"rows{n_rows}", n_rows)
        if arguments.clips:
            compare(Path(folder), arguments.clips, arguments.rounds)


if __name__ == "__main__":
    main()
