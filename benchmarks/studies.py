"""What a study costs besides its traces: against a plain loop, with one and two workers; restarts of large studies.

    python -m benchmarks.studies [--clips 12] [--rows 10000 100000]

The loop and the studies trace the same clips with one thread for each network, taking turns. A finished study of many
rows is written without tracing anything; then a process of its own opens it and runs it again.
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

from dkd.studies.plan import Plan
from dkd.studies.settings import StudySettings, model_hash, work_key
from dkd.studies.store import CLIP_COLUMNS, Store
from dkd.studies.study import Study
from dkd.studies.table import Row, read_table, write_table
from dkd.video.samples import default_sample

LOOP = """
import json, sys, time
import cv2, torch
torch.set_num_threads(1); cv2.setNumThreads(1)
from pathlib import Path
from dkd.studies.study import Study
from dkd.studies.work import do_row, open_model
study = Study(sys.argv[1])
model = open_model(study.settings)
begin = time.perf_counter()
for row in study.rows:
    facts = {"key": "", "model_sha256": "", "attempts": 1}
    do_row(model, row, study.video(row), study.settings, Path(sys.argv[2]), facts)
print(json.dumps(time.perf_counter() - begin))
"""
RESTART = """
import json, sys, time
import psutil, pyarrow.parquet
base = psutil.Process().memory_info().rss
begin = time.perf_counter()
from dkd.studies.study import Study
study = Study(sys.argv[1])
opened = time.perf_counter() - begin
assert list(study.run(1)) == []
ran = time.perf_counter() - begin
print(json.dumps([opened, ran, (psutil.Process().memory_info().rss - base) / 1e6]))
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


def restart(folder: Path, n_rows: int) -> None:
    """Print how long a finished study of many rows takes to open and to run again, and how much memory that needs."""
    (folder / "videos").mkdir(parents=True)
    video = folder / "videos" / "clip.mp4"
    video.touch()
    rows = [Row(0, "../videos/clip.mp4", f"person {i}", groups={"condition": f"c{i % 20}"}) for i in range(n_rows)]
    study = folder / "study"
    study.mkdir()
    write_table(study / "study.csv", rows)
    (study / "study.yaml").write_text("model: dkd-mobilenetv2\n")
    store, settings = Store(study), StudySettings()
    weights, state = model_hash(settings), video.stat()
    plan = Plan(store, read_table(study / "study.csv"), ["condition"], settings, weights)
    for i, row in enumerate(rows):
        clip: dict[str, Any] = dict.fromkeys(CLIP_COLUMNS)
        clip |= {
            "name": row.name, "video": row.video, "person": row.person, "status": "done", "frames": 300,
            "key": work_key(row, settings, weights), "video_bytes": state.st_size, "video_mtime_ns": state.st_mtime_ns,
            "video_sha256": "", "confidence": (i % 100) / 100,
        }  # fmt: skip
        plan._new.append(clip)
        part = store.part(row.name, row.groups)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    plan.save()
    opened, ran, memory = run_child(RESTART, str(study))
    print(f"finished study of {n_rows} rows: open {opened:.2f} s, run again {ran:.2f} s, {memory:.0f} MB of memory")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=12, help="clips of the comparison (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of it (default: %(default)s)")
    parser.add_argument("--rows", type=int, nargs="*", default=[100, 10_000, 100_000], help="rows of finished studies")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for n_rows in arguments.rows:
            restart(Path(folder) / f"restart{n_rows}", n_rows)
        if arguments.clips:
            compare(Path(folder), arguments.clips, arguments.rounds)


if __name__ == "__main__":
    main()
