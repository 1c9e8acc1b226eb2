"""Frame encoders: an image classifier's trunk and two deconvolutions, giving maps at an eighth of the input.

Parameter names follow the files that the weights come from (torchvision for the ResNets, the original flat PyTorch port
for MobileNetV2), so that ImageNet weights load by name.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dkd.errors import CheckpointError, ConfigError, nearest_name


def deconvolution(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    """Create a layer that doubles the resolution: 4×4, stride 2, padding 1, as in Simple Baselines (Xiao 2018)."""
    layer = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    nn.init.normal_(layer.weight, std=0.001 if out_channels >= 256 else 0.02)
    return layer


# --- ResNet (He 2016) -------------------------------------------------------------------------------------------------


def _conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with a shortcut: the block of ResNet-18 and -34."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int = 1, downsample: nn.Module | None = None):
        super().__init__()
        self.conv1, self.bn1 = _conv3x3(in_channels, width, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv3x3(width, width), nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(x)) + shortcut)


class Bottleneck(nn.Module):
    """1×1, 3×3 (with the stride) and 1×1 convolutions with a shortcut: the block of ResNet-50 and -101."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int = 1, downsample: nn.Module | None = None):
        super().__init__()
        out_channels = width * self.expansion
        self.conv1, self.bn1 = nn.Conv2d(in_channels, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv3x3(width, width, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


_RESNETS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    10: (BasicBlock, (1, 1, 1, 1)),
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}


class ResNetEncoder(nn.Module):
    """ResNet's conv1..conv5 and two deconvolutions (DKD's frame encoder and, with a classifier, its initializer).

    Args:
        depth: 10, 18, 34, 50 or 101.
        channels: number of channels C of the deconvolutions, and so of the features (256 in the paper).
        width: channels of the first stage; each later stage has twice as many. 64 in He's networks; smaller widths are
            ours, for small networks.
    """

    def __init__(self, depth: int, channels: int = 256, width: int = 64):
        super().__init__()
        block, blocks = _RESNETS[depth]
        self._width = width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._stage(block, width, blocks[0], 1)
        self.layer2 = self._stage(block, 2 * width, blocks[1], 2)
        self.layer3 = self._stage(block, 4 * width, blocks[2], 2)
        self.layer4 = self._stage(block, 8 * width, blocks[3], 2)
        self.deconv_layers = nn.Sequential(
            deconvolution(self._width, channels),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            deconvolution(channels, channels),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )

    def trunk_blocks(self) -> list[nn.Module]:
        """Return the modules that start from ImageNet weights, in order from the image on."""
        return [nn.Sequential(self.conv1, self.bn1), self.layer1, self.layer2, self.layer3, self.layer4]

    def _stage(
        self, block: type[BasicBlock] | type[Bottleneck], width: int, n_blocks: int, stride: int
    ) -> nn.Sequential:
        out_channels = width * block.expansion
        downsample = None
        if stride != 1 or self._width != out_channels:
            downsample = nn.Sequential(
                nn.Conv2d(self._width, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )
        layers = [block(self._width, width, stride, downsample)]
        layers += [block(out_channels, width) for _ in range(n_blocks - 1)]
        self._width = out_channels
        return nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, N, N) normalised → (B, C, N/8, N/8), ≥ 0."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))  # N/4
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # N/32
        return self.deconv_layers(x)


class NarrowResNetEncoder(ResNetEncoder):
    """A narrow ResNet whose deconvolutions also get the trunk's finer maps through 1×1 laterals. Ours, not the paper's.

    A trunk this narrow loses position at stride 32, as MobileNetV2's does; with laterals it needs fewer steps to learn
    from random weights.

    Args:
        depth, channels, width: as in :class:`ResNetEncoder`.
    """

    def __init__(self, depth: int, channels: int, width: int):
        super().__init__(depth, channels, width)
        self.lateral16 = nn.Sequential(nn.Conv2d(4 * width, channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.lateral8 = nn.Sequential(nn.Conv2d(2 * width, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, N, N) normalised → (B, C, N/8, N/8), ≥ 0."""
        up16, bn16, _, up8, bn8, _ = self.deconv_layers
        x8 = self.layer2(self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(image))))))
        x16 = self.layer3(x8)
        x = self.relu(bn16(up16(self.layer4(x16))) + self.lateral16(x16))
        return self.relu(bn8(up8(x)) + self.lateral8(x8))


# --- MobileNetV2 (Sandler 2018) ---------------------------------------------------------------------------------------


class PadLikeTensorFlow(nn.Module):
    """Zero padding of one row below and one column to the right: TensorFlow's "SAME" for a 3×3 convolution of stride 2.

    PyTorch's ``padding=1`` in effect pads above and to the left instead. In a trunk whose weights come from TensorFlow
    that would shift every stride-2 map by one pixel, so that maps of different strides would no longer be aligned.
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (0, 1, 0, 1))


def _conv3x3_same(in_channels: int, out_channels: int, stride: int, groups: int, same: bool) -> list[nn.Module]:
    """Create a 3×3 convolution without bias; ``same``: padded as in TensorFlow."""
    if same and stride == 2:
        return [
            PadLikeTensorFlow(),
            nn.Conv2d(in_channels, out_channels, 3, stride, groups=groups, bias=False),
        ]
    return [nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, groups=groups, bias=False)]


class InvertedResidual(nn.Module):
    """1×1 expansion, 3×3 depthwise and 1×1 projection, with a shortcut if the shape stays the same."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int, same: bool = False):
        super().__init__()
        hidden = in_channels * expansion
        self.has_shortcut = stride == 1 and in_channels == out_channels
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [nn.Conv2d(in_channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(inplace=True)]
        layers += [
            *_conv3x3_same(hidden, hidden, stride, hidden, same),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        ]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.has_shortcut else self.conv(x)


# expansion, channels, number of blocks, stride of the first: Table 2 of the MobileNetV2 paper
_MOBILENETV2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_TAP_8, _TAP_16 = 6, 13  # the last blocks at an eighth (32 channels) and a sixteenth (96) of the input


def _wider(channels: int, width: float) -> int:
    """Return the channels of a wider or narrower trunk: the nearest multiple of 8, halves rounded up."""
    return int(channels * width + 4) // 8 * 8


class MobileNetV2Encoder(nn.Module):
    """MobileNetV2's blocks 0–17 and two light deconvolutions that also get the trunk's finer maps.

    The 1×1 laterals from strides 8 and 16 are ours, not the paper's: a trunk this narrow loses position at stride 32,
    and they cost 7 M of the encoder's 481 M multiply-adds.

    Args:
        channels: number of channels C of the features (our default: 128).
        width: multiplier of the trunk's channels, each rounded to a multiple of 8 as MobileNetV2's authors do.
        same: pad stride-2 convolutions as TensorFlow does, for weights that were trained with it.
    """

    def __init__(self, channels: int = 128, width: float = 1.0, same: bool = False):
        super().__init__()
        n = _wider(32, width)
        blocks: list[nn.Module] = [
            nn.Sequential(*_conv3x3_same(3, n, 2, 1, same), nn.BatchNorm2d(n), nn.ReLU6(inplace=True))
        ]
        widths = [n]
        for expansion, base, n_blocks, stride in _MOBILENETV2:
            for i in range(n_blocks):
                n = _wider(base, width)
                blocks.append(InvertedResidual(widths[-1], n, stride if i == 0 else 1, expansion, same))
                widths.append(n)
        self.features = nn.Sequential(*blocks)
        self.up16 = nn.Sequential(deconvolution(widths[-1], channels), nn.BatchNorm2d(channels))
        self.lateral16 = nn.Sequential(nn.Conv2d(widths[_TAP_16], channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.up8 = nn.Sequential(deconvolution(channels, channels), nn.BatchNorm2d(channels))
        self.lateral8 = nn.Sequential(nn.Conv2d(widths[_TAP_8], channels, 1, bias=False), nn.BatchNorm2d(channels))
        self.relu = nn.ReLU(inplace=True)

    def trunk_blocks(self) -> list[nn.Module]:
        """Return the modules that start from ImageNet weights, in order from the image on."""
        return list(self.features)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, N, N) normalised → (B, C, N/8, N/8), ≥ 0."""
        x8 = self.features[: _TAP_8 + 1](image)
        x16 = self.features[_TAP_8 + 1 : _TAP_16 + 1](x8)
        x32 = self.features[_TAP_16 + 1 :](x16)
        x = self.relu(self.up16(x32) + self.lateral16(x16))
        return self.relu(self.up8(x) + self.lateral8(x8))


# Narrow ResNets of ours (depth, width), for networks that learn from random weights in minutes on two cores.
_NARROW = {"tiny": (10, 16)}
# MobileNetV2s by (width, padding as in TensorFlow). The last two are MoveNet's trunks: Lightning's and Thunder's.
_MOBILE: dict[str, tuple[float, bool]] = {
    "mobilenetv2": (1.0, False),
    "mobilenetv2-same": (1.0, True),
    "mobilenetv2-same-1.75": (1.75, True),
}
ENCODERS = (*(f"resnet{d}" for d in _RESNETS), *_MOBILE, *_NARROW)

Encoder = ResNetEncoder | MobileNetV2Encoder


def build_encoder(name: str, channels: int) -> Encoder:
    """Build an encoder with random weights, by name.

    Args:
        name: one of ``ENCODERS``.
        channels: number of channels C of its features.

    Raises:
        ConfigError: the name is unknown; the nearest one is given.
    """
    if name not in ENCODERS:
        raise ConfigError(f"unknown encoder {name!r}{nearest_name(name, ENCODERS)} Known: {', '.join(ENCODERS)}.")
    if name in _MOBILE:
        return MobileNetV2Encoder(channels, *_MOBILE[name])
    if name in _NARROW:
        depth, width = _NARROW[name]
        return NarrowResNetEncoder(depth, channels, width)
    return ResNetEncoder(int(name.removeprefix("resnet")), channels)


def load_trunk_weights(encoder: Encoder, weights: Mapping[str, Tensor]) -> list[str]:
    """Load ImageNet weights into an encoder's trunk, by name; classifier layers in ``weights`` are ignored.

    Args:
        encoder: from :func:`build_encoder`.
        weights: tensors by name, as in torchvision (ResNet) or the flat MobileNetV2 port.

    Returns:
        Names of the encoder's parameters and buffers that are not in ``weights`` (its deconvolutions and laterals).

    Raises:
        CheckpointError: a tensor of the trunk is missing or has a different shape.
    """
    own = encoder.state_dict()
    usable = {k: v for k, v in weights.items() if k in own}
    for name, tensor in usable.items():
        if tensor.shape != own[name].shape:
            raise CheckpointError(
                f"weight {name!r} has shape {tuple(tensor.shape)}, expected {tuple(own[name].shape)}: "
                "are these the weights of another network?"
            )
    trunk = ("features.",) if isinstance(encoder, MobileNetV2Encoder) else ("conv1.", "bn1.", "layer")
    missing = [k for k in own if k not in usable]
    absent = [k for k in missing if k.startswith(trunk) and not k.endswith("num_batches_tracked")]
    if absent:
        raise CheckpointError(
            f"{len(absent)} tensors of the trunk are missing from the weights, the first is {absent[0]!r}"
        )
    encoder.load_state_dict(usable, strict=False)
    return missing


class Normalise(nn.Module):
    """Normalisation of RGB in 0..1 for ImageNet weights. It is part of the model, so that no caller can forget it."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std
