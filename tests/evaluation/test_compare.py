"""Comparison: every result in its column, published ones separate from ours; and the measuring commands."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from dkd.cli.main import main
from dkd.errors import ConfigError
from dkd.evaluation.compare import Comparison, cost_models, headline, make_comparison, resolve
from dkd.evaluation.cost import count
from dkd.evaluation.published import FIGURES
from dkd.evaluation.results import Evaluation
from dkd.models import MODELS, build_model
from dkd.models.checkpoints import save_model


def rows(model: str, data: str, labels: str, shift: float, n_frames: int = 4) -> pd.DataFrame:
    """Make a tidy table of a clip with motionless joints, predicted ``shift`` × the box away from their place."""
    joints = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    frames = np.repeat(np.arange(n_frames), len(joints))
    true_x = np.tile([100.0, 140.0, 104.0, 136.0], n_frames)
    true_y = np.tile([100.0, 100.0, 160.0, 160.0], n_frames)
    table = pd.DataFrame({"frame": frames, "time_s": frames / 25, "joint": np.tile(joints, n_frames)})
    return table.assign(
        model=model, data=data, video="v", action="", x=true_x + 200 * shift, y=true_y, score=1.0, true_x=true_x,
        true_y=true_y, visible=True, box_side=200.0, box_area=20000.0, torso=70.0, in_crop=True, kernel_drift=0.0,
        labels=labels, skeleton="penn_action",
    )  # fmt: skip


def costs() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "input": [256, 368, 256],
            "params (M)": [86.8, 12.1, 12.1],
            "GMACs": [7.0, 70.0, 35.0],
            "ms": [100.0, 450.0, 200.0],
            "ratio": [1.0, 4.4, 2.1],
        },
        index=pd.Index(["dkd-resnet50", "lstm-pm", "lstm-pm @256"], name="model"),
    )
    table.attrs = {"device": "a processor", "threads": 2, "precision": "float32", "rounds": 3, "torch": "2"}
    return table


@pytest.fixture
def comparison() -> Comparison:
    tables = [rows("mine", "rendered", "exact", 0.03), rows("mine+erased", "rendered", "exact", 0.15)]
    tables += [rows("mine", "pose2sim", "machine labels", 0.3)]
    return make_comparison(pd.concat(tables), costs())


def test_figures_stand_in_their_groups(comparison: Comparison) -> None:
    table = comparison.table
    assert list(table.columns.unique(0)) == ["rendered: exact", "pose2sim: machine labels", "cost", "published"]
    exact, machine = table["rendered: exact"], table["pose2sim: machine labels"]
    assert exact.loc["mine", ["PCK@0.2", "PCK@0.1", "PCK@0.05"]].tolist() == [1, 1, 1]
    assert exact.loc["mine+erased", ["PCK@0.2", "PCK@0.1", "PCK@0.05"]].tolist() == [1, 0, 0]
    assert exact.loc["mine+erased", "AUC"] == pytest.approx(1 - 0.15 / 0.2, abs=1e-5)
    assert machine.loc["mine", "PCK@0.2"] == 0
    assert machine.loc["mine+erased"].isna().all(), "it was not measured there"
    assert table["cost"].loc["lstm-pm", "GMACs"] == 70
    assert table["cost"].loc[["mine", "mine+erased"]].isna().all(axis=None)


def test_published_figures_are_others_and_unchanged(comparison: Comparison) -> None:
    others = comparison.table["published"]
    for model, figures in FIGURES.items():
        for name, value in figures.items():
            assert others.loc[model, name] == value
    assert others.loc[["mine", "mine+erased", "lstm-pm @256"]].isna().all(axis=None)
    assert any("Published, not measured here" in note for note in comparison.notes)
    # Without them there is no such group.
    assert "published" not in make_comparison(rows("mine", "rendered", "exact", 0), None).table.columns.unique(0)


def test_the_headline_is_both_ratios_at_both_sizes() -> None:
    own, equal = headline(costs())
    assert "lstm-pm at 368 px against dkd-resnet50 at 256 px: 10.0 × the multiply-adds, 4.4 × the time" in own
    assert "lstm-pm at 256 px against dkd-resnet50 at 256 px: 5.0 × the multiply-adds, 2.1 × the time" in equal
    assert headline(costs().drop(index="dkd-resnet50")) == []


def test_the_texts_have_the_figures(comparison: Comparison, tmp_path: Path) -> None:
    markdown = comparison.text("markdown")
    assert re.search(r"\| mine\+erased +\| 1.000 +\| 0.000 ", markdown)
    assert "**pose2sim: machine labels**" in markdown and "nan" not in markdown
    csv = comparison.text("csv")
    back = pd.read_csv(io.StringIO(csv), comment="#", index_col="model")
    assert back.loc["lstm-pm", "cost: GMACs"] == 70 and back.loc["lstm-pm", "published: GMACs"] == 70.98
    assert list(back.index) == list(comparison.table.index)
    latex = comparison.text("latex")
    assert latex.count(r"\toprule") == 4 and not re.search(r"^[^%\n].*[^\\]%", latex, re.MULTILINE)
    for ending in (".md", ".csv", ".tex"):
        assert comparison.save(tmp_path / f"table{ending}").read_text()
    with pytest.raises(ConfigError, match="ends in .md"):
        comparison.save(tmp_path / "table.xlsx")
    with pytest.raises(ConfigError, match="did you mean 'markdown'"):
        comparison.text("markdwn")
    assert make_comparison(None, None).table.empty


def test_which_models_are_profiled(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "own.safetensors"
    save_model(build_model("dkd-tiny", channels=8, input_size=128), path, {})
    methods = resolve(["dkd-tiny", "lstm-pm-tiny", f"{path}+frozen"])
    assert [method.source is None for method in methods] == [True, True, False]
    models = cost_models(methods)
    # A model that was trained at 128 px is not measured at 256.
    assert list(models) == ["dkd-tiny", "lstm-pm-tiny", "own+frozen", "lstm-pm-tiny @256"]
    assert [model.config.input_size for model in models.values()] == [256, 128, 128, 256]
    plain, twice = cost_models(resolve([str(path), f"{path}+refined"])).values()
    looks = count(plain), count(twice)
    assert looks[1].first == looks[0].first
    assert looks[1].step == looks[0].step + count(resolve([f"{path}+initializer"])[0].model).step
    assert looks[1].step_params == looks[1].params == looks[0].params
    (varied,) = resolve(["dkd-tiny+frozen"])
    assert (varied.name, varied.source, varied.variants) == ("dkd-tiny+frozen", None, ("frozen",))
    with pytest.raises(ConfigError, match="did you mean 'dkd-tiny'"):
        resolve(["dkd-tny"])
    with pytest.raises(ConfigError, match="already has 'frozen'"):
        resolve(["dkd-mobilenetv2+frozen+frozen"])


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "own.safetensors"
    save_model(build_model("dkd-tiny", channels=8, input_size=128), path, {})
    return path


def test_dkd_compare_makes_the_table(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "table.csv"
    command = [
        "compare", "simple-baseline-tiny", str(checkpoint), f"{checkpoint}+erased", "--data", "samples",
        "--frames", "3", "--rounds", "1", "--threads", "1", "--save", str(out),
    ]  # fmt: skip
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "exact" in said and "own+erased" in said
    table = pd.read_csv(out, comment="#", index_col="model")
    assert list(table.index) == ["simple-baseline-tiny", "own", "own+erased"], "as they were asked for"
    assert table["cost: ms"].notna().all() and (table["cost: ms"] > 0).all()
    accuracy = [column for column in table if column.endswith("PCK@0.2")]
    assert len(accuracy) == 1 and table[accuracy[0]].isna().tolist() == [True, False, False], "it has no weights"
    assert Evaluation(tmp_path / "runs" / "evaluation").methods == ["own", "own+erased"]


def test_dkd_evaluate_prints_group_bys_and_saves_all_rows(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "rows.parquet"
    command = ["evaluate", str(checkpoint), "--data", "samples", "--frames", "3", "--out", str(tmp_path / "e")]
    assert main([*command, "--by", "model", "joint", "--save", str(saved)]) == 0
    said = capsys.readouterr().out
    assert said.count("left_") == 6 and "PCK@0.2" in said
    assert len(pd.read_parquet(saved)) == 3 * 13
    assert main(["evaluate", "list"]) == 0
    assert "frozen" in capsys.readouterr().out


def test_dkd_bench_prints_costs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "simple-baseline-tiny", "dkd-tiny", "--rounds", "1", "--threads", "1"]) == 0
    said = capsys.readouterr().out
    assert "| dkd-tiny" in said and "medians of 1 rounds" in said


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["compare", "dkd-resnet51"], "dkd-resnet50"),
        (["compare", "--save", "table.docx"], ".md, .csv or .tex"),
        (["evaluate", "dkd-mobilenetv2+eraset"], "erased"),
        (["evaluate", "dkd-resnet50"], "no trained weights are shipped"),
        (["evaluate", "dkd-mobilenetv2", "--data", "penn"], "penn_action"),
        (["evaluate", "dkd-mobilenetv2", "--data", "samples", "--by", "modle"], "did you mean 'model'"),
        (["evaluate", "dkd-mobilenetv2", "--data", "samples", "--normaliser", "head"], "box, torso"),
        (["evaluate", "dkd-mobilenetv2", "--data", "samples", "--set", "thread=1"], "threads"),
        (["bench", "dkd-tiny", "--device", "cuda:9"], "expected --device"),
    ],
)
def test_errors_are_reported_in_one_line(
    command: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_every_model_that_is_compared_is_registered() -> None:
    from dkd.evaluation.compare import HEADLINE, PEERS
    from dkd.evaluation.published import FIGURES

    assert {*HEADLINE, *PEERS, *FIGURES} <= set(MODELS)
