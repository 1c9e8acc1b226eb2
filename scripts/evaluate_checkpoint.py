"""The numbers of a checkpoint's card: the four Pose2Sim cameras, whole clips, recursively, no re-initialisation.

    python scripts/evaluate_checkpoint.py data/checkpoints/dkd-mobilenetv2.safetensors --labels FOLDER

FOLDER holds ``pose2sim_cam01.npz`` … with ``consensus17`` (T, 17, 2), ``agree`` (T, 17) and ``bbox_size`` (T,): machine
labels, the agreement of two networks. PCK is of the box's larger side, over joints on which the two agree.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from dkd import Clip, Trace, load_model
from dkd.metrics import pck, pck_mean
from dkd.reliance import erase, one_step_reliance, swap_sides
from dkd.samples import get_sample
from dkd.skeleton import convert_joints

CAMERAS = ("pose2sim_cam01", "pose2sim_cam02", "pose2sim_cam03", "pose2sim_cam04")


def machine_labels(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """(T, 13, 2) joints in Penn Action's order, NaN where the two networks disagree, and the box's larger side (T,)."""
    with np.load(file, allow_pickle=False) as archive:
        joints = np.where(archive["agree"][..., None], archive["consensus17"], np.nan)
        return convert_joints(joints, "coco", "penn_action"), archive["bbox_size"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--labels", type=Path, required=True)
    args = parser.parse_args()
    model = load_model(args.checkpoint)
    feedbacks = {"as trained": None, "H erased": erase, "sides swapped": swap_sides(model.skeleton)}
    rows, per_joint, one_step = [], [], []
    for camera in CAMERAS:
        sample = get_sample(camera)
        truth, side = machine_labels(args.labels / f"{camera}.npz")
        with Clip(sample.path) as clip:
            for name, feedback in feedbacks.items():
                trace = Trace(model, clip, box=sample.box, feedback=feedback, progress=False)
                acceleration = np.linalg.norm(np.diff(trace.joints, 2, axis=0), axis=-1) / side[1:-1, None]
                rows.append(
                    {"camera": camera, "run": name}
                    | {f"PCK@{a}": pck_mean(trace.joints, truth, side, a) for a in (0.2, 0.1, 0.05)}
                    | {"jitter %": 100 * float(np.nanmean(acceleration)), "score": float(trace.scores.mean())}
                )
                if feedback is None:
                    per_joint.append(pck(trace.joints, truth, side, 0.2))
                    one_step.append(one_step_reliance(trace))
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    print("\nmean over the four cameras")
    print(table.drop(columns="camera").groupby("run", sort=False).mean().round(3).to_string())
    print("\nPCK@0.2 per joint, as trained, mean over the cameras")
    print(pd.Series(np.nanmean(per_joint, 0), model.skeleton.joints).round(3).to_string())
    print("\none step: change of the next frame's maps when H_t alone is changed")
    print((sum(one_step[1:], one_step[0]) / len(one_step)).round(4).to_string())


if __name__ == "__main__":
    main()
