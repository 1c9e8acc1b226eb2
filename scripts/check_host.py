"""Stop an installation that cannot succeed, with one line that says why. This script runs on any Python 3."""

import shutil
import sys

OLDEST, TOO_NEW = (3, 11), (3, 14)
# The environment takes 1.5 GB with PyTorch for the CPU, and pip needs the same amount again while unpacking.
NEEDED_GB = 3


def main():
    found = sys.version_info[:2]
    if not OLDEST <= found < TOO_NEW:
        versions = "expected Python {}.{} or newer, older than {}.{}, got {}.{}".format(*OLDEST, *TOO_NEW, *found)
        sys.exit(versions + "; choose another one: make lab PYTHON=python3.12")
    free_gb = shutil.disk_usage(".").free / 1e9
    if free_gb < NEEDED_GB:
        sys.exit(f"expected {NEEDED_GB} GB of free disk space here, got {free_gb:.1f} GB; free some space first")


if __name__ == "__main__":
    main()
