"""Training learns, is reproducible, resumes after a stop or a kill, and trains the selected parts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dkd.errors import CheckpointError, ConfigError, RunBusyError, StorageError, TrainingError
from dkd.machine import MachineConfig, training_precision
from dkd.models import DKD, SimpleBaseline, build_model
from dkd.models.checkpoints import load_model, read_tensors, save_model
from dkd.models.warm_start import warm_start, warm_start_initializer
from dkd.training.config import TrainConfig, load_recipe
from dkd.training.parts import fold_frozen
from dkd.training.record import Record
from dkd.training.run import Run
from dkd.training.runs import find_run, list_runs
from dkd.training.trainer import train
from dkd.training.validation import MEASURES, validate
from tests.conftest import ROOT
from tests.support import processes
from tests.support.dotted_people import dotted_people, dotted_person, quick


def run(
    config: TrainConfig, folder: Path, stop_after: int | None = None, validation=()
) -> tuple[dict[str, torch.Tensor], list[Record]]:
    """Train, and return the state on disk and the records."""
    records = []
    running = train(config, folder, people=dotted_people(), validation=validation)
    for record in running:
        records.append(record)
        if len(records) == stop_after:
            running.close()  # type: ignore[attr-defined]
            break
    return read_tensors(folder / "state.safetensors")[0], records


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name


# With motion and a large γ the equilibrium moves from the first step on.
ADVERSARY = (
    "adversary.eta=0.1", "adversary.gamma=5", "adversary.lambda_k=0.1", "adversary.width=8", "augment.motion=1",
)  # fmt: skip
PRETRAINED = ("model.pretrain=0.5", *ADVERSARY)
BF16 = ("machine.precision=bf16-mixed", "model.pretrain=0.5")
KINDS = [(), ADVERSARY, ("model.name=simple-baseline-tiny",), ("optimiser.name=rmsprop",), PRETRAINED, BF16]


@pytest.mark.parametrize("words", KINDS, ids=["dkd", "adversary", "baseline", "rmsprop", "pretrained", "bf16"])
def test_a_stopped_run_resumes_to_the_same_weights(words: tuple[str, ...], tmp_path: Path) -> None:
    config = quick(*words)
    whole, records = run(config, tmp_path / "whole")
    assert [r.step for r in records] == [1, 2, 3, 4]
    _, first = run(config, tmp_path / "stopped", stop_after=3)
    assert Run(tmp_path / "stopped").steps_done() == 3  # closing saves, though a checkpoint was due every 2 steps
    if words == PRETRAINED:  # stop where the recursion is about to begin, too
        run(config, tmp_path / "twice", stop_after=2)
        assert_same(whole, run(config, tmp_path / "twice")[0])
    resumed, rest = run(config, tmp_path / "stopped")
    assert [r.step for r in first + rest] == [1, 2, 3, 4]
    assert [r.loss for r in first + rest] == [r.loss for r in records]
    assert_same(whole, resumed)
    if words == ADVERSARY:
        assert records[-1].terms["k"] == rest[-1].terms["k"] > 0
    pd_whole, pd_resumed = (Run(tmp_path / name).log() for name in ("whole", "stopped"))
    columns = ["step", "loss", "pose", "real", "fake", "k", "learning_rate", "gradient_norm"]
    assert pd_whole[columns].equals(pd_resumed[columns])


def test_both_parts_of_a_training_compute_in_the_precision_that_is_asked_for(tmp_path: Path) -> None:
    """The initializer alone, which is not trained through the model's forward, and then the whole."""
    for words in ("model.pretrain=0.9", "model.pretrain=0"):
        losses = []
        for precision in ("32-true", "bf16-mixed"):
            config = quick(words, f"machine.precision={precision}", "steps=3")
            losses.append([record.loss for record in run(config, tmp_path / words / precision)[1]])
        assert losses[0] != losses[1]
        np.testing.assert_allclose(losses[0], losses[1], rtol=0.1)


def test_fast_is_bfloat16_where_the_machine_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for has_it, expected in ((True, "bf16-mixed"), (False, "32-true")):
        monkeypatch.setattr("dkd.machine.computes_bf16", lambda answer=has_it: answer)
        assert training_precision(MachineConfig(precision="fast")) == expected
        assert training_precision(MachineConfig()) == "32-true"  # elsewhere than on a GPU
        assert training_precision(MachineConfig(precision="bf16-mixed")) == "bf16-mixed"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    monkeypatch.setattr("dkd.machine.computes_bf16", lambda: True)
    assert training_precision(MachineConfig(precision="fast")) == "32-true"
    assert training_precision(MachineConfig(precision="fast", accelerator="cpu")) == "bf16-mixed"


