"""How long a what-if of 300 frames takes, next to the build before the engines; the two builds take turns.

    python -m benchmarks.what_ifs [COMMIT] [--frames 300] [--rounds 3] [--out figures.json]

The clip is the sample clip forwards and backwards, encoded again as H.264 with 720 lines. Both builds run it once; then
each makes the same what-ifs, one after the other, in a process of its own. The first what-if of this build decodes the
frames, as the other build always does; later ones find the parts of the frames that they need. The other build is
checked out into a temporary folder; COMMIT is by default the last one that ran everything in eager PyTorch. On a busy
machine the seconds of the processors say more than those that pass.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2

from benchmarks.browser import keep
from benchmarks.reload import PROJECT, checked_out
from dkd import Clip
from dkd.video.samples import default_sample

EAGER = "40319db^"
CALLS = {  # k is the round: the same what-if twice would find all features again
    "one kernel edited": "edit_kernel(range(40 + {k}, 41 + {k}), 'zero', channels=(3 + {k},))",
    "kernels frozen": "freeze_kernel(12 + {k})",
    "dark for 20 frames": "darken(range(40 + {k}, 60 + {k}))",
    "state swapped once": "change_state(30 + {k}, 'swap_sides')",
}
LINES = 720
WORKER = """
import json, sys, time
from dkd import Clip, Trace, load_model
path, box, stop = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
clip = Clip(path)
begin = time.perf_counter()
trace = Trace(load_model("dkd-mobilenetv2"), clip, box=tuple(box), stop=stop, progress=False)
print(json.dumps([time.perf_counter() - begin, len(trace), getattr(trace, "engine", "torch")]), flush=True)
for call in sys.stdin:
    begin, worked = time.perf_counter(), time.process_time()
    changed = eval(f"trace.{call}", {"trace": trace})
    print(json.dumps([time.perf_counter() - begin, time.process_time() - worked]), flush=True)
    changed.close()
"""


def write_clip(path: Path, frames: int) -> list[float]:
    """Encode the sample clip forwards and backwards with :data:`LINES` lines; return the box in its first frame."""
    sample = default_sample()
    with Clip(sample.path) as clip, av.open(str(path), "w") as out:
        scale, n = LINES / clip.height, len(clip)
        stream: Any = out.add_stream("libx264", rate=round(clip.fps or 25), options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 2 * round(clip.width * scale / 2), LINES, "yuv420p"
        for t in range(frames):
            at = t % (2 * n - 2)
            image: Any = clip.frame(at if at < n else 2 * n - 2 - at)
            image = cv2.resize(image, (stream.width, stream.height), interpolation=cv2.INTER_AREA)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
    return [v * scale for v in sample.box]


class Build:
    """One build of the project, in a process that waits for what it is asked to do."""

    def __init__(self, folder: Path, clip: Path, box: list[float], frames: int):
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(clip), json.dumps(box), str(frames)], cwd=folder, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.base_s, self.frames, self.engine = self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the build stopped with exit status {self._process.wait()}")
        return json.loads(line)

    def seconds(self, call: str) -> list[float]:
        """Make a what-if; return the seconds that passed, and those of all processors together."""
        assert self._process.stdin is not None
        self._process.stdin.write(call + "\n")
        self._process.stdin.flush()
        return list(self._answer())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def measure(commit: str, frames: int, rounds: int) -> dict[str, Any]:
    """Print and return the seconds of each what-if in both builds, and their ratio."""
    figures: dict[str, Any] = {"commit": commit, "rounds": rounds, "load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="dkd-bench-") as name, checked_out(commit, Path(name)) as old:
        clip = Path(name) / "clip.mp4"
        box = write_clip(clip, frames)
        builds: dict[str, Build] = {}
        try:
            for title, folder in (("before", old), ("now", PROJECT)):
                builds[title] = build = Build(folder, clip, box, frames)
                print(f"{title}: {build.engine}, the run itself {1e3 * build.base_s / build.frames:.1f} ms per frame")
            first = {title: build.seconds("freeze_kernel(5)") for title, build in builds.items()}
            figures["the first one"] = row("the first one", {title: [found] for title, found in first.items()})
            for title, call in CALLS.items():
                found: dict[str, list[list[float]]] = {which: [] for which in builds}
                for k in range(rounds):
                    for which, build in builds.items():
                        found[which].append(build.seconds(call.format(k=k)))
                figures[title] = row(title, found)
        finally:
            for build in builds.values():
                build.close()
    figures["load_after"] = os.getloadavg()[0]
    print(f"load {figures['load_before']:.1f} before, {figures['load_after']:.1f} after; medians of {rounds}")
    return figures


def row(title: str, found: dict[str, list[list[float]]]) -> dict[str, float]:
    """Print and return the medians of the seconds that passed and of the processors' seconds, and their ratios."""
    wall, work = ({which: median(one[i] for one in found[which]) for which in found} for i in (0, 1))
    ratios = wall["now"] / wall["before"], work["now"] / work["before"]
    print(
        f"{title:20} {wall['before']:6.2f} s before, {wall['now']:6.2f} s now, {ratios[0]:.2f}×; of the processors "
        f"{work['before']:6.2f} s before, {work['now']:6.2f} s now, {ratios[1]:.2f}×",
        flush=True,
    )
    return {**wall, "ratio": ratios[0], "processors_ratio": ratios[1]}


def main() -> int:
    """Print the table, and write it as JSON to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", nargs="?", default=EAGER, help="the build to compare with (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    keep(measure(arguments.commit, arguments.frames, arguments.rounds), arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
