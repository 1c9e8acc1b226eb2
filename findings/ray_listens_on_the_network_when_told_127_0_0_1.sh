#!/bin/bash
# Ray 2.60.0: `ray.init(_node_ip_address="127.0.0.1", include_dashboard=False)` starts servers that listen on all
# interfaces and on the address of the network: Ray replaces a loopback address by "a remotely reachable IP". They
# listen on loopback only if RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0, which is read at import, on Linux as well.
# Hurts: whoever believes that a cluster on this machine can be reached from this machine only.
# Seen: told 127.0.0.1: elsewhere True; no cluster of Windows or macOS: elsewhere False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check ray==2.60.0 psutil==7.2.2
cat >"$folder/try.py" <<'PYTHON'
import os
import sys

import psutil
import ray

os.environ["RAY_AUTH_TOKEN"] = "0" * 64
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
         _temp_dir=sys.argv[1], **({"_node_ip_address": "127.0.0.1"} if sys.argv[2] == "told" else {}))
ray.get(ray.remote(lambda: 1).remote())
places = {
    found.laddr.ip
    for child in psutil.Process().children(recursive=True)
    for found in child.net_connections("inet")
    if found.status == "LISTEN"
}
ray.shutdown()
print(bool(places - {"127.0.0.1", "::1", "::ffff:127.0.0.1"}))
PYTHON
cd "$folder"
told=$(RAY_USAGE_STATS_ENABLED=0 venv/bin/python try.py "$folder/1" told 2>/dev/null)
alone=$(RAY_USAGE_STATS_ENABLED=0 RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 venv/bin/python try.py "$folder/2" - 2>/dev/null)
echo "told 127.0.0.1: elsewhere $told; no cluster of Windows or macOS: elsewhere $alone"
[ "$told $alone" = "True False" ] || { echo "The behaviour has changed."; exit 1; }
