"""A study of many clips: the first was really traced, the others have made-up results."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from dkd import Study, get_sample
from dkd.studies.local import Outcome
from dkd.studies.plan import Plan
from dkd.studies.settings import StudySettings, model_hash, work_key, write_settings
from dkd.studies.store import Store

FRAMES = 8
VERDICTS = ("followed", "partly lost", "doubtful")


def many_clips(folder: Path, n: int, person: str = "person", group: str = "walk", stem: str = "clip") -> Study:
    """Make a finished study of ``n`` rows, with these names. The real one is the least confident; row 3 failed."""
    sample = get_sample("rendered_walk")
    (folder / "videos").mkdir(parents=True)
    box = ",".join(f"{edge:g}" for edge in sample.box)
    lines = ["video,person,box,start,stop,condition"]
    quoted = [name.replace('"', '""') for name in (stem, person, group)]
    for i in range(n):
        video = folder / "videos" / f"{stem}{i:03}.mp4"
        shutil.copy(sample.path, video) if i == 0 else video.touch()
        names = f'"../videos/{quoted[0]}{i:03}.mp4","{quoted[1]} {i}"'
        lines.append(f'{names},"{box}",0,{FRAMES},"{quoted[2] if i % 2 else "run"}"')
    study_folder = folder / "study"
    study_folder.mkdir()
    table = "\n".join(lines) + "\n"
    (study_folder / "study.csv").write_text("\n".join(lines[:2]) + "\n")
    write_settings(study_folder / "study.yaml", StudySettings("dkd-mobilenetv2", engine="torch"))
    assert [one.error for one in Study(study_folder).run(1)] == [None]
    (study_folder / "study.csv").write_text(table)

    study, store = Study(study_folder), Store(study_folder)
    weights = model_hash(study.settings)
    plan = Plan(store, study_folder, study.rows, study.settings, weights)
    for i, row in enumerate(study.rows[1:], 1):
        if i == 3:
            plan.record(i, Outcome({"name": row.name}, None, "no such file", "VideoNotFoundError"), 2)
            continue
        confidence = 0.95 + 0.04 * i / n
        state = study.video(row).stat()
        clip = {
            "name": row.name, "video": row.video, "person": row.person, **row.groups, "status": "done",
            "attempts": 1, "frames": FRAMES, "first": 0, "verdict": VERDICTS[i % 3], "confidence": confidence,
            "lowest_confidence": confidence - 0.1, "lost_frames": i % 5, "strange_frames": 0, "jumps": i, "flips": 0,
            "drifts": 0, "worst_severity": 1.0 + i / n, "worst_frame": 2, "worst_reason": "jump",
            "key": work_key(row, study.settings, weights), "video_sha256": "", "video_bytes": state.st_size,
            "video_mtime_ns": state.st_mtime_ns,
        }  # fmt: skip
        joints = pd.DataFrame({
            "video": row.video, "person": row.person, "frame": np.arange(FRAMES), "time_s": np.arange(FRAMES) / 30,
            "joint": "head", "x": 1.0, "y": 2.0, "score": 0.9, "confidence": np.float32(confidence),
        })  # fmt: skip
        store.write_part(store.part(row.name, row.groups), joints, clip)
        plan.record(i, Outcome({"name": row.name}, clip), 1)
    plan.save()
    return Study(study_folder)
