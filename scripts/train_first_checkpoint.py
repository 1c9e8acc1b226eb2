"""The recipe of the shipped ``dkd-mobilenetv2``: people in stills, two videos and rendered cut-outs, two stages.

    python scripts/train_first_checkpoint.py --data FOLDER --run runs/first initializer --steps 2000
    python scripts/train_first_checkpoint.py --data FOLDER --run runs/first dkd --steps 2000 [--cutouts FOLDER]

FOLDER holds ``lspe/crops.zip``, ``lspe/labels.npz``, ``videos/*.mp4`` with ``labels/*.npz``, and
``init/mobilenetv2_imagenet.pt``. Run again, it goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from dkd.checkpoints import read_tensors, save_model
from dkd.datasets.augment import AugmentConfig
from dkd.datasets.people import load_cutout, load_labelled_video, load_person_crops
from dkd.heatmaps import decode_peaks
from dkd.metrics import pck_mean
from dkd.models import DKD, build_model
from dkd.models.backbones import load_trunk_weights
from dkd.training import People, TrainConfig, train

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


def load_people(data: Path, cutouts: Path | None, seed: int) -> tuple[People, list, np.ndarray]:
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
    behind = backgrounds(np.random.default_rng(seed), training, 300)
    return People(training, videos, figures, behind), validation, human[held_out(index)]


def upright(human: np.ndarray) -> np.ndarray:
    """(N,) bool: all joints labelled, head above hips above ankles."""
    hips, ankles = human[:, 7:9, 1].mean(1), human[:, 11:13, 1].mean(1)
    return np.isfinite(human).all((1, 2)) & (human[:, 0, 1] < hips) & (hips < ankles)


@torch.inference_mode()
def validate_stills(model: DKD, people: list, human: np.ndarray) -> str:
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
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    people, validation, human = load_people(args.data, args.cutouts, args.seed)
    logging.info("%d stills, %d videos, %d cut-outs", len(people.stills), len(people.videos), len(people.cutouts))

    model = build_model("dkd-mobilenetv2")
    if args.stage == "initializer":
        weights = torch.load(args.data / "init/mobilenetv2_imagenet.pt", weights_only=True)
        load_trunk_weights(model.initializer.encoder, weights)
        model.initializer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        config = TrainConfig(
            "initializer", args.steps, sizes=((0.75, 192), (1.0, 256)), mixture=(0.85, 0.03, 0.12), seed=args.seed,
            augment=AugmentConfig(distractor=0.2, occluder=0.3),
        )  # fmt: skip
    else:
        tensors, _ = read_tensors(args.run / "initializer.safetensors")
        model.load_state_dict(tensors)
        model.encoder.load_state_dict(model.initializer.encoder.state_dict())
        config = TrainConfig(
            "dkd", args.steps, batch=6, n_frames=5, learning_rate=1e-3, trunk_rate=0.2, seed=args.seed,
            mixture=(0.55, 0.15, 0.3), augment=AugmentConfig(shift=0.04, distractor=0.4, occluder=0.35, degrade=0.35),
        )  # fmt: skip
    for record in (bar := tqdm(train(model, config, people, args.run / args.stage), total=args.steps, mininterval=20)):
        bar.set_postfix_str(
            f"loss {record.loss:.2f}, {record.frames_per_s:.0f} frames/s, waiting {record.waited:.0%}", refresh=False
        )
    logging.info(validate_stills(model, validation, human))
    save_model(
        model, args.run / f"{args.stage}.safetensors", {"stage": args.stage, "steps": args.steps, "seed": args.seed}
    )


if __name__ == "__main__":
    main()
