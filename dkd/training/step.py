"""One training step, and the state of the networks and optimisers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dkd.datasets.batches import Batch
from dkd.models.base import Feedback, PoseOutput, VideoPoseModel
from dkd.models.discriminator import TemporalDiscriminator, frame_pairs
from dkd.models.dkd import DKD
from dkd.models.registry import make_model
from dkd.models.warm_start import warm_start, warm_start_initializer
from dkd.pose.heatmaps import gaussian_targets
from dkd.training.batch_norm import synchronise_batch_norm
from dkd.training.config import TrainConfig
from dkd.training.losses import (
    convergence,
    map_changes,
    motion_loss,
    next_k,
    pose_loss,
    reconstruction_loss,
    stages_loss,
)
from dkd.training.parts import fold_frozen, freeze, growing_average, make_optimiser, set_modes
from dkd.training.sampling import scheduled_sampling

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Learner:
    """Networks of a run, their optimisers, and the training step.

    Args:
        config: settings of the run.
        fabric: Fabric on which it runs.
        is_new: whether to load ``config.model``'s initial weights; a resumed run gets its state through :meth:`load`.

    Attributes:
        plain: the pose network without wrapper, to access its parts.
        average: exponential average of its weights, which is validated and stored.
        k: the adversary's balance between its two losses.

    Raises:
        CheckpointError: ``config.model.start`` cannot be used.
    """

    def __init__(self, config: TrainConfig, fabric: Fabric, is_new: bool):
        self.config, self.fabric = config, fabric
        with torch.random.fork_rng(devices=[]):  # do not change the notebook's random state
            torch.manual_seed(config.seed)
            model = make_model(config.model_config())
            discriminator = TemporalDiscriminator(len(model.skeleton), config.adversary.width)
        if is_new and config.model.start is not None:
            warm_start(model, config.model.start)
        if is_new and config.model.initializer_start is not None:
            assert isinstance(model, DKD)  # checked by the config
            warm_start_initializer(model, config.model.initializer_start)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        freeze(model, config)
        self.average = torch.optim.swa_utils.AveragedModel(
            model, multi_avg_fn=growing_average(config.optimiser.ema), use_buffers=True
        ).to(fabric.device)
        if fabric.world_size > 1:
            synchronise_batch_norm(model, fabric.device)
        self.plain: VideoPoseModel = model  # to access its parts; calls use the wrapped one
        self.model, self.optimiser = fabric.setup(model, make_optimiser(model, config.optimiser))
        self.model.mark_forward_method("initialise")
        self.adversary, self.adversary_optimiser = None, None
        if config.adversary.eta:
            adam = torch.optim.Adam(discriminator.parameters(), config.adversary.learning_rate, (0.5, 0.999))
            self.adversary, self.adversary_optimiser = fabric.setup(discriminator, adam)
        self.k = 0.0

    @property
    def learning_rate(self) -> float:
        """Learning rate of weights that start from scratch, in the last step."""
        return self.optimiser.param_groups[-1]["lr"]

    # --- one step ----------------------------------------------------------------------------------------------------

    def learn(self, batch: Batch, step: int) -> tuple[float, dict[str, float], float]:
        """Make one optimiser step.

        Args:
            batch: clips of this process.
            step: number of steps done before, from 0.

        Returns:
            The loss, its terms by name, and the gradient's norm before clipping.
        """
        config, fabric = self.config, self.fabric
        alone = step < config.pretrained_steps()  # only the initializer is trained, frame by frame
        if isinstance(self.plain, DKD) and step == config.pretrained_steps() > 0:
            averaged: DKD = self.average.module  # type: ignore[assignment]
            for model in (self.plain, averaged):
                model.start_encoder_from_initializer()
        set_modes(self.plain, config, step)
        for group in self.optimiser.param_groups:
            group["lr"] = config.optimiser.learning_rate * config.optimiser.rate_at(step, config.steps) * group["share"]
        frames, joints, weights = (fabric.to_device(part) for part in batch)
        frames = frames.float() / 255
        stages = None
        if alone:
            with fabric.autocast():  # Fabric enters it by itself for forward() only
                heatmaps = self.model.initialise(frames.flatten(0, 1)).float().unflatten(0, frames.shape[:2])
        else:
            output: PoseOutput = self.model(frames, self._feedback(joints, step))
            heatmaps, stages = output.heatmaps.float(), output.intermediate
        first = 1 if config.model.initializer == "fixed" and isinstance(self.plain, DKD) else 0
        counted = weights[:, first:]
        count = self._mean(counted.sum())
        loss = pose_loss(heatmaps[:, first:], joints[:, first:], counted, config.sigma, count)
        terms = {"pose": loss}
        if stages is not None:  # the result is the last one
            loss = stages_loss(stages, joints, weights, config.sigma, self._mean)
        if config.motion_weight and not alone:
            terms["motion"] = motion_loss(heatmaps[:, first:], joints[:, first:], counted, config.sigma, self._mean)
            loss = loss + config.motion_weight * terms["motion"]
        if self.adversary is not None and not alone:
            judged = self._judge(frames, heatmaps, joints, weights > 0)
            loss = loss + config.adversary.eta * judged.pop("for_pose")
            terms |= judged
        self.optimiser.zero_grad()
        fabric.backward(loss)
        limit = config.optimiser.clip_norm
        norm = fabric.clip_gradients(self.model, self.optimiser, max_norm=limit, error_if_nonfinite=False)
        finite = torch.isfinite(loss) & torch.isfinite(norm)  # type: ignore[arg-type]
        if finite:
            self.optimiser.step()
            self.average.update_parameters(self.plain)
            self._fade_bias(step)
        means = {name: float(self._mean(value.detach())) for name, value in terms.items()}
        if "fake" in means:
            self.k = next_k(self.k, means["real"], means["fake"], config.adversary)
            means |= {"k": self.k, "convergence": convergence(means["real"], means["fake"], config.adversary)}
        return float(self._mean(loss.detach())), means, float(norm)  # type: ignore[arg-type]

    def _fade_bias(self, step: int) -> None:
        """Reduce the kernels' bias of the model and of the average; see ``bias_fades``."""
        before, after = self.config.bias_at(step), self.config.bias_at(step + 1)
        if after == before:
            return
        for model in (self.plain, self.average.module):
            model.kernel_bias.mul_(after / before)  # type: ignore[operator]

    def _judge(self, frames: Tensor, heatmaps: Tensor, joints: Tensor, usable: Tensor) -> dict[str, Tensor]:
        """Update the discriminator; return ``real``, ``fake``, and ``for_pose``: L_fake in the pose network's loss."""
        adversary, optimiser = self.adversary, self.adversary_optimiser
        assert adversary is not None and optimiser is not None
        targets = gaussian_targets(joints, heatmaps.shape[-1], self.config.sigma)
        true, made = (map_changes(maps, usable, self._mean) for maps in (targets, heatmaps))
        pairs = frame_pairs(frames, heatmaps.shape[-1])
        both = adversary(torch.cat([true, made.detach()]), torch.cat([pairs, pairs]))
        real = reconstruction_loss(both[: len(true)], true)
        fake = reconstruction_loss(both[len(true) :], made.detach())
        optimiser.zero_grad()
        self.fabric.backward(real - self.k * fake)
        optimiser.step()
        module: nn.Module = adversary.module
        module.requires_grad_(False)  # the rest is only for the pose network
        for_pose = reconstruction_loss(module(made, pairs), made)
        module.requires_grad_(True)
        return {"real": real, "fake": fake, "for_pose": for_pose}

    def _mean(self, value: Tensor) -> Tensor:
        """Average over the processes that share the batch."""
        return self.fabric.all_reduce(value, reduce_op="mean")  # type: ignore[return-value]

    def _feedback(self, joints: Tensor, step: int) -> Feedback:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        return scheduled_sampling(
            self.config.feedback,
            joints,
            self.config.sigma,
            generator,
            slice(self.fabric.global_rank, None, self.fabric.world_size),
            self.config.batch,
        )

    # --- state -------------------------------------------------------------------------------------------------------

    def _parts(self) -> dict[str, nn.Module]:
        parts: dict[str, nn.Module] = {"model": self.plain, "average": self.average}
        return parts if self.adversary is None else parts | {"adversary": self.adversary.module}

    def _optimisers(self) -> dict[str, Any]:
        optimisers = {"optimiser": self.optimiser}
        return optimisers if self.adversary is None else optimisers | {"adversary_optimiser": self.adversary_optimiser}

    def state(self) -> dict[str, Tensor]:
        """Return everything needed to resume: weights, their average, the adversary, the optimisers, and k."""
        tensors = {f"{part}.{k}": v for part, module in self._parts().items() for k, v in module.state_dict().items()}
        for part, optimiser in self._optimisers().items():
            for i, state in optimiser.state_dict()["state"].items():
                tensors |= {f"{part}.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
        tensors["k"] = torch.tensor(self.k, dtype=torch.float64)
        # safetensors rejects tensors that share memory; clones are small here
        return {k: v.detach().clone() for k, v in tensors.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore a state from :meth:`state`."""
        by_part: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            by_part.setdefault(part, {})[rest] = tensor
        for part, module in self._parts().items():
            module.load_state_dict(by_part[part])
        for part, optimiser in self._optimisers().items():
            states: dict[int, dict[str, Tensor]] = {}
            for name, tensor in by_part.get(part, {}).items():
                i, key = name.split(".")
                states.setdefault(int(i), {})[key] = tensor
            optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
        self.k = float(tensors["k"])

    def fold_frozen(self) -> None:
        """Fold the norms of frozen parts; call it after :meth:`load`, which replaces the weights."""
        fold_frozen(self.plain, self.config)
