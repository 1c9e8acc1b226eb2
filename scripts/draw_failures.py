"""Draw the worst moments of an evaluated method side by side, for its card, one of each clip.

    dkd evaluate METHOD --data FOLDER … --out runs/judged
    python scripts/draw_failures.py runs/judged METHOD docs/failures-METHOD.jpg

The skeleton is the method's, white circles are the labels, and the yellow line goes from the wrong joint to its label.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from dkd import Evaluation
from dkd.evaluation.summaries import worst_moments
from widgets.evaluation.gallery import gallery_items
from widgets.evaluation.job import People


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of an evaluation")
    parser.add_argument("method", help="one of its methods")
    parser.add_argument("out", type=Path, help="the picture")
    parser.add_argument("-n", type=int, default=6, help="number of moments (default: 6)")
    arguments = parser.parse_args()
    evaluation, people = Evaluation(arguments.folder), People()
    table = evaluation.table()
    table = table[table["model"] == arguments.method]
    moments = worst_moments(table, n=1000)
    moments = moments.drop_duplicates(["data", "video"]).head(arguments.n)

    def image(data: str, video: str, frame: int) -> np.ndarray:
        return np.asarray(people.one(evaluation.given.get(data, data), video).images[frame])

    pictures = [item["picture"] for item in gallery_items(moments, table, image)]
    tiles = [np.asarray(cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR)) for one in pictures]
    if not cv2.imwrite(str(arguments.out), np.hstack(tiles)):  # all are squares of one size
        raise OSError(f"{arguments.out} could not be written")
    print(moments[["data", "video", "frame", "joint", "error", "score", "kind", "n_frames"]].to_string())


if __name__ == "__main__":
    main()
