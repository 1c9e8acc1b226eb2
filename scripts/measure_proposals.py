"""Measure the proposals of people (``dkd.find_people``) on frames of filmed clips.

    .venv/bin/python scripts/measure_proposals.py ../shared/data

Boxes of the people were drawn by hand, or come from the machine labels of the clips. People in the background who are
too small to be wanted are neither counted as found nor as false. A person is found if a proposal's box has an
intersection over union of at least 0.5 with theirs. The limits of ``dkd/tracking/proposals.py`` were chosen on these
frames, so the result is optimistic.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dkd import Clip, find_people, load_model
from dkd.tracking.proposals import overlap

Box = tuple[float, float, float, float]
BYSTANDER, SKELETON = (750.0, 470.0, 870.0, 890.0), (930.0, 420.0, 1088.0, 970.0)


class Frame(NamedTuple):
    """A frame, the boxes of the people in it, and boxes that do not count."""

    video: str
    frame: int
    people: tuple[Box, ...] = ()
    labels: str = ""  # labels of one more person
    ignored: tuple[Box, ...] = ()


def _store(frame: int, *people: Box) -> Frame:
    return Frame("intel/store-aisle-detection.gif", frame, people)


def _multi(camera: int, frame: int, woman: Box) -> Frame:
    ignored = (BYSTANDER, SKELETON) if camera == 2 else ()
    name = f"pose2sim_multi/cam0{camera}.mp4"
    return Frame(name, frame, (woman,), f"pose2sim_multi_man_cam0{camera}", ignored)


def _alone(name: str, frames: dict[int, Box | None]) -> list[Frame]:
    return [Frame(f"intel/{name}", t, () if box is None else (box,)) for t, box in frames.items()]


def _walking(frame: int, *people: Box) -> Frame:
    return Frame("intel/face-demographics-walking.gif", frame, people)


FRAMES = [
    *(_multi(2, t, (30, 620, x1, 1460)) for t, x1 in ((0, 360), (50, 480), (99, 360))),
    *(_multi(4, t, (x0, 405, x1, 915)) for t, x0, x1 in ((0, 650, 950), (50, 600, 930), (99, 630, 990))),
    _store(0, (245, 60, 320, 250), (345, 85, 420, 270)),
    _store(15, (262, 62, 320, 250), (340, 60, 410, 270)),
    _store(30, (265, 62, 325, 250), (345, 50, 405, 250), (335, 150, 440, 270)),
    _store(60, (265, 58, 325, 250), (345, 50, 400, 235), (300, 110, 380, 270)),
    _walking(0, (250, 115, 295, 265), (298, 100, 345, 250)),
    _walking(17, (200, 113, 250, 270), (260, 92, 335, 270)),
    _walking(34, (140, 110, 215, 270), (240, 80, 345, 270)),
    *_alone(
        "worker-zone-detection.gif",
        {0: (235, 140, 340, 270), 20: (140, 84, 215, 265), 40: (105, 58, 175, 222), 60: (88, 52, 155, 208)},
    ),
    *_alone(
        "one-by-one-person-detection.mp4",
        {
            100: (380, 10, 510, 392), 300: (380, 3, 542, 384), 1100: (390, 8, 525, 378), 1300: (357, 0, 506, 392),
            500: None, 900: None,
        },
    ),
    *(
        Frame(f"pose2sim/cam0{k}.mp4", t, (), f"pose2sim_cam0{k}", (BYSTANDER, SKELETON) if k == 2 else ())
        for k in (1, 2, 3, 4)
        for t in (5, 45, 85)
    ),
    *(Frame(f"sam2_{name}.mp4", t, (), f"sam2_{name}") for name in ("juggle", "dog") for t in (10, 110, 210)),
]  # fmt: skip


def labelled_box(path: Path, frame: int) -> Box:
    """Return a box around the joints of a labelled person, with a margin for head and feet."""
    joints = np.load(path)["consensus17"][frame]
    joints = joints[np.isfinite(joints).all(-1)]
    (x0, y0), (x1, y1) = joints.min(0), joints.max(0)
    grow = 0.07 * max(x1 - x0, y1 - y0)
    return x0 - grow, y0 - 1.3 * grow, x1 + grow, y1 + grow


def clipped(box: Box, clip: Clip) -> Box:
    """Clip a box to the picture."""
    return max(box[0], 0), max(box[1], 0), min(box[2], clip.width - 1), min(box[3], clip.height - 1)


def main() -> None:
    """Print the people found and the false proposals, by the number of people in the frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with videos/ and labels/")
    data: Path = parser.parse_args().data
    model, seconds = load_model("dkd-mobilenetv2"), []
    table: dict[int, np.ndarray] = {}
    for one in FRAMES:
        people = [
            *one.people,
            *([labelled_box(data / "labels" / f"{one.labels}.npz", one.frame)] if one.labels else ()),
        ]
        with Clip(data / "videos" / one.video) as clip:
            clip.frame(one.frame)
            begin = time.process_time()
            found = find_people(model, clip, one.frame)
            seconds.append(time.process_time() - begin)
            missed, false = [clipped(box, clip) for box in people], 0
            for proposal in found:
                hits = [box for box in missed if overlap(box, proposal.box) >= 0.5]
                if hits:
                    missed.remove(hits[0])
                elif all(overlap(clipped(box, clip), proposal.box) < 0.3 for box in one.ignored):
                    false += 1
        row = table.setdefault(len(people), np.zeros(4, int))
        row += (1, len(people), len(people) - len(missed), false)
    for n_people, (frames, total, hit, false) in sorted(table.items()):
        print(f"{frames} frames with {n_people} people: {hit} of {total} found, {false} false proposals")
    print(f"median {np.median(seconds):.2f} s of processor time per frame")


if __name__ == "__main__":
    main()
