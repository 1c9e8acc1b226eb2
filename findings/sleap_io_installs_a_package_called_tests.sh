#!/bin/bash
# sleap-io 0.9.5: the wheel installs its own tests as a top-level package called "tests" into site-packages.
# Hurts: a project whose folder "tests" has no __init__.py is a namespace package, and a regular package anywhere on the
# path comes before it, even one that is later on the path. "import tests.helpers" then fails in the project's own folder.
# Seen: before: tests/helpers.py of the project; after: No module named 'tests.helpers', from site-packages/tests/__init__.py
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check sleap-io==0.9.5 --no-deps
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import os
import subprocess
import sys

os.makedirs("project/tests")
open("project/tests/helpers.py", "w").close()
code = "import tests.helpers; print('found', tests.helpers.__file__)"
run = subprocess.run([sys.executable, "-c", code], cwd="project", capture_output=True, text=True)
where = subprocess.run([sys.executable, "-c", "import tests; print(tests.__file__)"], cwd="project", capture_output=True, text=True)
without = subprocess.run([sys.executable, "-S", "-c", code], cwd="project", capture_output=True, text=True)
print("without site-packages:", without.stdout.strip().rsplit("/", 2)[-2:])
print("with:", run.stderr.strip().splitlines()[-1], where.stdout.strip().rsplit("/", 3)[-3:])
assert without.returncode == 0 and run.returncode != 0 and "tests.helpers" in run.stderr
assert where.stdout.strip().endswith("site-packages/tests/__init__.py")
PYTHON
