"""Losses against closed forms, and the adversary's equilibrium against its equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dkd.errors import ConfigError
from dkd.models.discriminator import TemporalDiscriminator, frame_pairs
from dkd.pose.heatmaps import gaussian_targets
from dkd.training.losses import (
    AdversaryConfig,
    convergence,
    map_changes,
    motion_loss,
    next_k,
    pose_loss,
    reconstruction_loss,
)

NAN, INF = float("nan"), float("inf")


def test_pose_loss_against_a_closed_form() -> None:
    joints = torch.tensor([[[10.0, 12.0], [NAN, NAN], [INF, INF]]])
    weights = torch.tensor([[1.0, 0.0, 1.0]])
    perfect = gaussian_targets(joints, 32, 1.5)
    assert pose_loss(perfect, joints, weights, 1.5) == 0
    # all maps zero: the labelled joint inside costs its Gaussian's sum of squares, πσ²; the one outside nothing
    assert float(pose_loss(torch.zeros(1, 3, 32, 32), joints, weights, 1.5)) == pytest.approx(
        np.pi * 1.5**2 / 2, rel=1e-3
    )
    wrong = perfect.clone()
    wrong[0, 1] = NAN  # whatever an unlabelled joint's map holds, it is not counted
    assert pose_loss(wrong, joints, weights, 1.5) == 0


def test_a_hidden_joint_counts_by_its_weight() -> None:
    joints = torch.tensor([[[10.0, 12.0], [20.0, 9.0]]])
    maps = torch.zeros(1, 2, 32, 32)
    maps[0, 1] = gaussian_targets(joints, 32, 1.5)[0, 1]  # the second joint is right, the first is not
    full = np.pi * 1.5**2
    for weight in (1.0, 0.5, 0.1):
        weights = torch.tensor([[weight, 1.0]])
        assert float(pose_loss(maps, joints, weights, 1.5)) == pytest.approx(full * weight / (1 + weight), rel=1e-3)


def test_motion_loss_forgives_a_standing_error_and_counts_a_trembling_one() -> None:
    walk = torch.stack([torch.tensor([[8.0 + t, 14.0], [20.0, 9.0 + t]]) for t in range(4)])[None]  # (1, 4, 2, 2)
    weights = torch.ones(1, 4, 2)
    true = gaussian_targets(walk, 32, 1.5)
    assert motion_loss(true, walk, weights, 1.5) == 0
    standing = torch.rand(1, 1, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    assert float(motion_loss(true + standing, walk, weights, 1.5)) == pytest.approx(0, abs=1e-5)
    trembling = true.clone()
    trembling[:, 2] = 0  # one frame without peaks: two changes of three are off, by a Gaussian's sum of squares
    assert float(motion_loss(trembling, walk, weights, 1.5)) == pytest.approx(np.pi * 1.5**2 * 2 / 3, rel=1e-3)
    weights[:, 2] = 0  # not labelled there: both its changes are not counted
    assert motion_loss(trembling, walk, weights, 1.5) == 0


def test_processes_that_share_a_batch_have_its_loss() -> None:
    """The mean of the parts' losses, each divided by the mean count, is the loss of the whole batch."""
    generator = torch.Generator().manual_seed(0)
    joints = torch.rand(4, 3, 2, generator=generator) * 30
    maps = torch.rand(4, 3, 32, 32, generator=generator)
    weights = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0.5, 1, 0], [1, 1, 1]])
    count = weights.sum() / 2
    shares = [pose_loss(maps[r::2], joints[r::2], weights[r::2], 1.5, count) for r in range(2)]
    torch.testing.assert_close(sum(shares) / 2, pose_loss(maps, joints, weights, 1.5))


@given(height=st.floats(0.05, 2.0))
def test_changes_have_unit_scale_however_high_the_peaks_are(height: float) -> None:
    joints = torch.tensor([[[[8.0, 8.0]], [[11.0, 8.0]], [[14.0, 9.0]]]])  # one clip, three frames, one joint
    maps = height * gaussian_targets(joints, 32, 1.5)
    changes = map_changes(maps, torch.ones(1, 3, 1, dtype=torch.bool))
    assert changes.shape == (2, 1, 32, 32)
    assert float(changes.square().mean()) == pytest.approx(1, rel=1e-4)
    # they rise where the joint comes to, and fall where it was
    assert changes[0, 0, 8, 11] > 0 > changes[0, 0, 8, 8]


