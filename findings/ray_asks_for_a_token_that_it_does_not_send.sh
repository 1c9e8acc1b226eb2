#!/bin/bash
# Ray 2.60.0: RAY_AUTH_MODE is read when Ray is imported, and again by the processes that it starts. If a program sets
# it in between, the processes ask for a token that the program does not send, and `ray.init` fails after 20 seconds.
# With RAY_AUTH_TOKEN alone it works: the mode is then switched on by `ray.init` itself, and no file is written.
# Hurts: setting all that Ray reads from the environment in one place, after an import elsewhere.
# Seen: mode and token: RuntimeError, token only: started, a token in the home folder False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check ray==2.60.0
cat >"$folder/try.py" <<'PYTHON'
import os
import sys

import ray

os.environ.update(name.split("=") for name in sys.argv[2:])
try:
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR", _temp_dir=sys.argv[1])
    print("started")
except RuntimeError:
    print("RuntimeError")
PYTHON
mkdir "$folder/home"
export HOME=$folder/home RAY_USAGE_STATS_ENABLED=0 RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0
unset RAY_AUTH_MODE RAY_AUTH_TOKEN
cd "$folder"
both=$(venv/bin/python try.py "$folder/1" RAY_AUTH_MODE=token RAY_AUTH_TOKEN=0123456789abcdef0123456789abcdef 2>/dev/null)
token=$(venv/bin/python try.py "$folder/2" RAY_AUTH_TOKEN=0123456789abcdef0123456789abcdef 2>/dev/null)
written=$([ -e "$HOME/.ray/auth_token" ] && echo True || echo False)
echo "mode and token: $both, token only: $token, a token in the home folder $written"
[ "$both $token $written" = "RuntimeError started False" ] || { echo "The behaviour has changed."; exit 1; }
