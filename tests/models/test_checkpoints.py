"""Checkpoints survive a round trip, and other files are rejected."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from dkd import load_model
from dkd.errors import CheckpointError, ConfigError
from dkd.models import DKD, build_model
from dkd.models.checkpoints import FORMAT, read_tensors, save_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory):
    model = build_model("dkd-mobilenetv2", channels=16)
    path = tmp_path_factory.mktemp("checkpoint") / "mine.safetensors"
    save_model(model, path, {"data": "none", "seed": 3})
    return model, path


def rewrite(source, target, change_tensors=None, change_header=None) -> None:
    tensors, header = read_tensors(source)
    if change_tensors:
        change_tensors(tensors)
    if change_header:
        change_header(header)
    save_file(tensors, target, metadata=header)


def test_round_trip(saved) -> None:
    model, path = saved
    loaded = load_model(path)
    assert loaded.config == model.config
    assert loaded.name == "mine"
    assert loaded.provenance == {"data": "none", "seed": 3}
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    assert not list(path.parent.glob("*.tmp"))


def test_a_baseline_comes_back_as_one_and_a_file_without_a_kind_is_a_dkd(saved, tmp_path) -> None:
    baseline = build_model("simple-baseline-tiny", channels=8)
    save_model(baseline, tmp_path / "baseline.safetensors", {})
    loaded = load_model(tmp_path / "baseline.safetensors")
    assert type(loaded) is type(baseline)
    assert loaded.config == baseline.config
    _, path = saved
    rewrite(path, tmp_path / "old.safetensors", change_header=lambda h: h.pop("kind"))
    assert isinstance(load_model(tmp_path / "old.safetensors"), DKD)
    rewrite(path, tmp_path / "odd.safetensors", change_header=lambda h: h.update(kind="lstm"))
    with pytest.raises(CheckpointError, match="one of the kinds dkd, simple_baseline, .*got 'lstm'"):
        load_model(tmp_path / "odd.safetensors")


def test_half_precision_is_loaded_as_float(saved, tmp_path) -> None:
    model, path = saved
    save_model(model, tmp_path / "half.safetensors", {}, half=True)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.55 * path.stat().st_size
    loaded = load_model(tmp_path / "half.safetensors")
    assert isinstance(loaded, DKD)
    assert loaded.readout.weight.dtype == torch.float32
    torch.testing.assert_close(loaded.readout.weight, model.readout.weight, rtol=1e-3, atol=1e-4)


def test_other_files_are_not_loaded(saved, tmp_path) -> None:
    _, path = saved
    bad = tmp_path / "bad.safetensors"
    with pytest.raises(CheckpointError, match="found no file"):
        load_model(bad)
    bad.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match="not a complete safetensors file"):
        load_model(bad)
    torch.save({"weight": torch.zeros(2)}, bad)
    with pytest.raises(CheckpointError, match="pickle"):
        load_model(bad)
    bad.write_bytes(b"")
    with pytest.raises(CheckpointError, match="not a complete"):
        load_model(bad)
    save_file({"x": torch.zeros(1)}, bad)
    with pytest.raises(CheckpointError, match=f"expected '{FORMAT}'"):
        load_model(bad)


def test_a_checkpoint_that_contradicts_itself(saved, tmp_path) -> None:
    _, path = saved
    bad = tmp_path / "bad.safetensors"
    rewrite(path, bad, lambda t: t.pop("readout.weight"))
    with pytest.raises(CheckpointError, match="1 tensors differ, the first is 'readout.weight'"):
        load_model(bad)
    rewrite(path, bad, lambda t: t.update({"readout.bias": torch.zeros(5)}))
    with pytest.raises(CheckpointError, match=r"readout\.bias"):
        load_model(bad)
    rewrite(path, bad, change_header=lambda h: h.update(joints=json.dumps(["head"])))
    with pytest.raises(CheckpointError, match="its joints are not those of the skeleton"):
        load_model(bad)
    rewrite(path, bad, change_header=lambda h: h.update(config=json.dumps({"colour": 3})))
    with pytest.raises(CheckpointError, match="unknown 'colour'"):
        load_model(bad)
    rewrite(path, bad, change_header=lambda h: h.update(config="{"))
    with pytest.raises(CheckpointError, match="settings of the model in JSON"):
        load_model(bad)


def test_names_of_models_that_have_no_weights() -> None:
    with pytest.raises(ConfigError, match="'dkd-resnet50' is registered, but no trained weights are shipped"):
        load_model("dkd-resnet50")
    with pytest.raises(ConfigError, match="'resnet-mobile' is unknown"):
        load_model("resnet-mobile")
    with pytest.raises(ConfigError, match="shipped: dkd-mobilenetv2"):
        load_model("some/folder/model.pt")


def test_a_failed_write_leaves_the_old_file(saved, tmp_path, monkeypatch) -> None:
    model, _ = saved
    path = tmp_path / "kept.safetensors"
    save_model(model, path, {"version": 1})
    before = path.read_bytes()

    def no_room(*args, **kwargs) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dkd.models.checkpoints.save_file", no_room)
    with pytest.raises(OSError, match="No space"):
        save_model(model, path, {"version": 2})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["kept.safetensors"]


def test_the_shipped_checkpoint_says_where_it_comes_from() -> None:
    model = load_model("dkd-mobilenetv2")
    assert model.skeleton.name == "penn_action"
    assert {"config", "commit", "versions", "step", "validation", "exported", "confidence"} <= model.provenance.keys()
    assert {"data", "seed", "optimiser"} <= model.provenance["config"].keys()
    assert "/" not in str(model.provenance["config"]["data"]).replace("data/varied", "")
    assert all(torch.isfinite(v).all() for v in model.state_dict().values())


def test_checkpoints_are_small_enough_to_clone() -> None:
    from dkd.io.paths import data_folder

    files = list((data_folder() / "checkpoints").glob("*.safetensors"))
    assert files
    for file in files:
        assert file.stat().st_size < 25e6
        assert file.with_suffix(".md").is_file(), f"{file.name} has no card"
        assert load_file(file)
