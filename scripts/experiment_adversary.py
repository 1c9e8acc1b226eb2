"""Effects of the temporal adversary and of distillation: the same data, seed and steps with one change each.

    dkd render
    python scripts/experiment_adversary.py --out runs/adversary [--data rendered pose2sim=FOLDER] [--seeds 0 1]

Three arms: the per-frame baseline with the DKD's encoder, a DKD, and the same DKD with the adversary. Each is trained
from random weights with the laptop's recipe, and then tracks all people in the complete data, as ``dkd evaluate`` does.
When started again, it resumes where it was stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
from tqdm import tqdm

from dkd.evaluation.results import Evaluation
from dkd.evaluation.run import evaluate
from dkd.evaluation.summaries import summarise
from dkd.training.config import load_recipe
from dkd.training.run import Run
from dkd.training.trainer import train

ARMS = {
    "per-frame baseline": ["model.name=simple-baseline-tiny", "model.settings={input_size: 128}"],
    "DKD": [],
    "DKD + adversary": ["adversary.eta=0.1"],
    "DKD + adversary, η = 1": ["adversary.eta=1.0"],
}
MEASURES = ["PCK@0.2", "PCK@0.1", "PCK@0.05", "acceleration error %"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", nargs="+", default=["rendered"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS)[:3])
    parser.add_argument("--set", nargs="+", default=[], action="extend", dest="words")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    arms: dict[str, str] = {}  # arm by name of the run
    for seed in args.seeds:
        for arm in args.arms:
            folder = args.out / f"{arm.replace(' ', '-').replace(',', '')}-seed{seed}"
            arms[folder.name] = arm
            config = load_recipe("laptop", [*args.words, *ARMS[arm], f"seed={seed}"])
            if Run(folder).status() != "finished":
                bar = tqdm(total=config.steps, initial=Run(folder).steps_done(), desc=folder.name, mininterval=10)
                for record in train(config, folder):
                    bar.update(record.step - bar.n)
    out = args.out / "evaluation"
    for progress in tqdm(evaluate([str(args.out / name) for name in arms], args.data, out), unit="video"):
        if progress.error:
            tqdm.write(f"{progress.video} was skipped for {progress.method}: {progress.error}")
    table = summarise(Evaluation(out).table(), by=("data", "model"))[MEASURES].reset_index()
    table.insert(1, "arm", table["model"].astype(str).map(arms))
    print(table.round(3).to_string(index=False))
    print("\nmean over seeds")
    print(table.groupby(["data", "arm"], sort=False, observed=True)[MEASURES].mean().round(3).to_string())


if __name__ == "__main__":
    main()
