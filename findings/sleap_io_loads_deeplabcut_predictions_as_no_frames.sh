#!/bin/bash
# sleap-io 0.9.5: load_file of a CSV of DeepLabCut's predictions (one row per frame, with likelihoods) returns labels
# without any frame, without an error or a warning. pandas reads the same file.
# Hurts: a conversion to SLEAP seems to work and writes an empty project.
# Seen: pandas: 5 rows; sleap-io: 0 frames, skeleton nose, tail
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check sleap-io==0.9.5 pandas==3.1.1
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import csv
import warnings

import pandas as pd
import sleap_io

rows = [["scorer"] + ["net"] * 6, ["bodyparts"] + ["nose"] * 3 + ["tail"] * 3, ["coords"] + ["x", "y", "likelihood"] * 2]
rows += [[t, 1.0 + t, 2.0, 0.9, 3.0, 4.0, 0.8] for t in range(5)]
with open("clipDLC_resnet50.csv", "w", newline="") as file:
    csv.writer(file).writerows(rows)
with warnings.catch_warnings():
    warnings.simplefilter("error", UserWarning)
    labels = sleap_io.load_file("clipDLC_resnet50.csv")
n_rows = len(pd.read_csv("clipDLC_resnet50.csv", header=[0, 1, 2], index_col=0))
print(f"pandas: {n_rows} rows; sleap-io: {len(labels)} frames, skeleton {', '.join(labels.skeleton.node_names)}")
assert n_rows == 5 and len(labels) == 0
PYTHON
