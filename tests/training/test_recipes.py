"""The shipped model's three recipes, run unchanged on small data in the places they use."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
import torch

from dkd.cli.main import build_parser, main
from dkd.datasets.render_set import RenderSetConfig, render_set
from dkd.datasets.sources import SOURCES
from dkd.errors import CheckpointError, ConfigError
from dkd.io.config import from_mapping, with_words
from dkd.models import build_model
from dkd.models.checkpoints import load_model, read_tensors, save_model
from dkd.models.export import export_model
from dkd.training.config import list_recipes, load_recipe
from dkd.training.run import Run
from tests.support.crops_folder import write_crops, write_videos

SHIPPED = ("movenet-encoder", "movenet-initializer", "movenet-dkd")
FURTHER = ("movenet-paper", "movenet-joints", "movenet-twin", "movenet-joints-twin")
# The same networks and the same way, but two steps of little.
LITTLE = (
    "steps=2", "batch=2", "model.settings.input_size=128", "optimiser.warmup=1", "validate_every=1",
    "machine.accelerator=cpu", "machine.threads=1",
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a folder for training, with ``data`` and with start weights in ``runs/movenet``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "data"))
    write_crops(tmp_path / "data/person_crops", 20)
    write_videos(tmp_path / "data/labelled_videos")
    for _ in render_set(tmp_path / "data/varied", RenderSetConfig(n_train=1, n_test=1, n_frames=5, size=96), workers=1):
        pass
    shutil.copytree(tmp_path / "data/varied", tmp_path / "data/many")
    shutil.copytree(tmp_path / "data/varied", tmp_path / "data/filmed/training")
    torch.manual_seed(0)
    for name in SHIPPED[:-1]:
        chosen = load_recipe(name).model
        save_model(build_model(chosen.name, input_size=128), tmp_path / str(chosen.start), {})
    return tmp_path


def test_the_recipes_train_one_after_the_other(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the size is changed: all paths and names are those of the recipes."""
    for name in SHIPPED:
        assert main(["train", "--config", name, "--set", *LITTLE]) == 0, capsys.readouterr().err
        assert Run(here / "runs" / name).status() == "finished"
        log = Run(here / "runs" / name).log()
        assert log["loss"].notna().all() and log["pck@0.2"].notna().all()
    assert log["motion"].notna().all() and log["reliance"].notna().all()
    # The parts come from the runs before: a block that is frozen is the same still.
    chosen = load_recipe(SHIPPED[-1]).model
    state = load_model(here / "runs" / SHIPPED[-1] / "model.safetensors").state_dict()
    for part, start in (("encoder", chosen.start), ("initializer.encoder", chosen.initializer_start or chosen.start)):
        given = load_model(here / str(start)).state_dict()
        first = next(k for k in given if k.startswith("net.encoder.features.0"))
        torch.testing.assert_close(state[first.replace("net.encoder", part)], given[first])
    assert main(["export", "runs/movenet-dkd", "movenet.safetensors", "--half"]) == 0
    assert load_model(here / "movenet.safetensors").provenance["run"] == "movenet-dkd"
    for name in FURTHER:
        assert main(["train", "--config", name, "--set", *LITTLE]) == 0, capsys.readouterr().err
        assert Run(here / "runs" / name).log()["loss"].notna().all()
    pure, joints = (load_model(here / "runs" / name / "model.safetensors") for name in FURTHER[:2])
    block = "encoder.features.0"  # frozen
    frozen = {name for name in pure.state_dict() if name.startswith(block)}
    assert frozen and all(torch.equal(pure.state_dict()[name], joints.state_dict()[name]) for name in frozen)
    assert main(["export", "runs/movenet-joints", "mean.safetensors", "--average-with", "runs/movenet-paper"]) == 0
    mean = load_model(here / "mean.safetensors").state_dict()
    expected = (pure.state_dict()["readout.weight"] + joints.state_dict()["readout.weight"]) / 2
    torch.testing.assert_close(mean["readout.weight"], expected)
    gate = "joint_matching.gate.0.weight"
    assert torch.equal(mean[gate], joints.state_dict()[gate])


@pytest.mark.parametrize("name", list_recipes())
def test_every_source_in_a_recipe_is_known(name: str) -> None:
    data = load_recipe(name).data
    for source in (*data.train, data.validation):
        assert source.partition("=")[0] in SOURCES or source == "data/filmed/training"  # of scripts/label_clips.py
        assert not Path(source.partition("=")[2]).is_absolute()


