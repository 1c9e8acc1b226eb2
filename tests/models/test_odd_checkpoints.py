"""Checkpoints with odd headers and weights: refused by name, before anything is built."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from dkd import load_model
from dkd.errors import CheckpointError
from dkd.models import build_model
from dkd.models.checkpoints import read_tensors, save_model

KINDS = ["dkd-tiny", "simple-baseline-tiny", "cpm-tiny", "lstm-pm-tiny"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    files = {}
    for kind in KINDS:
        settings: dict[str, Any] = {"hidden": 4} if kind.startswith("lstm") else {}
        files[kind] = folder / f"{kind}.safetensors"
        save_model(build_model(kind, channels=8, **settings), files[kind], {"data": "none"})
    return files


def changed(source: Path, target: Path, settings: dict | None = None, weights=None, **header: str) -> Path:
    tensors, own = read_tensors(source)
    if settings:
        own["config"] = json.dumps({**json.loads(own["config"]), **settings})
    if weights is not None:
        name = next(k for k, v in tensors.items() if v.is_floating_point() and v.ndim == 4)
        tensors[name] = weights(tensors[name])
    save_file(tensors, target, metadata={**own, **header})
    return target


SETTINGS = [
    {"channels": "8"}, {"channels": 8.5}, {"channels": True}, {"channels": None}, {"channels": [8]}, {"channels": -1},
    {"channels": 10**12}, {"channels": 10**400}, {"channels": 4096}, {"input_size": 10**9}, {"input_size": 4096},
    {"input_size": 130}, {"skeleton": "hydra"}, {"skeleton": {"a": 1}}, {"colour": 1}, {"input_size": float("nan")},
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: json.dumps(settings)[:30])
def test_settings_that_do_not_fit_are_refused_before_memory_is_taken(whole, tmp_path, kind, settings) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = changed(whole[kind], tmp_path / "bad.safetensors", settings)
    with pytest.raises(CheckpointError, match=r"bad\.safetensors cannot be loaded: ") as caught:
        load_model(path)
    assert len(str(caught.value)) < 500
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("dkd-tiny", {"heatmap_gain": float("nan")}), ("dkd-tiny", {"heatmap_gain": float("inf")}),
        ("dkd-tiny", {"heatmap_gain": 0}), ("dkd-tiny", {"kernel_side": 4}), ("dkd-tiny", {"kernel_side": 10**6}),
        ("dkd-tiny", {"encoder": "resnet9000"}), ("dkd-tiny", {"encoder": 3}), ("dkd-tiny", {"kernel_bias": 1}),
        ("simple-baseline-tiny", {"deconvolutions": 7}), ("cpm-tiny", {"stages": 10**9}),
        ("cpm-tiny", {"kernel": 10**6}), ("cpm-tiny", {"context": 4}),
        ("lstm-pm-tiny", {"hidden": 10**9}), ("lstm-pm-tiny", {"features": 0}),
    ],
)  # fmt: skip
def test_settings_of_one_kind(whole, tmp_path, kind, settings) -> None:
    with pytest.raises(CheckpointError, match="cannot be loaded: "):
        load_model(changed(whole[kind], tmp_path / "bad.safetensors", settings))


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "header",
    [
        {"config": DEEP}, {"config": "[]"}, {"config": "3"}, {"config": ""}, {"config": "{" + '"a":{' * 10_000},
        {"config": "1" * 10_000}, {"joints": DEEP}, {"joints": "{}"}, {"joints": "[1, 2]"}, {"provenance": DEEP},
        {"provenance": "[]"}, {"provenance": "no"}, {"provenance": " " * 2**23}, {"kind": "x" * 10_000}, {"kind": ""},
        {"format": "x" * 10_000}, {"provenance": json.dumps({"confidence": 3})},
    ],
    ids=lambda header: f"{next(iter(header))} {next(iter(header.values()))[:12]}",
)  # fmt: skip
def test_headers_that_are_none(whole, tmp_path, header) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_model(changed(whole["dkd-tiny"], tmp_path / "bad.safetensors", **header))
    assert len(str(caught.value)) < 500


def knots(**more: object) -> str:
    whole = {"scores": [0.1, 0.5], "probabilities": [0.2, 0.9], "alpha": 0.1, "data": ["x"], "n": 9, "ece": None}
    return json.dumps({"confidence": {**whole, **more}})


@pytest.mark.parametrize(
    "more",
    [
        {"alpha": float("inf")}, {"alpha": float("nan")}, {"alpha": -1}, {"n": float("inf")}, {"n": 0},
        {"ece": float("inf")}, {"ece": float("nan")}, {"scores": [0.1, float("inf")]}, {"scores": [0.5, 0.1]},
        {"probabilities": [0.2, float("nan")]}, {"probabilities": [0.2, 2]}, {"scores": []}, {"scores": 3},
        {"data": 3}, {"colour": 3},
    ],
    ids=str,
)  # fmt: skip
def test_a_calibration_that_is_none(whole, tmp_path, more) -> None:
    assert load_model(changed(whole["dkd-tiny"], tmp_path / "good.safetensors", provenance=knots())).provenance
    with pytest.raises(CheckpointError, match="calibration"):
        load_model(changed(whole["dkd-tiny"], tmp_path / "bad.safetensors", provenance=knots(**more)))


def put(value: float):
    def change(tensor: torch.Tensor) -> torch.Tensor:
        tensor = tensor.clone()
        tensor.view(-1)[7] = value
        return tensor

    return change


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (put(float("nan")), "not finite"), (put(float("inf")), "not finite"), (put(-float("inf")), "not finite"),
        (lambda t: t.double().fill_(1e300), "not finite"), (lambda t: t.to(torch.complex64), "got complex64"),
        (lambda t: t.to(torch.int64), "got int64"), (lambda t: t > 0, "got bool"),
        (lambda t: t.to(torch.float8_e4m3fn), "got float8"), (lambda t: t[:-1], "does not fit its own config"),
        (lambda t: t.reshape(-1), "does not fit its own config"),
    ],
    ids=["nan", "inf", "-inf", "too large", "complex", "whole numbers", "bool", "float8", "cut", "flat"],
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_no_finite_numbers_are_refused_by_name(whole, tmp_path, kind, weights, words) -> None:
    with pytest.raises(CheckpointError, match=words):
        load_model(changed(whole[kind], tmp_path / "bad.safetensors", weights=weights))


def test_the_old_name_of_a_setting_is_read(whole, tmp_path) -> None:
    path = changed(whole["dkd-tiny"], tmp_path / "old.safetensors", {"distillation": "distilled"})
    assert load_model(path).config == load_model(whole["dkd-tiny"]).config


@pytest.mark.parametrize("kind", KINDS)
def test_whole_checkpoints_of_each_kind_and_type_are_loaded(whole, tmp_path, kind) -> None:
    expected, _ = read_tensors(whole[kind])
    for kept in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        loaded = load_model(changed(whole[kind], tmp_path / "good.safetensors", weights=lambda t, k=kept: t.to(k)))
        for name, tensor in loaded.state_dict().items():
            torch.testing.assert_close(tensor, expected[name], rtol=1e-2, atol=1e-3)
