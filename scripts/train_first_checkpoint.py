"""The recipe of the shipped ``dkd-mobilenetv2``: people in stills, two videos and rendered cut-outs, two stages.

    python scripts/train_first_checkpoint.py --data FOLDER --run runs/first initializer --steps 2000
    python scripts/train_first_checkpoint.py --data FOLDER --run runs/first dkd --steps 2000 [--cutouts FOLDER]
        [--rendered rendered=FOLDER] [--set optimiser.learning_rate=1e-3 …]

The first stage trains the pose initializer, which is the per-frame baseline; the second starts encoder and initializer
from it and holds the initializer fixed. The shipped file was made by this script at commit c938bf6, when the first
stage still changed its input from 192 to 256 pixels on the way. FOLDER holds ``lspe/crops.zip``, ``lspe/labels.npz``,
``videos/*.mp4`` with ``labels/*.npz``, and ``init/mobilenetv2_imagenet.pt``. Run again, it goes on.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from dkd.checkpoints import load_model
from dkd.datasets.batches import Mixture
from dkd.datasets.people import load_cutout, load_labelled_video, load_person_crops
from dkd.datasets.sources import load_people
from dkd.heatmaps import decode_peaks
from dkd.metrics import pck_mean
from dkd.models import VideoPoseModel
from dkd.training import train
from dkd.training_config import load_recipe

HELD_OUT_EVERY = 20  # every 20th still is never trained on


def held_out(index: np.ndarray) -> np.ndarray:
    """(N,) bool: which stills are kept for validation."""
    return index % HELD_OUT_EVERY == 0


def backgrounds(rng: np.random.Generator, stills: list, count: int) -> list[np.ndarray]:
    """Images to put behind cut-outs: strongly blurred stills (no second person to be seen) and coarse noise."""
    out = []
    for i in rng.choice(len(stills), count, replace=False):
        image = cv2.resize(stills[i].images[0], (320, 320), interpolation=cv2.INTER_AREA)
        out.append(cv2.GaussianBlur(image, (0, 0), rng.uniform(6, 14)))
    for _ in range(count // 2):
        cells = rng.integers(0, 256, (int(rng.integers(2, 24)), int(rng.integers(2, 24)), 3)).astype(np.uint8)
        out.append(cv2.resize(cells, (320, 320), interpolation=int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_CUBIC]))))
    return out


def load_mixture(
    data: Path, cutouts: Path | None, rendered: str | None, shares: list[float]
) -> tuple[Mixture, list, np.ndarray]:
    """Training people; and the held-out stills with the labels a human gave them."""
    stills, index, human = load_person_crops(data / "lspe/crops.zip", data / "lspe/labels.npz")
    keep = [
        not h and bool((np.isfinite(p.joints[0]).all(-1)).sum() >= 8)
        for h, p in zip(held_out(index), stills, strict=True)
    ]
    validation = [p for h, p in zip(held_out(index), stills, strict=True) if h]
    training = [p for k, p in zip(keep, stills, strict=True) if k]
    # People in the set do gymnastics; whoever films herself mostly stands: the upright ones count twice.
    fused = np.stack([p.joints[0] for p in training])
    training += [p for u, p in zip(upright(fused), training, strict=True) if u]
    videos = [
        load_labelled_video(data / f"videos/{n}.mp4", data / f"labels/{n}.npz") for n in ("sam2_juggle", "sam2_dog")
    ]
    figures = [load_cutout(f) for f in sorted(cutouts.glob("clip_*.npz"))] if cutouts else []
    figures += load_people(rendered, "train") if rendered else []
    behind = backgrounds(np.random.default_rng(0), training, 300)
    return Mixture([training, videos, figures], shares, behind), validation, human[held_out(index)]


def upright(human: np.ndarray) -> np.ndarray:
    """(N,) bool: all joints labelled, head above hips above ankles."""
    hips, ankles = human[:, 7:9, 1].mean(1), human[:, 11:13, 1].mean(1)
    return np.isfinite(human).all((1, 2)) & (human[:, 0, 1] < hips) & (hips < ankles)


@torch.inference_mode()
def validate_stills(model: VideoPoseModel, people: list, human: np.ndarray) -> str:
    """PCK of the extent against the human labels, on crops 1.4 × the extent."""
    from dkd.crops import box_to_crop, joints_to_box

    model.eval()
    predicted, extents = [], []
    size = model.config.input_size
    for person, labels in zip(people, human, strict=True):
        box = joints_to_box(labels)
        if box is None:
            predicted.append(np.full((13, 2), np.nan))
            extents.append(1.0)
            continue
        crop = box_to_crop(box, 1.4)
        image = torch.from_numpy(crop.extract(person.images[0], size)).permute(2, 0, 1)[None] / 255
        peaks, _ = decode_peaks(model.initialise(image))
        predicted.append(crop.to_frame(peaks[0].numpy(), model.map_size))
        extents.append(max(box[2] - box[0], box[3] - box[1]))
    guess, size_px, up = np.stack(predicted), np.array(extents), upright(human)
    parts = [
        f"{name} "
        + "/".join(f"{pck_mean(guess[which], human[which], size_px[which], a):.3f}" for a in (0.2, 0.1, 0.05))
        for name, which in (("all", np.ones(len(up), bool)), (f"upright ({up.sum()})", up))
    ]
    return "stills PCK@0.2/0.1/0.05 of the extent: " + ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["initializer", "dkd"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--cutouts", type=Path)
    parser.add_argument("--rendered", help="a source of rendered people, for instance rendered=FOLDER")
    parser.add_argument("--set", nargs="+", default=[], action="extend", dest="words", help="settings to replace")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    cv2.setNumThreads(1)
    first = args.stage == "initializer"
    shares = [0.85, 0.03, 0.12] if first else [0.55, 0.15, 0.3]
    people, validation, human = load_mixture(args.data, args.cutouts, args.rendered, shares)
    logging.info("%r", people)
    words = [f"steps={args.steps}", f"seed={args.seed}", "data.validation_clips=0", "optimiser.frozen_blocks=4"]
    if first:
        words += [
            "model.name=simple-baseline-mobilenetv2", f"model.start={args.data / 'init/mobilenetv2_imagenet.pt'}",
            "batch=32", "n_frames=1", "optimiser.trunk_rate=0.3", "augment.distractor=0.2",
        ]  # fmt: skip
    else:
        words += [
            "model.name=dkd-mobilenetv2", f"model.start={args.run / 'initializer/model.safetensors'}",
            "model.initializer=fixed", "optimiser.fixed_statistics=[encoder]", "batch=6",
            "optimiser.learning_rate=1e-3", "optimiser.trunk_rate=0.2", "optimiser.fix_statistics_after=0.7",
            "augment.shift=0.04", "augment.distractor=0.4", "augment.occluder=0.35", "augment.degrade=0.35",
        ]  # fmt: skip
    folder = args.run / args.stage
    with tqdm(total=args.steps, mininterval=20) as bar:
        for record in train(load_recipe(None, [*words, *args.words]), folder, people=people, validation=[]):
            bar.update(record.step - bar.n)
            bar.set_postfix_str(f"loss {record.loss:.2f}, {record.frames_per_s:.0f} frames/s", refresh=False)
    logging.info(validate_stills(load_model(folder / "model.safetensors"), validation, human))


if __name__ == "__main__":
    main()
