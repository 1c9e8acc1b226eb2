"""Draw the worst moments of an evaluated method side by side, for its card, one of each clip.

    dkd evaluate METHOD --data FOLDER … --out runs/judged
    python scripts/draw_failures.py runs/judged METHOD docs/failures-METHOD.jpg

The skeleton is the method's, white circles are the labels, and the yellow line goes from the wrong joint to its label.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

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

    tiles = [Image.open(io.BytesIO(item["picture"])) for item in gallery_items(moments, table, image)]
    picture = Image.new("RGB", (sum(tile.width for tile in tiles), max(tile.height for tile in tiles)))
    for i, tile in enumerate(tiles):
        picture.paste(tile, (sum(other.width for other in tiles[:i]), 0))
    picture.save(arguments.out, quality=85)
    print(moments[["data", "video", "frame", "joint", "error", "score", "kind", "n_frames"]].to_string())


if __name__ == "__main__":
    main()
