"""Match stills with their own kernels: how much of what the initializer knows reaches the next frame?

    python scripts/judge_stills.py person_crops=../shared/data/lspe --people 240

Each still is a clip of two equal frames. The first frame's joints are the initializer's; in the second, the kernels
that were distilled from the first are matched in the same picture. PCK is of the larger side of the labelled extent.
"""

from __future__ import annotations

import argparse

import numpy as np

from dkd import Conditions, ImageClip, Trace, load_model, load_people
from dkd.tracking.people import first_box

ALPHAS = (0.2, 0.1, 0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="held-out stills, as of dkd evaluate --data")
    parser.add_argument("--model", default="dkd-mobilenetv2")
    parser.add_argument("--people", type=int, help="the first so many (default: all)")
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    errors: dict[str, list[np.ndarray]] = {"initializer": [], "matched": [], "matched, refined": []}
    for person in load_people(arguments.data, "test")[: arguments.people]:
        image, labels = person.images[0], person.joints[0]
        conditions = Conditions(refine=True, square="joints")  # which follows nobody: there is no motion
        trace = Trace(model, ImageClip([image, image]), first_box(person), conditions, progress=False)
        counted = np.isfinite(labels).all(-1)
        if person.visible is not None:
            counted &= person.visible[0]
        extent = np.ptp(labels[np.isfinite(labels).all(-1)], axis=0).max()
        found = (trace.joints[0], trace.raw_joints[1], trace.joints[1])
        for name, joints in zip(errors, found, strict=True):
            errors[name].append((np.linalg.norm(joints - labels, axis=-1) / extent)[counted])
    for name, parts in errors.items():
        all_of_them = np.concatenate(parts)
        print(f"{name}: {', '.join(f'PCK@{a} {(all_of_them <= a).mean():.3f}' for a in ALPHAS)}")


if __name__ == "__main__":
    main()
