"""Shared parts of Convolutional Pose Machines (Wei 2016) and LSTM Pose Machines (Luo 2018): large convolutions.

    image layers    9×9×128, pool, 9×9×128, pool, 9×9×128, pool                     N → N/8
    first stage     image layers, 5×5×32, 9×9×512, 1×1×512, 1×1×K                   ConvNet1 of LSTM Pose Machines
    readout         11×11×128 three times, 1×1×128, 1×1×K                           has a large receptive field

K = J + 1: the last map is the background's. A ReLU follows every convolution except those that output maps; pooling
is 3×3 with stride 2. Its windows begin at every second pixel and may extend over the edge, so that 368 becomes 46 (our
reading of a layer list without paddings: Caffe, in which both were written, rounds this way).
The initialisation is ours: He's for the ReLU layers, and maps that start at their most frequent value.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dkd.errors import ConfigError
from dkd.models.base import check_input_size, check_whole
from dkd.pose.heatmaps import STRIDE
from dkd.pose.skeleton import get_skeleton

_CENTRE_SIGMA = 21 / 368  # σ of the centre map as a share of the input's side


@dataclass(frozen=True)
class PoseMachineConfig:
    """Settings shared by the pose machines; the defaults are the papers'.

    Attributes:
        skeleton: name of the skeleton.
        input_size: side N of the square input in pixels, a multiple of 8.
        channels: channels C of the image layers and of the readouts; the first stage's last layers have 4·C (512).
        features: channels that the stages get from the image layers, through a 5×5 convolution.
        kernel: side of the image layers' convolutions, odd.
        context: side of the readouts' convolutions, odd.
        batch_norm: whether a BatchNorm follows each convolution except those that output maps. Our addition: the papers
            have none and start from pre-trained weights; from random ones, the networks learn little in a few hundred
            steps without it.
    """

    skeleton: str = "penn_action"
    input_size: int = 368
    channels: int = 128
    features: int = 32
    kernel: int = 9
    context: int = 11
    batch_norm: bool = False

    def __post_init__(self) -> None:
        check_input_size(self.input_size, STRIDE, 64)
        for name in ("channels", "features", "kernel", "context"):
            check_whole(name, getattr(self, name))
        if min(self.kernel, self.context) < 1 or self.kernel % 2 == 0 or self.context % 2 == 0:
            raise ConfigError(f"kernel and context must be odd and positive, got {self.kernel} and {self.context}")
        get_skeleton(self.skeleton)

    @property
    def n_maps(self) -> int:
        """Number of maps K = J + 1: the joints' maps and, last, the background's."""
        return len(get_skeleton(self.skeleton)) + 1


def convolution(in_channels: int, out_channels: int, side: int, batch_norm: bool) -> nn.Sequential:
    """Create a convolution that keeps the map's size, an optional BatchNorm, and a ReLU."""
    conv = nn.Conv2d(in_channels, out_channels, side, padding=side // 2, bias=not batch_norm)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    norm = [nn.BatchNorm2d(out_channels)] if batch_norm else []
    return nn.Sequential(conv, *norm, nn.ReLU(inplace=True))


def map_layer(in_channels: int, n_maps: int) -> nn.Conv2d:
    """Create the 1×1 convolution that outputs K maps; no ReLU follows.

    Its weights are initialised from N(0, 0.001), as in Simple Baselines, and its biases so that maps start at their
    most frequent value: 0 for joints, 1 for the background, which would otherwise dominate the loss in the first steps.
    """
    layer = nn.Conv2d(in_channels, n_maps, 1)
    nn.init.normal_(layer.weight, std=0.001)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    nn.init.ones_(layer.bias[-1:])
    return layer


def image_layers(config: PoseMachineConfig) -> nn.Sequential:
    """Create three convolutions, each followed by pooling: (B, 3, N, N) → (B, C, N/8, N/8)."""
    layers: list[nn.Module] = []
    width = 3
    for _ in range(3):
        layers.append(convolution(width, config.channels, config.kernel, config.batch_norm))
        layers.append(nn.MaxPool2d(3, stride=2, ceil_mode=True))
        width = config.channels
    return nn.Sequential(*layers)


def feature_layer(config: PoseMachineConfig) -> nn.Sequential:
    """Create the 5×5 layer whose output the stages get: (B, C, H, W) → (B, features, H, W)."""
    return convolution(config.channels, config.features, 5, config.batch_norm)


def first_stage(config: PoseMachineConfig) -> nn.Sequential:
    """Create the first stage, the pose of one frame from its pixels alone: (B, 3, N, N) → (B, K, N/8, N/8)."""
    wide, norm = 4 * config.channels, config.batch_norm
    return nn.Sequential(
        image_layers(config),
        feature_layer(config),
        convolution(config.features, wide, config.kernel, norm),
        convolution(wide, wide, 1, norm),
        map_layer(wide, config.n_maps),
    )


def readout(config: PoseMachineConfig, in_channels: int) -> nn.Sequential:
    """Create the layers that compute maps with a large receptive field: (B, in_channels, H, W) → (B, K, H, W)."""
    width, side, norm = config.channels, config.context, config.batch_norm
    return nn.Sequential(
        convolution(in_channels, width, side, norm),
        convolution(width, width, side, norm),
        convolution(width, width, side, norm),
        convolution(width, width, 1, norm),
        map_layer(width, config.n_maps),
    )


def centre_map(input_size: int) -> Tensor:
    """Create the map that marks the person: a Gaussian of height 1 at the crop's centre, sampled at the cells' centres.

    σ is 21 pixels at 368×368, as in the papers, and scales with the input size (our decision), so that it covers the
    same part of the crop.

    Args:
        input_size: side N in pixels.

    Returns:
        (1, 1, N/8, N/8) float32 in 0..1.
    """
    pixels = (torch.arange(input_size // STRIDE, dtype=torch.float32) + 0.5) * STRIDE - 0.5
    from_centre = pixels - (input_size - 1) / 2
    falloff = torch.exp(-from_centre.square() / (2 * (_CENTRE_SIGMA * input_size) ** 2))
    return (falloff[:, None] * falloff)[None, None]