def test_a_run_from_before_a_setting_existed_resumes(tmp_path: Path) -> None:
    run(quick(), tmp_path / "old", stop_after=2)
    info = json.loads((tmp_path / "old/run.json").read_text())
    assert info["config"].pop("motion_weight") == 0 and info["config"]["model"].pop("initializer_start", 1) is None
    (tmp_path / "old/run.json").write_text(json.dumps(info))
    log = (tmp_path / "old/log.csv").read_text().splitlines()
    without = [
        ",".join(v for i, v in enumerate(row.split(",")) if i != log[0].split(",").index("motion")) for row in log
    ]
    (tmp_path / "old/log.csv").write_text("\n".join(without) + "\n")
    with pytest.raises(CheckpointError, match="motion_weight: 0.0 there, 0.5 here"):
        run(quick("motion_weight=0.5"), tmp_path / "old")
    whole, _ = run(quick(), tmp_path / "new")
    assert_same(whole, run(quick(), tmp_path / "old")[0])
    rows = Run(tmp_path / "old").log()
    assert list(rows["step"]) == [1, 2, 3, 4] and "motion" not in rows
    assert rows["learning_rate"].equals(Run(tmp_path / "new").log()["learning_rate"])


def test_a_run_killed_at_any_moment_resumes_to_the_same_weights(tmp_path: Path) -> None:
    """With repeated SIGKILL at random moments, the final weights are those of an uninterrupted run."""
    words = ("steps=12", "save_every=1", "snapshot_every=3", *ADVERSARY)
    config = quick(*words)
    whole, _ = run(config, tmp_path / "whole")
    rng, folder = np.random.default_rng(0), tmp_path / "killed"
    for _ in range(4):
        process, child = processes.start(processes.tell_steps, str(folder), words)
        child.recv()  # it is under way: a step is done
        time.sleep(rng.uniform(0, 0.5))
        process.kill()
        process.join()
        _, header = read_tensors(folder / "state.safetensors")  # whatever the moment, what is there is whole
        assert Run(folder).steps_done() == int(header["step"]) > 0
        for snapshot in Run(folder).snapshots().values():
            load_model(snapshot)
    resumed, _ = run(config, folder)
    assert_same(whole, resumed)
    log = Run(folder).log()
    assert log["step"].tolist() == list(range(1, 13)), "one row per step"
    assert log["loss"].tolist() == Run(tmp_path / "whole").log()["loss"].tolist()
    assert list(Run(folder).snapshots()) == [3, 6, 9, 12]


def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    process, child = processes.start(processes.tell_steps, str(tmp_path / "run"), ("steps=100000",))
    try:
        child.recv()
        assert Run(tmp_path / "run").status() == "running"
        with pytest.raises(RunBusyError, match="another process is training"):
            next(train(quick("steps=100000"), tmp_path / "run", people=dotted_people(), validation=()))
    finally:
        process.kill()
        process.join()
    assert Run(tmp_path / "run").status() == "stopped"  # the lock goes with its process


def test_a_full_disk_keeps_everything_saved_before(tmp_path: Path) -> None:
    whole, _ = run(quick(steps=6), tmp_path / "whole")
    folder = tmp_path / "run"
    _, child = processes.start(processes.train_on_a_full_disk, str(folder))
    said = child.recv()
    assert "cannot write" in said and "free some space" in said, said
    assert Run(folder).steps_done() == 2
    assert not list(folder.glob("**/*.tmp"))
    assert_same(whole, run(quick(steps=6), folder)[0])


def test_a_loss_that_is_not_finite_stops_and_keeps_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(quick(), tmp_path, stop_after=2)
    kept = (tmp_path / "state.safetensors").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr("dkd.training.step.pose_loss", lambda maps, *_: maps.sum() * float("nan"))
        with pytest.raises(TrainingError, match="the loss is nan .* at step 3; the state of step 2 is kept"):
            run(quick(), tmp_path)
    assert (tmp_path / "state.safetensors").read_bytes() == kept
    failure = json.loads((tmp_path / "failure.json").read_text())
    assert failure["record"]["step"] == 3
    assert Run(tmp_path).status() == "failed"
    _, rest = run(quick(), tmp_path)  # and goes on once the cause is gone
    assert [r.step for r in rest] == [3, 4]
    assert Run(tmp_path).status() == "finished"