def test_the_rendered_people_of_the_recipes_are_those_that_the_docs_say() -> None:
    """The commands in docs/training.md give the settings with which the shipped model was made."""
    text = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = (line for line in text.splitlines() if line.startswith("dkd render --out data/varied"))
    given = build_parser().parse_args(shlex.split(line)[1:])
    config = from_mapping(RenderSetConfig, with_words({}, given.words))
    assert (config.n_train, config.n_test, config.n_frames, config.size) == (500, 20, 6, 256)
    assert config.motions == () and config.azimuths == (0, 360)
    assert config.surroundings.places == ("room", "outdoors", "abstract")


# --- export -----------------------------------------------------------------------------------------------------------


def test_half_precision_is_recorded_and_local_folders_are_not(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = build_model("dkd-tiny", channels=8, input_size=128)
    facts = {
        "config": {
            "data": {"train": ["person_crops=/folder/of/mine/data", "rendered"]},
            "model": {"start": "/folder/of/mine/w.pt"},
        },
        "run": "first",
    }
    save_model(model, tmp_path / "whole.safetensors", facts)
    out = export_model(tmp_path / "whole.safetensors", tmp_path / "half.safetensors", half=True)
    assert out.stat().st_size < 0.6 * (tmp_path / "whole.safetensors").stat().st_size
    assert "/folder" not in out.read_bytes().decode("latin-1")
    told = load_model(out).provenance
    assert told["run"] == "first" and told["config"]["data"]["train"] == ["person_crops", "rendered"]
    assert told["config"]["model"]["start"] == "w.pt"
    assert told["exported"]["half"] is True and len(told["exported"]["from_sha256"]) == 64
    halved, whole = load_model(out).state_dict(), model.state_dict()
    for name, tensor in whole.items():
        expected = tensor.half().float() if tensor.is_floating_point() else tensor
        torch.testing.assert_close(halved[name], expected, rtol=0, atol=0)
    whole_again = export_model(tmp_path / "whole.safetensors", tmp_path / "again.safetensors")
    assert load_model(whole_again).provenance["exported"]["half"] is False
    stored, _ = read_tensors(whole_again)
    assert all(torch.equal(stored[name], tensor) for name, tensor in whole.items())


def test_the_mean_of_several_models_is_recorded(tmp_path: Path) -> None:
    files = []
    for seed in range(3):
        torch.manual_seed(seed)
        form = "both" if seed == 0 else "pooled"
        model = build_model("dkd-tiny", channels=8, input_size=128, distillation=form)
        files.append(tmp_path / f"{seed}.safetensors")
        save_model(model, files[-1], {"run": str(seed), "confidence": {"measured": "with other weights"}})
    out = export_model(files[0], tmp_path / "mean.safetensors", average_with=files[1:])
    (mean, header), *parts = (read_tensors(file) for file in (out, *files))
    for name, tensor in mean.items():
        known = [part[name] for part, _ in parts if name in part]
        assert len(known) == (1 if name.startswith("joint_matching.") else 3), name
        expected = torch.stack(known).mean(0) if tensor.is_floating_point() else known[0]
        torch.testing.assert_close(tensor, expected, rtol=0, atol=1e-6)
    told = json.loads(header["provenance"])
    assert "confidence" not in told and [one["run"] for one in told["averaged"]] == ["1", "2"]
    assert len(set(told["exported"]["averaged_with_sha256"])) == 2
    with pytest.raises(CheckpointError, match="the one with the most parts first"):
        export_model(files[1], tmp_path / "other.safetensors", average_with=files[:1])
    assert not (tmp_path / "other.safetensors").exists()


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    model = build_model("dkd-tiny", channels=8, input_size=128)
    save_model(model, tmp_path / "a.safetensors", {})
    spec = str(tmp_path / "a.safetensors")
    for wrong in (f"{spec}+erased", str(tmp_path / "none")):
        with pytest.raises(ConfigError):
            export_model(wrong, tmp_path / "b.safetensors")
    for out in (tmp_path / "b.pt", tmp_path / "a.safetensors"):
        with pytest.raises(ConfigError, match="new file"):
            export_model(spec, out)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = 1e5
    save_model(model, tmp_path / "a.safetensors", json.loads("{}"))
    with pytest.raises(CheckpointError, match="half precision ends at 65504"):
        export_model(spec, tmp_path / "b.safetensors", half=True)
    assert not (tmp_path / "b.safetensors").exists()
