"""LSTM Pose Machines (Luo 2018): the peer that DKD is compared with. A memory carries the pose from frame to frame.

    frame 1:     H₀ = ConvNet1(I₁)                                          the pose from pixels alone
    every t:     F_t = ConvNet2(I_t)                                        features
                 h_t, c_t = LSTM(concat(F_t, H_{t−1}, centre map), h_{t−1}, c_{t−1})
                 H_t = ConvNet3(h_t)

H has K = J + 1 maps, the background last. At 368×368 with 14 joints: 12.1 M parameters, 70.94 GMACs per frame, and 64.0
more in the first frame. Features, maps and centre map then have 48 channels together, as many as h and c; with another
skeleton, h and c keep their 48 (our reading: the published layer list is for 14 joints).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dkd.models.base import Feedback, PoseOutput, VideoPoseModel, check_whole, stack_frames
from dkd.models.pose_machine_parts import (
    PoseMachineConfig,
    centre_map,
    feature_layer,
    first_stage,
    image_layers,
    readout,
)


@dataclass(frozen=True)
class LSTMPoseMachineConfig(PoseMachineConfig):
    """Everything needed to build an LSTM Pose Machine; see also
    :class:`~dkd.models.pose_machine_parts.PoseMachineConfig`.

    Attributes:
        hidden: number of channels of h and c.
    """

    hidden: int = 48

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("hidden", self.hidden)


class LSTMPoseMachineState(NamedTuple):
    """State that a stream carries from one frame to the next.

    Attributes:
        hidden: (B, hidden, H, W) h_t, in −1..1.
        cell: (B, hidden, H, W) c_t.
        maps: (B, K, H, W) H_t as passed to the next frame, the background last.
        t: index of that frame in its stream.
    """

    hidden: Tensor
    cell: Tensor
    maps: Tensor
    t: int


class ConvLSTM(nn.Module):
    """A memory cell at every cell of the map; gates get 3×3 cells of the input and of h. No peephole connections.

        i, f, o, g = split(s · (W_x ∗ x + W_h ∗ h) + b)
        c′ = σ(f) · c + σ(i) · tanh(g)
        h′ = σ(o) · tanh(c′)

    s and b are a scale and a bias for each channel of each gate. Applying them to the sum of the two convolutions,
    which have no bias themselves, is our reading. The forget gate's b is initialised to 1 (Jozefowicz 2015; our
    decision), so that the memory works from the first training step on.

    Args:
        in_channels: number of channels of x.
        hidden: number of channels of h and c.
    """

    def __init__(self, in_channels: int, hidden: int):
        super().__init__()
        self.from_input = nn.Conv2d(in_channels, 4 * hidden, 3, padding=1, bias=False)
        self.from_hidden = nn.Conv2d(hidden, 4 * hidden, 3, padding=1, bias=False)
        self.scale = nn.Parameter(torch.ones(4 * hidden, 1, 1))
        self.bias = nn.Parameter(torch.zeros(4 * hidden, 1, 1))
        nn.init.ones_(self.bias.detach()[hidden : 2 * hidden])

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the next h and c from (B, in_channels, H, W) x and (B, hidden, H, W) h and c."""
        gates = self.scale * (self.from_input(x) + self.from_hidden(hidden)) + self.bias
        let_in, forget, let_out, new = gates.chunk(4, 1)
        cell = forget.sigmoid() * cell + let_in.sigmoid() * new.tanh()
        return let_out.sigmoid() * cell.tanh(), cell


