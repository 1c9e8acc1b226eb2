"""``make fuzz``: random inputs for readers and geometry, for ten minutes, or as many as are given.

    python -m tests.fuzz [minutes] [name of a target]

Each round has a seed, which is printed. What fails is kept in ``.hypothesis`` and tried first in the next run.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import SystemRandom
from typing import Any

from hypothesis import HealthCheck, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.fuzz import files, geometry

TARGETS = (*files.TARGETS, *geometry.TARGETS)
_EXAMPLES = 100  # in a round
_HANGS_AFTER_S = 900  # for a round


def main(minutes: float = 10.0, only: str = "") -> int:
    """Run rounds of all targets until the time is over; return 1 if one failed."""
    database = DirectoryBasedExampleDatabase(Path(".hypothesis").absolute() / "fuzz")
    chosen = settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=database,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    targets = [chosen(one) for one in TARGETS if only in one.__name__]
    end, counts, failed = time.monotonic() + 60 * minutes, dict[str, int](), dict[str, int]()
    logging.getLogger("dkd").setLevel(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders complain there about each input
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        while time.monotonic() < end and len(failed) < len(targets):
            for target in (one for one in targets if one.__name__ not in failed):
                number = SystemRandom().getrandbits(32)
                if (error := _round(target, number)) is not None:
                    failed[target.__name__] = number
                    print(f"{target.__name__}, seed {number}:\n{error}", flush=True)
                counts[target.__name__] = counts.get(target.__name__, 0) + _EXAMPLES
                if time.monotonic() > end:
                    break
        os.chdir("/")
    for name, count in counts.items():
        print(f"{name}: {count} inputs{f', failed with seed {failed[name]}' if name in failed else ''}")
    return 1 if failed else 0


def _round(target: Any, number: int) -> str | None:
    faulthandler.dump_traceback_later(_HANGS_AFTER_S, exit=True, file=sys.stdout)
    try:
        seed(number)(target)()
    except Exception:
        return traceback.format_exc(limit=-12)
    finally:
        faulthandler.cancel_dump_traceback_later()
    return None


if __name__ == "__main__":
    sys.exit(main(float((*sys.argv, "10")[1]), *sys.argv[2:3]))
