"""Our files read by movement 0.17, which needs Python 3.12: in an environment of its own, where there is one.

Set ``DKD_MOVEMENT_PYTHON`` to a Python with movement 0.17; otherwise ``python3.12`` and ``python3.13`` are tried. The
tests next to this one use the newest movement that installs with the Python that runs them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from dkd import export
from dkd.pose.skeleton import SKELETONS
from tests.support.tracks import make_track, same

FPS = 30000 / 1001
READER = """
import json, sys
from importlib.metadata import version
import numpy as np, xarray
from movement.io import load_poses
from movement.kinematics import compute_velocity

folder, fps = sys.argv[1], float(sys.argv[2])
found = {"version": version("movement")}
for name, data in {
    "csv": load_poses.from_dlc_file(f"{folder}/a.dlc.csv", fps=fps),
    "h5": load_poses.from_dlc_file(f"{folder}/a.h5", fps=fps),
    "sleap": load_poses.from_sleap_file(f"{folder}/a.slp", fps=fps),
    "nwb": load_poses.from_nwb_file(f"{folder}/a.nwb", pose_estimation_key="mouse 1"),
    "movement": xarray.open_dataset(f"{folder}/a.nc"),
}.items():
    found[name] = {
        "dims": list(data.position.dims), "keypoints": data.keypoint.values.tolist(),
        "individuals": data.individual.values.tolist(), "time": data.time.values.tolist(),
    }
    np.save(f"{folder}/{name}.npy", data.position.transpose("time", "individual", "keypoint", "space").values)
velocity = compute_velocity(xarray.open_dataset(f"{folder}/a.nc").position)
np.save(f"{folder}/velocity.npy", velocity.transpose("time", "individual", "keypoint", "space").values)
print(json.dumps(found))
"""


def newest() -> str | None:
    """A Python with movement 0.17 or later, which is not the one that runs the tests."""
    for name in filter(None, (os.environ.get("DKD_MOVEMENT_PYTHON"), "python3.12", "python3.13")):
        path = shutil.which(name)
        code = "import movement, importlib.metadata as m; assert m.version('movement') >= '0.17'"
        if path and subprocess.run([path, "-c", code], capture_output=True).returncode == 0:
            return path
    return None


def test_movement_017_reads_all_its_formats(tmp_path: Path) -> None:
    python = newest()
    if python is None:
        pytest.skip("there is no Python 3.12 with movement 0.17; set DKD_MOVEMENT_PYTHON")
    track = make_track(2, 12, 2, SKELETONS["penn_action"], FPS, 4)
    for ending in (".dlc.csv", ".h5", ".slp", ".nwb", ".nc"):
        export(track, tmp_path / f"a{ending}")
    run = subprocess.run([python, "-c", READER, str(tmp_path), str(FPS)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    for name in ("csv", "h5", "sleap", "nwb", "movement"):
        about, xy = found[name], np.load(tmp_path / f"{name}.npy")
        assert about["dims"] == ["time", "space", "keypoint", "individual"]
        xy = xy[:, :, [about["keypoints"].index(joint) for joint in track.joints]]
        if name == "nwb":  # one person at a time, from 0 on
            assert about["keypoints"] == sorted(track.joints) and same(track.xy[:, 1:], xy)
            continue
        xy = xy[:, [about["individuals"].index(person) for person in track.people]]
        rows = np.arange(12) if name == "movement" else track.frames
        assert same(track.xy, xy[rows]) and np.allclose(np.array(about["time"])[rows], track.times)
    expected = np.gradient(track.xy, track.times, axis=0)
    assert np.allclose(np.load(tmp_path / "velocity.npy"), expected, equal_nan=True, rtol=1e-3, atol=1e-2)