class LSTMPoseMachine(VideoPoseModel):
    """The complete model. ``PoseOutput.features`` are ConvNet2's, ≥ 0 and of the frame alone; h is in the state.

    Args:
        config: see :class:`LSTMPoseMachineConfig`. Weights are random.
    """

    config: LSTMPoseMachineConfig
    centre: Tensor

    def __init__(self, config: LSTMPoseMachineConfig):
        super().__init__(config, "lstm-pm")
        self.first_stage = first_stage(config)  # ConvNet1
        self.image_layers, self.feature_layer = image_layers(config), feature_layer(config)  # ConvNet2
        self.lstm = ConvLSTM(config.features + config.n_maps + 1, config.hidden)
        self.readout = readout(config, config.hidden)  # ConvNet3
        self.register_buffer("centre", centre_map(config.input_size), persistent=False)

    def initialise(self, frame: Tensor) -> Tensor:
        """Compute the pose of one frame alone: ConvNet1's maps refined by the first memory step, as in :meth:`start`.

        (B, 3, N, N) → (B, J, H, W).
        """
        return self._first(self.normalise(frame), self.encode(frame), None)[0].heatmaps

    def encode(self, frame: Tensor) -> Tensor:
        """Compute F_t with ConvNet2: (B, 3, N, N) → (B, features, H, W)."""
        return self.feature_layer(self.image_layers(self.normalise(frame)))

    def begin(self, image: Tensor) -> Tensor:
        """Compute H₀ with ConvNet1: (B, 3, N, N) normalised → (B, K, H, W), the background last."""
        return self.first_stage(image)

    def remember(self, features: Tensor, state: LSTMPoseMachineState) -> tuple[Tensor, Tensor, Tensor]:
        """Advance the memory by a frame: F_t (B, features, H, W) → H_t (B, K, H, W), h_t and c_t."""
        x = torch.cat([features, state.maps, self.centre.expand(len(features), -1, -1, -1)], 1)
        hidden, cell = self.lstm(x, state.hidden, state.cell)
        return self.readout(hidden), hidden, cell

    # --- frame by frame -------- -----------------------------------------------------------------------------------

    def start(self, frame: Tensor, feedback: Feedback | None = None) -> tuple[PoseOutput, LSTMPoseMachineState]:
        """Process the first frame of a stream: see :meth:`~dkd.models.base.VideoPoseModel.start`.

        The maps that ``feedback`` returns replace H_t in the memory's input for the next frame. h and c, which also
        carry the past, are unchanged. The background map, which feedback does not see, changes by as much as the
        highest joint map (our decision); otherwise it would still show what feedback removed from the joint maps.
        """
        self._check(frame, "frame", "(B, 3, N, N)")
        return self._first(self.normalise(frame), self.encode(frame), feedback)

    def step(
        self, frame: Tensor, state: LSTMPoseMachineState, feedback: Feedback | None = None
    ) -> tuple[PoseOutput, LSTMPoseMachineState]:
        """Process the next frame of a stream: see :meth:`start`."""
        self._check(frame, "frame", "(B, 3, N, N)")
        return self._advance(self.encode(frame), state, feedback)

    def _first(
        self, image: Tensor, features: Tensor, feedback: Feedback | None
    ) -> tuple[PoseOutput, LSTMPoseMachineState]:
        """Process frame 1: the memory is empty, and the previous maps are ConvNet1's."""
        nothing = features.new_zeros((len(features), self.config.hidden, *features.shape[-2:]))
        state = LSTMPoseMachineState(nothing, nothing, self.begin(image), -1)
        return self._advance(features, state, feedback)

    def _advance(
        self, features: Tensor, state: LSTMPoseMachineState, feedback: Feedback | None
    ) -> tuple[PoseOutput, LSTMPoseMachineState]:
        maps, hidden, cell = self.remember(features, state)
        t = state.t + 1
        trained = None
        if self.training:  # (B, 2, K, H, W): frame 1 has ConvNet1's maps and these, other frames only these
            trained = torch.stack([maps if t else state.maps, maps], 1)
        empty = features.new_zeros((len(features), *self.kernel_shape))
        output = PoseOutput(maps[:, :-1], empty, features, trained)
        return output, LSTMPoseMachineState(hidden, cell, hand_on(maps, t, feedback), t)

    # --- complete clips
    # ------------------------------------------------------------------------------------------------

    def forward(self, clip: Tensor, feedback: Feedback | None = None) -> PoseOutput:
        """Process a clip, recursively from its first frame: see :meth:`~dkd.models.base.VideoPoseModel.forward`.

        In eval mode the frames go through :meth:`start` and :meth:`step` one by one, with bit-identical results; in
        train mode all frames are encoded in one batch, which is faster.
        """
        if not self.training:
            return super().forward(clip, feedback)
        self._check(clip, "clip", "(B, T, 3, N, N)")
        # Time first: a frame's features are then contiguous, and no step has to copy them.
        encoded = self.encode(clip.transpose(0, 1).flatten(0, 1)).split(len(clip))
        output, state = self._first(self.normalise(clip[:, 0]), encoded[0], feedback)
        outputs = [output]
        for features in encoded[1:]:
            output, state = self._advance(features, state, feedback)
            outputs.append(output)
        return stack_frames(outputs)


def hand_on(maps: Tensor, t: int, feedback: Feedback | None) -> Tensor:
    """Return H_t as the next frame gets it.

    Args:
        maps: (B, K, H, W), the background last.
        t: index of the frame in its stream.
        feedback: function that returns the joint maps to pass on; ``None`` passes ``maps`` unchanged.

    Returns:
        (B, K, H, W) maps. The background B becomes B + max_j H^j − max_j H′^j: unchanged where H′ = H, and about 1
        where joints were erased, as in training, where it is 1 − max_j H^j.
    """
    if feedback is None:
        return maps
    joints, background = maps[:, :-1], maps[:, -1:]
    given = feedback(joints, t)
    return torch.cat([given, background + (joints.amax(1, keepdim=True) - given.amax(1, keepdim=True))], 1)