def test_a_change_without_a_label_is_none_and_standing_still_is_not_blown_up() -> None:
    maps = torch.rand(1, 3, 2, 16, 16)
    usable = torch.tensor([[[True, True], [True, False], [True, True]]])
    changes = map_changes(maps, usable)
    assert changes[:, 1].abs().max() == 0
    assert changes[:, 0].abs().max() > 0
    still = maps[:, :1].repeat(1, 3, 1, 1, 1) + torch.tensor([0, 1e-6, 0])[None, :, None, None, None]
    assert map_changes(still, torch.ones(1, 3, 2, dtype=torch.bool)).abs().max() < 0.01


def test_the_size_of_a_change_still_has_a_gradient_within_the_batch() -> None:
    maps = torch.rand(2, 2, 1, 8, 8, requires_grad=True)
    map_changes(maps, torch.ones(2, 2, 1, dtype=torch.bool))[0].square().mean().backward()
    assert maps.grad is not None
    assert maps.grad[0].abs().sum() > 0
    assert maps.grad[1].abs().sum() == 0  # the common factor carries none


def test_pairs_are_neighbours() -> None:
    frames = torch.arange(3.0)[None, :, None, None, None].expand(1, 3, 3, 64, 64) / 2
    pairs = frame_pairs(frames, 8)
    assert pairs.shape == (2, 6, 8, 8)
    assert pairs[:, :, 0, 0].tolist() == [[-1, -1, -1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]


@given(k=st.floats(0, 1), real=st.floats(0, 3), fake=st.floats(0, 3), gamma=st.floats(0.1, 1), rate=st.floats(0, 0.5))
def test_k_moves_as_the_equilibrium_says_and_stays_in_its_bounds(
    k: float, real: float, fake: float, gamma: float, rate: float
) -> None:
    config = AdversaryConfig(eta=1, gamma=gamma, lambda_k=rate)
    moved = next_k(k, real, fake, config)
    assert 0 <= moved <= 1
    free = k + rate * (gamma * real - fake)
    assert moved == pytest.approx(min(1, max(0, free)))
    assert convergence(real, fake, config) >= real
    assert convergence(real, gamma * real, config) == pytest.approx(real)


def test_a_discriminator_that_outputs_zero_has_a_loss_of_one() -> None:
    changes = map_changes(torch.rand(2, 3, 4, 16, 16), torch.ones(2, 3, 4, dtype=torch.bool))
    assert float(reconstruction_loss(torch.zeros_like(changes), changes)) == pytest.approx(1, rel=1e-4)
    assert reconstruction_loss(changes, changes) == 0


def test_the_discriminator_learns_to_reconstruct_true_changes() -> None:
    torch.manual_seed(0)
    discriminator = TemporalDiscriminator(2, 16)
    optimiser = torch.optim.Adam(discriminator.parameters(), 3e-3)
    start = torch.rand(8, 1, 2, 2) * 10 + 3
    joints = torch.cat([start, start + torch.randn(8, 1, 2, 2) * 2], 1)
    changes = map_changes(gaussian_targets(joints, 16, 1.25), torch.ones(8, 2, 2, dtype=torch.bool))
    pairs = torch.zeros(8, 6, 16, 16)
    for _ in range(150):
        loss = reconstruction_loss(discriminator(changes, pairs), changes)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.6
    noise = torch.randn_like(changes)  # another kind of change, of the same scale, is not reconstructed
    assert reconstruction_loss(discriminator(noise, pairs), noise) > 0.9


def test_bad_adversaries_are_refused() -> None:
    with pytest.raises(ConfigError, match="gamma > 0"):
        AdversaryConfig(gamma=0)
    with pytest.raises(ConfigError, match="expected eta from 0"):
        AdversaryConfig(eta=-1)
