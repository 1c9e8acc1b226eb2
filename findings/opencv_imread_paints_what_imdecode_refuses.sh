#!/bin/bash
# opencv-python-headless 5.0.0.93: cv2.imread returns a picture for a JPEG file that was cut to a third, with the missing
# part in grey, while cv2.imdecode returns None for the very same bytes.
# Hurts: a data set on a full disk or from a broken download is trained and measured on as half-grey pictures, and the
# usual check, "imread returned None", passes.
# Seen: imread: (240, 320, 3), 66% of its rows are grey; imdecode: None; whole: (240, 320, 3)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import cv2
import numpy as np

picture = np.kron(np.random.default_rng(0).integers(0, 255, (12, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8)
cv2.imwrite("whole.jpg", picture)
data = open("whole.jpg", "rb").read()
open("cut.jpg", "wb").write(data[: len(data) // 3])
by_file = cv2.imread("cut.jpg")
by_bytes = cv2.imdecode(np.frombuffer(data[: len(data) // 3], np.uint8), cv2.IMREAD_COLOR)
whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
grey = float(np.mean([len(np.unique(row)) == 1 for row in by_file]))
print(f"imread: {by_file.shape}, {grey:.0%} of its rows are grey; imdecode: {by_bytes}; whole: {whole.shape}")
assert by_file.shape == whole.shape and grey > 0.3 and by_bytes is None
PYTHON
