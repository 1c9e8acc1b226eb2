"""What does the temporal adversary buy, and what distillation? The same data, seed and steps; one thing changed.

    dkd render
    python scripts/experiment_adversary.py --out runs/adversary [--labels FOLDER] [--seeds 0 1] [--set steps=1000 ...]

Three arms: the per-frame baseline with the DKD's encoder, a DKD, and the same DKD with the adversary. Each is trained
from random weights with the laptop's recipe, then follows all unseen rendered clips, and the Pose2Sim cameras where
--labels names the folder of machine labels (see ``evaluate_checkpoint.py``). Started again, it goes on where it was
stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from dkd import Clip, Trace, load_model
from dkd.datasets.sources import load_people
from dkd.metrics import acceleration_errors, pck_counts
from dkd.models import VideoPoseModel
from dkd.runs import Run
from dkd.samples import get_sample
from dkd.training import train
from dkd.training_config import load_recipe
from dkd.validation import validate
from scripts.evaluate_checkpoint import CAMERAS, machine_labels

ARMS = {
    "per-frame baseline": ["model.name=simple-baseline-tiny", "model.settings={input_size: 128}"],
    "DKD": [],
    "DKD + adversary": ["adversary.eta=0.1"],
    "DKD + adversary, η = 1": ["adversary.eta=1.0"],
}
MEASURES = ["pck@0.2", "pck@0.1", "pck@0.05", "acceleration"]


def on_cameras(model: VideoPoseModel, labels: Path) -> dict[str, float]:
    """PCK of the box and acceleration error (% of it), pooled over the four cameras, against machine labels."""
    hits, accelerations = np.zeros((3, 2)), []
    for camera in CAMERAS:
        sample = get_sample(camera)
        truth, side = machine_labels(labels / f"{camera}.npz")
        with Clip(sample.path) as clip:
            trace = Trace(model, clip, sample.box, progress=False)
            for row, alpha in zip(hits, (0.2, 0.1, 0.05), strict=True):
                row += pck_counts(trace.joints, truth, side, alpha)
            accelerations.append(acceleration_errors(trace.joints, truth, side))
    return dict(zip(MEASURES, (*hits[:, 0] / hits[:, 1], 100 * np.concatenate(accelerations).mean()), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS)[:3])
    parser.add_argument("--set", nargs="+", default=[], action="extend", dest="words")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rows = []
    for seed in args.seeds:
        for arm in args.arms:
            folder = args.out / f"{arm.replace(' ', '-').replace(',', '')}-seed{seed}"
            config = load_recipe("laptop", [*args.words, *ARMS[arm], f"seed={seed}"])
            if Run(folder).status() != "finished":
                bar = tqdm(total=config.steps, initial=Run(folder).steps_done(), desc=folder.name, mininterval=10)
                for record in train(config, folder):
                    bar.update(record.step - bar.n)
            model, last = load_model(folder / "model.safetensors"), Run(folder).log().iloc[-1]
            measured = {"rendered": validate(model, load_people(config.data.validation, "test"))}
            if args.labels:
                measured["cameras"] = on_cameras(model, args.labels)
            for data, values in measured.items():
                rows.append({"data": data, "arm": arm, "seed": seed, **values, "k at the end": last["k"]})
            pd.DataFrame(rows).to_csv(args.out / "results.csv", index=False, float_format="%.5g")
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False))
    print("\nmean over seeds")
    print(table.drop(columns="seed").groupby(["data", "arm"], sort=False).mean().round(3).to_string())


if __name__ == "__main__":
    main()
