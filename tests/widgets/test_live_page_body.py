"""The body that a live page remembers: `body.json`, which its unit tests replay, is what Python finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from dkd.pose.crops import Crop
from dkd.pose.skeleton import get_skeleton
from dkd.tracking.appearance import look_at, places
from dkd.tracking.body import Body

FILE = Path(__file__).resolve().parents[1] / "browser_modules" / "body.json"
T, WIDTH, HEIGHT = 60, 640, 480


def recorded() -> dict[str, Any]:
    """A body that walks, is hidden, jumps to somebody in other clothes for long, and what is remembered of it."""
    skeleton = get_skeleton("penn_action")
    random = np.random.default_rng(5)
    shape = random.uniform((-40, -90), (40, 90), (len(skeleton), 2))
    colours = random.uniform(20, 80, (len(places(skeleton)), 3))
    body, square = Body(skeleton), Crop(200.0, 120.0, 250.0)
    frames = []
    for t in range(T):
        joints = shape + (300 + 3 * t, 240) + random.normal(0, 2, shape.shape)
        scores, look = random.uniform(0.2, 1, len(joints)), colours + random.normal(0, 1, colours.shape)
        if t % 7 == 3:
            joints[random.integers(len(joints), size=3)] += random.uniform(60, 200, 2)  # found elsewhere
        if t % 9 == 4:
            scores[:8], look[:6] = 0.05, np.nan  # hidden
        if t >= 20:
            look = look + 40 * (t < 55)  # somebody else, for more than WAIT seconds
            joints = joints + (150, 0)
        joints, scores = np.round(joints, 2).astype(np.float32), np.round(scores, 3).astype(np.float32)
        look, sure, seconds = np.round(look, 3), bool(t % 11), 0.1
        if t:
            square = body.square(square, seconds, WIDTH, HEIGHT)
            body.follow(joints.astype(np.float64), scores, look, seconds, None, sure)
        else:
            body.start(joints.astype(np.float64), scores, square, look, sure)
        frames.append(
            {
                "joints": [round(float(v), 2) for v in joints.ravel()],
                "scores": [round(float(v), 3) for v in scores],
                "look": [None if np.isnan(v) else float(v) for v in look.ravel()],
                "sure": sure,
                "square": [square.left, square.top, square.side],
                "counted": np.flatnonzero(body.counted).tolist(),
                "height": round(float(body.height or 0), 6),
                "lost": round(body.lost, 6),
            }
        )
    pixels = random.integers(0, 256, (64, 64, 3), np.uint8)
    points = np.round(random.uniform(-4, 68, (len(skeleton), 2)), 2)
    seen = look_at(pixels, places(skeleton) @ points)
    return {
        "joints": list(skeleton.joints),
        "limbs": [list(pair) for pair in skeleton.limb_indices],
        "size": [WIDTH, HEIGHT],
        "seconds": 0.1,
        "frames": frames,
        "pixels": pixels.ravel().tolist(),
        "points": points.ravel().tolist(),
        "look": [None if np.isnan(v) else round(float(v), 3) for v in seen.ravel()],
    }


def test_the_file_is_what_python_finds() -> None:
    stored, found = json.loads(FILE.read_text(encoding="utf-8")), recorded()
    for one, other in zip(stored.pop("frames"), found.pop("frames"), strict=True):
        for name in ("square", "height", "lost"):
            assert np.allclose(one.pop(name), other.pop(name), atol=1e-4)
        assert one == other
    assert np.allclose(
        np.array(stored.pop("look"), float), np.array(found.pop("look"), float), atol=0.01, equal_nan=True
    )
    assert stored == found


def test_it_holds_what_can_happen_to_a_body() -> None:
    """All joints count, some, and none; it is lost, and somebody else is taken for the person at last."""
    frames = recorded()["frames"]
    counts = [len(frame["counted"]) for frame in frames]
    assert max(counts) == 13 and 0 in counts and any(6 < n < 13 for n in counts)
    lost = [frame["lost"] for frame in frames]
    assert max(lost) >= 2.9 and lost[-1] < 1
    assert len({tuple(frame["square"]) for frame in frames}) > 20


if __name__ == "__main__":
    FILE.write_text(json.dumps(recorded(), separators=(",", ":")) + "\n", encoding="utf-8")