def test_a_run_folder_holds_one_run(tmp_path: Path) -> None:
    run(quick(), tmp_path, stop_after=2)
    with pytest.raises(CheckpointError, match="optimiser.learning_rate: 0.002 there, 1.0 here"):
        run(quick("optimiser.learning_rate=1.0"), tmp_path)
    _, rest = run(quick("machine.threads=1"), tmp_path)  # where it runs is no other run
    assert [r.step for r in rest] == [3, 4]


@pytest.mark.parametrize(
    ("words", "frozen", "learned"),
    [
        (
            ("model.initializer=fixed", "optimiser.frozen_blocks=2"),
            ("initializer.", "encoder.conv1", "encoder.bn1", "encoder.layer1"),
            ("encoder.layer2", "distillator.0.weight", "projection.weight", "readout.weight"),
        ),
        (
            ("optimiser.frozen_blocks=1",),
            ("encoder.conv1", "initializer.encoder.conv1"),
            ("initializer.encoder.layer1",),
        ),
        (("model.name=simple-baseline-tiny", "n_frames=1"), (), ("net.encoder.conv1", "net.classifier.weight")),
        (
            ("model.settings.distillation=both", "model.trains=joint_matching", "n_frames=3"),
            ("initializer.", "encoder.", "distillator.", "projection.", "readout."),
            ("joint_matching.gate",),
        ),
    ],
    ids=["initializer fixed", "first block frozen", "baseline", "joint matching"],
)
def test_it_trains_only_the_selected_parts(
    words: tuple[str, ...], frozen: tuple[str, ...], learned: tuple[str, ...], tmp_path: Path
) -> None:
    states = []
    for steps, stop in ((4, 1), (4, None)):
        state, _ = run(quick(*words, steps=steps, save_every=1), tmp_path / str(stop), stop_after=stop)
        states.append({k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")})
    before, after = states
    moved = {k for k, v in before.items() if v.is_floating_point() and not torch.equal(v, after[k])}
    assert not [k for k in moved if k.startswith(frozen)] if frozen else True
    for part in learned:
        assert [k for k in moved if k.startswith(part)], part


def test_only_a_model_with_joint_matching_trains_it_alone() -> None:
    with pytest.raises(ConfigError, match="model.settings.distillation to at_joints or both"):
        quick("model.trains=joint_matching")


def test_first_the_initializer_learns_alone_then_the_encoder_starts_from_it(tmp_path: Path) -> None:
    words = ("model.pretrain=0.5", "save_every=1", "snapshot_every=1", "optimiser.ema=0")
    states = []
    for stop in (1, 2, 3, None):
        tensors, _ = run(quick(*words), tmp_path / str(stop), stop_after=stop)
        states.append({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
    one, two, three, _ = states
    weights = [k for k, v in one.items() if v.is_floating_point() and k.endswith("weight")]
    for k in weights:
        assert torch.equal(one[k], two[k]) != k.startswith("initializer."), k  # it alone has moved
        assert not torch.equal(two[k], three[k]), k
    # In step 3 the encoder began where the initializer was: it is nearer to that than to its own beginning.
    name = "encoder.layer1.0.conv1.weight"
    assert (three[name] - two[f"initializer.{name}"]).norm() < 0.2 * (three[name] - two[name]).norm()
    kinds = [type(load_model(path)).__name__ for path in Run(tmp_path / "None").snapshots().values()]
    assert kinds == ["SimpleBaseline", "SimpleBaseline", "DKD", "DKD"]


def test_a_kernel_bias_fades_and_is_gone_in_the_result(tmp_path: Path) -> None:
    start = build_model("dkd-tiny", channels=16, input_size=128, kernel_bias=True)
    assert isinstance(start, DKD)
    torch.nn.init.ones_(start.kernel_bias)
    save_model(start, tmp_path / "start.safetensors", {})
    words = (
        f"model.start={tmp_path / 'start.safetensors'}", "model.settings.kernel_bias=true",
        "model.bias_fades=[0.25,0.75]", "steps=4", "save_every=1", "snapshot_every=1",
    )  # fmt: skip
    left = []
    for stop in (1, 2, 3, None):
        tensors, _ = run(quick(*words), tmp_path / str(stop), stop_after=stop)
        kernels = [v for k, v in tensors.items() if k.endswith("distillator.10.kernel")]
        assert len(kernels) == 2  # the model's and the average's
        assert all(torch.equal(kernel, kernel.flatten()[0].expand_as(kernel)) for kernel in kernels)  # not trained
        left.append([float(kernel.flatten()[0]) for kernel in kernels])
    assert left == [[1, 1], [0.5, 0.5], [0, 0], [0, 0]]
    result = load_model(tmp_path / "None" / "model.safetensors")
    assert isinstance(result, DKD) and not result.config.kernel_bias
    (*_, last) = Run(tmp_path / "None").snapshots().values()
    with_zeros, clip = load_model(last), torch.rand(1, 2, 3, 128, 128)
    with torch.inference_mode():
        maps = with_zeros(clip).heatmaps, result(clip).heatmaps  # a snapshot is of half precision
    torch.testing.assert_close(*maps, atol=2e-3, rtol=0)
    with pytest.raises(ConfigError, match="zeros"):
        start.without_kernel_bias()


@pytest.mark.parametrize("words", [("model.bias_fades=[0.5,0.5]",), ("model.bias_fades=[0.1,0.5]",)])
def test_a_fading_bias_needs_a_time_and_a_bias(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="bias_fades"):
        quick(*words)


def test_it_learns_the_dots_and_its_log_says_so(tmp_path: Path) -> None:
    words = ("steps=60", "batch=4", "save_every=60", "model.name=simple-baseline-tiny", "n_frames=1")
    _, records = run(quick(*words), tmp_path)
    assert np.mean([r.loss for r in records[-10:]]) < 0.85 * np.mean([r.loss for r in records[:5]])
    log = Run(tmp_path).log()
    assert log["step"].tolist() == list(range(1, 61))
    assert log["loss"].tolist() == pytest.approx([r.loss for r in records], rel=1e-5)
    assert (log["frames_per_s"] > 0).all()
    assert log["waited"].between(0, 1).all()


def test_the_result_and_the_snapshots_are_the_averaged_model(tmp_path: Path) -> None:
    config = quick("snapshot_every=2", "validate_every=4", "data.validation_frames=4")
    state, records = run(config, tmp_path, validation=[dotted_person(5, 5)])
    result = load_model(tmp_path / "model.safetensors")
    for name, tensor in result.state_dict().items():
        assert torch.equal(tensor, state[f"average.module.{name}"]), name
    assert any(not torch.equal(v, state[f"model.{k}"]) for k, v in result.state_dict().items())
    assert [r.snapshot is not None for r in records] == [False, True, False, True]
    assert list(Run(tmp_path).snapshots()) == [2, 4]
    last = records[-1].validation
    assert set(last) == set(MEASURES)
    assert last == validate(result, [dotted_person(5, 5)], 4)
    assert result.provenance["step"] == 4
    assert result.provenance["config"]["seed"] == 0
    assert result.provenance["validation"] == last


def test_a_notebooks_own_random_numbers_are_not_disturbed(tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    run(quick("steps=1"), tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_the_seed_makes_the_run(tmp_path: Path) -> None:
    a, b, c = (run(quick(f"seed={seed}", "steps=1"), tmp_path / str(i))[1][0] for i, seed in enumerate((3, 3, 4)))
    assert a.loss == b.loss != c.loss


def test_data_and_model_must_have_the_same_joints(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has the joints of 'sub_jhmdb', the data those of penn_action"):
        run(quick("model.settings.skeleton=sub_jhmdb"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


# --- several processes ------------------------------------------------------------------------------------------------

SPREAD = """
import sys
sys.path.insert(0, {root!r})
import torch
torch.set_num_threads(1)
from tests.support.dotted_people import dotted_people, quick
from dkd.training.trainer import train
for record in train(quick(*{words!r}), {folder!r}, people=dotted_people(), validation=()):
    pass
"""


def test_two_processes_compute_what_one_does(tmp_path: Path) -> None:
    """The same global batch and losses and, up to rounding, the same weights; two real processes over gloo."""
    # Adam's first steps move each weight by the learning rate, by the sign of its gradient: where that is rounding
    # noise the two runs part. At a small rate they do not part far.
    words = ("batch=4", "steps=3", "n_frames=3", "save_every=3", "optimiser.learning_rate=1e-4", *ADVERSARY)
    # With one thread torch takes an algorithm for the larger batch that differs by 1e-4, with two it does not.
    whole, records = run(quick(*words, "machine.threads=2"), tmp_path / "one")
    script = tmp_path / "spread.py"
    script.write_text(SPREAD.format(root=str(ROOT), words=words, folder=str(tmp_path / "two")))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    log, expected = Run(tmp_path / "two").log(), Run(tmp_path / "one").log()
    for column in ("loss", "pose", "real", "fake", "k", "gradient_norm"):
        assert log[column][0] == pytest.approx(expected[column][0], rel=1e-5), column
        assert log[column].tolist() == pytest.approx(expected[column].tolist(), rel=1e-2), column
    two, _ = read_tensors(tmp_path / "two" / "state.safetensors")
    assert two.keys() == whole.keys()
    drift = max(
        float((two[k] - v).abs().max()) for k, v in whole.items() if v.is_floating_point() and k.startswith("model.")
    )
    assert drift < 3 * 2 * 1e-4
    assert len(records) == 3


# --- starting from weights that exist ---------------------------------------------------------------------------------


def test_a_dkd_starts_from_a_baseline_and_the_other_way_round(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"channels": 16, "input_size": 128}
    baseline = build_model("simple-baseline-tiny", **settings)
    save_model(baseline, tmp_path / "baseline.safetensors", {})
    dkd = build_model("dkd-tiny", **settings)
    random = warm_start(dkd, tmp_path / "baseline.safetensors")
    given, own = baseline.state_dict(), dkd.state_dict()
    for name, tensor in given.items():
        inner = name.removeprefix("net.")
        assert torch.equal(own[f"initializer.{inner}"], tensor)
        if inner.startswith("encoder."):
            assert torch.equal(own[inner], tensor)
    assert "distillator.0.weight" in random and "encoder.conv1.weight" not in random
    save_model(dkd, tmp_path / "dkd.safetensors", {})
    again = build_model("simple-baseline-tiny", **settings)
    assert warm_start(again, tmp_path / "dkd.safetensors") == []
    for name, tensor in given.items():
        assert torch.equal(again.state_dict()[name], tensor)


@pytest.mark.parametrize("name", ["simple-baseline-tiny", "simple-baseline-mobilenetv2", "dkd-tiny"])
def test_frozen_blocks_compute_the_same_without_norms(name: str) -> None:
    model = build_model(name, channels=8, input_size=128)
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            assert norm.running_mean is not None and norm.running_var is not None
            for values, low, high in (
                (norm.running_mean, -1, 1), (norm.running_var, 0.5, 2), (norm.weight, 0.5, 2), (norm.bias, -1, 1)
            ):  # fmt: skip
                torch.nn.init.uniform_(values, low, high)
    clip = torch.rand(1, 2, 3, 128, 128)
    model.eval()
    before, weights = model(clip).features, {k: v.clone() for k, v in model.state_dict().items()}
    fold_frozen(model, load_recipe("laptop", ["optimiser.frozen_blocks=2"]))
    torch.testing.assert_close(model(clip).features, before, rtol=1e-4, atol=1e-4)
    for trunk in model.trunks():  # the norms are no longer run (a ResNet's stem is no module of its own: its norm is)
        next(m for m in trunk.trunk_blocks()[1].modules() if isinstance(m, torch.nn.BatchNorm2d)).register_forward_hook(
            _never
        )
    model(clip)
    assert model.state_dict().keys() == weights.keys()
    assert all(torch.equal(v, weights[k]) for k, v in model.state_dict().items())


def _never(*_: Any) -> None:
    raise AssertionError("a folded norm was run")


def test_an_initializer_of_another_network_has_its_own_start(tmp_path: Path) -> None:
    wide = build_model("simple-baseline-resnet18", channels=16, input_size=128)
    save_model(wide, tmp_path / "wide.safetensors", {})
    dkd = build_model("dkd-tiny", channels=16, input_size=128, initializer="resnet18")
    assert isinstance(dkd, DKD)
    encoder = {k: v.clone() for k, v in dkd.encoder.state_dict().items()}
    warm_start_initializer(dkd, tmp_path / "wide.safetensors")
    assert isinstance(wide, SimpleBaseline)
    for name, tensor in wide.net.state_dict().items():
        assert torch.equal(dkd.initializer.state_dict()[name], tensor)
    assert all(torch.equal(v, encoder[k]) for k, v in dkd.encoder.state_dict().items())
    with pytest.raises(CheckpointError, match="expected the same network"):
        other = build_model("dkd-tiny", channels=16)
        assert isinstance(other, DKD)
        warm_start_initializer(other, tmp_path / "wide.safetensors")
    with pytest.raises(ConfigError, match="only a DKD has an initializer"):
        load_recipe("laptop", ["model.name=simple-baseline-tiny", "model.initializer_start=x.safetensors"])


def test_a_trunk_starts_from_an_image_classifier(tmp_path: Path) -> None:
    donor = build_model("simple-baseline-resnet18", channels=16).trunks()[0].state_dict()
    weights = {k: v for k, v in donor.items() if not k.startswith("deconv")} | {"fc.weight": torch.zeros(10, 512)}
    torch.save(weights, tmp_path / "resnet18.pth")
    model = build_model("dkd-resnet18", channels=16, initializer="resnet34")
    warm_start(model, tmp_path / "resnet18.pth")
    assert isinstance(model, DKD)
    for name in ("conv1.weight", "layer4.1.conv2.weight", "bn1.running_var"):
        assert torch.equal(model.encoder.state_dict()[name], weights[name])


def test_weights_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    model = build_model("dkd-tiny", channels=16)
    with pytest.raises(CheckpointError, match="found no file"):
        warm_start(model, tmp_path / "none.pth")
    (tmp_path / "bad.pth").write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="does not load as plain weights"):
        warm_start(model, tmp_path / "bad.pth")
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="fit no trunk of dkd-tiny"):
        warm_start(model, tmp_path / "other.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="expected a mapping of names to tensors"):
        warm_start(model, tmp_path / "list.pth")
    jhmdb = build_model("dkd-tiny", skeleton="sub_jhmdb", channels=16)
    save_model(jhmdb, tmp_path / "jhmdb.safetensors", {})
    with pytest.raises(CheckpointError, match="joints of 'sub_jhmdb', this model has 'penn_action'"):
        warm_start(model, tmp_path / "jhmdb.safetensors")


# --- the folder of runs -----------------------------------------------------------------------------------------------


def test_runs_are_listed_and_found(tmp_path: Path) -> None:
    assert len(list_runs(tmp_path)) == 0
    run(quick("validate_every=4", "data.validation_frames=4"), tmp_path / "one", validation=[dotted_person(5, 5)])
    run(quick(*ADVERSARY), tmp_path / "two", stop_after=3)
    table = list_runs(tmp_path).set_index("run")
    assert table.loc["one", ["status", "step", "steps"]].tolist() == ["finished", 4, 4]
    assert table.loc["two", ["status", "step", "adversary"]].tolist() == ["stopped", 3, 0.1]
    assert 0 <= table.loc["one", "PCK@0.2"] <= 1 and np.isnan(table.loc["two", "PCK@0.2"])
    assert find_run("two", tmp_path).config() == quick(*ADVERSARY)
    with pytest.raises(ConfigError, match="did you mean 'two'"):
        find_run("twoo", tmp_path)
    (tmp_path / "two" / "run.json").write_text("{")
    assert list_runs(tmp_path)["run"].tolist() == ["one"]  # a damaged one is left out, and said in the log
    with pytest.raises(CheckpointError, match="found no run.json"):
        Run(tmp_path / "three").config()


def test_a_run_that_cannot_begin_can_be_begun_with_mended_settings(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found no file"):
        run(quick(f"model.start={tmp_path / 'none.pth'}"), tmp_path / "run")
    _, records = run(quick(), tmp_path / "run")
    assert len(records) == 4


def test_the_number_of_threads_is_restored(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    running = train(quick(f"machine.threads={before + 1}"), tmp_path / "run", people=dotted_people(), validation=())
    next(running)
    assert torch.get_num_threads() == before + 1
    running.close()  # type: ignore[attr-defined]
    assert torch.get_num_threads() == before
    assert Run(tmp_path / "run").info()["threads"] == before + 1


def test_no_partial_file_is_left_if_the_state_cannot_be_written(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("in the way")
    with pytest.raises(StorageError, match="cannot write in"):
        next(train(quick(), taken / "run", people=dotted_people(), validation=()))
