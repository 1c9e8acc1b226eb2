#!/bin/bash
# opencv-python-headless 5.0.0.93: HOGDescriptor (with its people detector) and CascadeClassifier are gone; both were in
# the same wheel of version 4. They are in the contrib wheel, under the same names. cv2.data.haarcascades still names a
# folder, without a single cascade in it.
# Hurts: `opencv-python-headless>=4.10` installs, imports, and fails with an AttributeError when people are searched for.
# Seen: main wheel 5.0.0.93: HOGDescriptor no, CascadeClassifier no; contrib wheel 5.0.0.93: HOGDescriptor yes,
# CascadeClassifier yes; main wheel 4.12.0.88: HOGDescriptor yes, CascadeClassifier yes
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
for wheel in opencv-python-headless==5.0.0.93 opencv-contrib-python-headless==5.0.0.93 opencv-python-headless==4.12.0.88; do
  venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target "$wheel" "$wheel" numpy==2.2.6
done
venv/bin/python - <<'PYTHON' || { echo "The behaviour has changed."; exit 1; }
import subprocess
import sys

NAMES = "HOGDescriptor", "CascadeClassifier"
ask = f"import cv2; print(*[hasattr(cv2, name) for name in {NAMES}])"
seen = {}
for kind, wheel in (
    ("main wheel 5.0.0.93", "opencv-python-headless==5.0.0.93"),
    ("contrib wheel 5.0.0.93", "opencv-contrib-python-headless==5.0.0.93"),
    ("main wheel 4.12.0.88", "opencv-python-headless==4.12.0.88"),
):
    run = subprocess.run([sys.executable, "-c", ask], env={"PYTHONPATH": wheel}, capture_output=True, text=True, check=True)
    seen[kind] = [word == "True" for word in run.stdout.split()]
print("; ".join(
    f"{kind}: " + ", ".join(f"{name} {'yes' if has else 'no'}" for name, has in zip(NAMES, there))
    for kind, there in seen.items()
))
assert list(seen.values()) == [[False, False], [True, True], [True, True]]
PYTHON
