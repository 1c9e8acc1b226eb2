#!/bin/bash
# pycocotools 2.0.11: a detection with one NaN coordinate is a match at every threshold of OKS, however far its other
# joints are. (NaN compares false, so "OKS below the threshold" is never true.)
# Hurts: results with NaN for missing joints, which Python's json writes without complaint, get an average precision of 1.
# Seen: right: 1.0, wrong: 0.0, wrong with one joint NaN: 1.0, wrong with one joint left out: 0.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def precision(points):
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": 1, "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "person", "keypoints": ["a", "b"], "skeleton": []}],
        "annotations": [
            {
                "id": 1, "image_id": 1, "category_id": 1, "keypoints": [100, 100, 2, 200, 200, 2], "num_keypoints": 2,
                "bbox": [100, 100, 100, 100], "area": 10000.0, "iscrowd": 0,
            }
        ],
    }
    truth.createIndex()
    found = truth.loadRes([{"image_id": 1, "category_id": 1, "keypoints": points, "score": 1.0}])
    scored = COCOeval(truth, found, "keypoints")
    scored.params.kpt_oks_sigmas = np.array([0.05, 0.05])
    scored.evaluate()
    scored.accumulate()
    return float(scored.eval["precision"][:, :, 0, 0, 0].mean())


nan = float("nan")
with contextlib.redirect_stdout(io.StringIO()):
    right, wrong = precision([100, 100, 2, 200, 200, 2]), precision([400, 400, 2, 500, 50, 2])
    unknown, left_out = precision([400, 400, 2, nan, nan, 2]), precision([400, 400, 2, 0, 0, 0])
print(f"right: {right:.1f}, wrong: {wrong:.1f}, wrong with one joint NaN: {unknown:.1f}, left out: {left_out:.1f}")
assert right > 0.99 and wrong == left_out == 0 and unknown > 0.99
PYTHON
