"""Judge evaluated methods by clips: means over clips, differences from one method with a bootstrap over clips, errors.

    dkd evaluate METHOD … --data FOLDER … --out runs/judged
    python scripts/judge_clips.py runs/judged dkd-mobilenetv2 [--limbs]

Every clip counts the same, however long it is. *Other side*: wrong at 0.2 and within 0.2 of the same joint of the other
side. *Sure and wrong*: wrong at 0.2 with a calibrated confidence above 0.8. *Off the person*: frames in which at least
half of the labelled joints are wrong at 0.2.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from dkd import Evaluation, add_errors, summarise
from dkd.errors import ConfigError
from dkd.evaluation.methods import get_method
from dkd.models.confidence import calibration_of

COLUMNS = ["PCK@0.2", "PCK@0.1", "PCK@0.05", "acceleration error %"]
SURE = 0.8


def per_clip(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method, source and clip."""
    return summarise(table, ["model", "data", "video"])[COLUMNS].sort_index()


def intervals(clips: pd.DataFrame, baseline: str, n: int = 5000) -> pd.DataFrame:
    """Return differences from the baseline per method and source, and of all: mean over clips, 95 % interval."""
    rows, differences = [], {}
    for (model, data), mine in clips.groupby(level=["model", "data"], observed=True):
        if model != baseline:
            other = clips.loc[(baseline, data)]
            differences[model, data] = mine.droplevel(["model", "data"]).sub(other).dropna()
    for model in dict.fromkeys(model for model, _ in differences):
        differences[model, "all"] = pd.concat([one for (its, _), one in differences.items() if its == model])
    for (model, data), difference in differences.items():
        drawn = np.random.default_rng(0).integers(0, len(difference), (n, len(difference)))
        low, high = np.percentile(difference.to_numpy()[drawn].mean(1), (2.5, 97.5), axis=0)
        texts = [f"{mean:+.3f} [{a:+.3f}, {b:+.3f}]" for mean, a, b in zip(difference.mean(), low, high, strict=True)]
        worse = [int((difference[name] < 0).sum()) for name in COLUMNS[:3]]
        rows.append({"model": model, "data": data, **dict(zip(COLUMNS, texts, strict=True)), "lower on": worse})
    return pd.DataFrame(rows).set_index(["data", "model"])


def errors(table: pd.DataFrame) -> pd.DataFrame:
    """Count the kinds of errors per method and source."""
    found = add_errors(table)
    found = found[found["counted"]]
    rows = []
    for (data, model), mine in found.groupby(["data", "model"], observed=True):
        wrong = ~mine["hit"].to_numpy(bool)
        try:
            curve = calibration_of(get_method(str(model)).model)
        except ConfigError:  # a run or a file of your own: the results keep only its short name
            curve = None
        scores = mine["score"].to_numpy()
        sure = np.clip(scores, 0, 1) if curve is None else curve(scores)
        off = mine.assign(wrong=wrong).groupby(["video", "frame"], observed=True)["wrong"].mean() >= 0.5
        rows.append(
            {
                "data": data, "model": model, "joints": len(mine), "wrong": int(wrong.sum()),
                "other side": int((wrong & (mine["kind"] == "inversion")).sum()),
                "sure and wrong": int((wrong & (sure > SURE)).sum()) if curve is not None else "–",
                "off the person": int(off.sum()),
            }
        )  # fmt: skip
    return pd.DataFrame(rows).set_index(["data", "model"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results of dkd evaluate")
    parser.add_argument("baseline", help="method with which the others are compared")
    parser.add_argument("--limbs", action="store_true", help="without the head")
    parser.add_argument("--clips", action="store_true", help="also print every clip")
    arguments = parser.parse_args()
    table = Evaluation(arguments.folder).table()
    if arguments.limbs:
        table = table[table["joint"] != "head"]
    clips = per_clip(table)
    pd.set_option("display.width", 250, "display.max_columns", None, "display.max_rows", None)
    print(clips.groupby(level=["data", "model"], observed=True).mean().round(3), "\n")
    print(intervals(clips, arguments.baseline).to_string(), "\n")
    print(errors(table).to_string())
    if arguments.clips:
        print(clips.round(3).to_string())


if __name__ == "__main__":
    main()
