"""Ablations: plans are read correctly, runs resume where they stopped, and the table has the measured results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from dkd.ablations.plan import AblationPlan, list_plans, load_plan
from dkd.ablations.run import Progress, ablate
from dkd.ablations.table import FIGURES, AblationResults, make_results, read_results, with_differences
from dkd.cli.main import main
from dkd.datasets.render_set import RenderSetConfig, render_set
from dkd.errors import CheckpointError, ConfigError, DatasetError
from dkd.evaluation.cost import count
from dkd.evaluation.results import Evaluation
from dkd.evaluation.summaries import summarise
from dkd.models import DKD
from dkd.models.checkpoints import load_model
from dkd.training.run import Run
from tests.support.dotted_people import QUICK, dotted_people, dotted_person
from tests.support.server import PATIENCE_S, hear_ctrl_c, until

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "data" / "ablations").glob("*.csv"))

VARIANTS: dict[str, dict[str, Any]] = {
    "dkd": {},
    "again": {"seed": 1},
    "static": {"model.settings.distillation": "static", "model.settings.kernel_side": 5},
    "T4": {"n_frames": 4},
    "per-frame": {"model.name": "simple-baseline-tiny"},
}
METHODS = {"frozen": "dkd+frozen", "misfit": "per-frame+initializer"}


def small_plan(folder: Path, variants=VARIANTS, methods=METHODS, *words: str, **settings: Any) -> AblationPlan:
    """Write the files of a plan on dotted people, as a user would."""
    common = {key: yaml.safe_load(value) for key, _, value in (w.partition("=") for w in QUICK)}
    del common["batch"]
    values = {
        "recipe": "mine.yaml", "frames_a_step": 4, "common": {**common, "data.validation": "dots"},
        "variants": variants, "methods": methods, "evaluation": {"sources": ["dots"]}, **settings,
    }  # fmt: skip
    (folder / "mine.yaml").write_text("model: {pretrain: 0.0}\n")
    (folder / "plan.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    return load_plan(folder / "plan.yaml", words)


def run(plan: AblationPlan, folder: Path, stop_after: int | None = None, only: tuple[str, ...] = ()) -> list[Progress]:
    seen = []
    measured = {"dots": [dotted_person(0, 5), dotted_person(1, 4)]}
    running = ablate(
        plan, folder, only=only, people=dotted_people(), validation=[dotted_person(2, 4)], measured=measured
    )
    for progress in running:
        seen.append(progress)
        if len(seen) == stop_after:
            running.close()  # type: ignore[attr-defined]
            break
    return seen


# --- plans ------------------------------------------------------------------------------------------------------------


def test_shipped_plans_load_and_compare_at_equal_frames() -> None:
    assert "tiny" in list_plans()
    for name in list_plans():
        plan = load_plan(name)
        configs = plan.configs()
        assert len({c.batch * c.n_frames for c in configs.values()}) == 1
        reference = configs[plan.compared_with]
        same = [c for n, c in configs.items() if n != plan.compared_with and c.seed != reference.seed]
        assert same, "two seeds say what noise is"
    configs = load_plan("tiny", ["steps=7", "evaluation.clips=2"]).configs()
    assert {c.steps for c in configs.values()} == {7}
    assert [configs[f"S{side}"].model_config().kernel_side for side in (3, 5, 7, 9)] == [3, 5, 7, 9]  # type: ignore[union-attr]
    assert [(configs[n].n_frames, configs[n].batch) for n in ("T2", "dkd", "T8")] == [(2, 20), (5, 8), (8, 5)]


def test_a_variant_replaces_its_settings_and_arguments_the_common_ones(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, VARIANTS, METHODS, "steps=6", "seed=5", "evaluation.frames=3", "frames_a_step=8")
    configs = plan.configs()
    assert {c.steps for c in configs.values()} == {6} and plan.evaluation.frames == 3
    assert configs["T4"].n_frames == 4 and configs["T4"].batch == 2 and configs["again"].batch == 4
    assert configs["again"].seed == 1 and configs["dkd"].seed == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variants": {}}, "at least one variant"),
        ({"variants": {"a+b": {}}}, "got 'a\\+b'"),
        ({"variants": {"evaluation": {}}}, "got 'evaluation'"),
        ({"methods": {"dkd": "dkd+frozen"}}, "got 'dkd'"),
        ({"methods": {"x": "dk+frozen"}}, "unknown variant 'dk'; did you mean 'dkd'"),
        ({"methods": {"x": "dkd+frosen"}}, "'frosen'; did you mean 'frozen'"),
        ({"methods": {"x": "dkd"}}, "unknown way to run 'dkd'"),
        ({"reference": "dkt"}, "unknown reference 'dkt'; did you mean 'dkd'"),
        ({"variants": {"a": {"n_frame": 3}}}, "variant 'a': unknown setting 'n_frame'; did you mean 'n_frames'"),
        ({"variants": {"a": {"model.settings.kernel_side": 4}}}, "variant 'a': expected kernel_side"),
        ({"variants": {"a": {"seed.x": 4}}}, "variant 'a': cannot set 'seed.x': 'seed' holds"),
        ({"variants": {"a": {"n_frames": 3}}}, "variant 'a': expected n_frames that divides frames_a_step = 4, got 3"),
        ({"common": {"batch": 4}}, "remove one of the two"),
        ({"recipe": "lapto"}, "did you mean 'laptop'"),
        ({"evaluation": {"source": ["x"]}}, "did you mean 'evaluation.sources'|did you mean 'sources'"),
        ({"variant": {}}, "did you mean 'variants'"),
    ],
)
def test_errors_in_a_plan_are_reported_before_anything_runs(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    variants = settings.pop("variants", {"dkd": {}})
    with pytest.raises(ConfigError, match=message):
        small_plan(tmp_path, variants, settings.pop("methods", {}), **settings)


def test_unknown_plans_and_rows_get_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no plan 'tini'; did you mean 'tiny'"):
        load_plan("tini")
    with pytest.raises(ConfigError, match="expected key=value"):
        load_plan("tiny", ["steps"])
    plan = small_plan(tmp_path)
    assert plan.trained() == list(VARIANTS) and plan.trained(["frozen", "T4"]) == ["dkd", "T4"]
    with pytest.raises(ConfigError, match="unknown variant 'frosen'; did you mean 'frozen'"):
        plan.trained(["frosen"])


# --- runs -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[AblationPlan, Path, list[Progress]]:
    """Train and evaluate all of the small plan."""
    folder = tmp_path_factory.mktemp("ablations")
    plan = small_plan(folder)
    return plan, folder / "runs", run(plan, folder / "runs")


def test_every_variant_is_trained_as_it_says_and_measured(done) -> None:
    plan, folder, seen = done
    steps = [(p.variant, p.done) for p in seen if p.phase == "train"]
    assert steps == [(name, step) for name in VARIANTS for step in (1, 2, 3, 4)]
    assert all(Run(folder / name).config() == config for name, config in plan.configs().items())
    static = load_model(folder / "static" / "model.safetensors")
    assert isinstance(static, DKD) and static.kernel_shape == (16, 5, 5) and not static.distils
    methods = ["dkd", "dkd+erased", "again", "again+erased", "static", "T4", "T4+erased", "per-frame", "dkd+frozen"]
    assert Evaluation(folder / "evaluation").methods == methods
    assert Evaluation(folder / "evaluation").missing == 0
    assert seen[-1].phase == "evaluate" and seen[-1].done == seen[-1].of == 9 * len(methods)


def test_the_table_has_the_measured_results(done) -> None:
    plan, folder, _ = done
    results = make_results(plan, folder)
    table = results.table.set_index("variant")
    assert list(table.index) == [*VARIANTS, *METHODS]
    figures = summarise(Evaluation(folder / "evaluation").table(), by=("model",))
    for row, method in {**dict(zip(VARIANTS, VARIANTS, strict=True)), "frozen": "dkd+frozen"}.items():
        for figure in FIGURES:
            assert table.loc[row, figure] == figures.loc[method, figure], (row, figure)
    lost = figures.loc["T4", "PCK@0.2"] - figures.loc["T4+erased", "PCK@0.2"]
    assert table.loc["T4", "erased: PCK@0.2 lost"] == lost
    assert table["erased: PCK@0.2 lost"].isna().to_dict() == {
        name: name in ("static", "per-frame", "frozen", "misfit") for name in table.index
    }
    assert table.reliance.notna()["dkd"] and table.reliance.isna()["static"]
    assert table.changed.to_dict() == {
        "dkd": "", "again": "", "frozen": "run as +frozen", "T4": "batch=1, n_frames=4",
        "static": "model.settings.distillation=static, model.settings.kernel_side=5",
        "per-frame": "model.name=simple-baseline-tiny",
        "misfit": "run as +initializer, model.name=simple-baseline-tiny",
    }  # fmt: skip
    assert "needs a model that distils kernels" in table.problem["misfit"] and np.isnan(table["PCK@0.2"]["misfit"])
    assert table.S.fillna(0).to_dict() == {
        "dkd": 3, "again": 3, "static": 5, "T4": 3, "per-frame": 0, "frozen": 3, "misfit": 0
    }  # fmt: skip
    cost = count(load_model(folder / "static" / "model.safetensors"))
    assert table.GMACs["static"] == cost.step / 1e9 and table["params (M)"]["static"] == cost.params / 1e6
    assert table.GMACs["frozen"] < table.GMACs["dkd"], "no distillator runs"
    assert (table.seed["again"], table.steps["again"], table.videos["again"]) == (1, 4, 2)
    assert (table["training s"] > 0).all()
    assert set(results.facts["runs"]) == set(VARIANTS)
    assert results.facts["runs"]["again"]["config"]["seed"] == 1


def test_a_finished_run_is_found_and_not_trained_again(done) -> None:
    plan, folder, _ = done
    before = {name: Run(folder / name).model_file.stat().st_mtime_ns for name in VARIANTS}
    again = run(plan, folder, only=("T4",))
    assert [(p.variant, p.done, p.record) for p in again if p.phase == "train"] == [("T4", 4, None)]
    assert {name: Run(folder / name).model_file.stat().st_mtime_ns for name in VARIANTS} == before


def test_a_stopped_plan_resumes_to_the_same_table(done, tmp_path: Path) -> None:
    plan, folder, _ = done
    only = ("dkd", "T4")
    assert len(run(plan, tmp_path, stop_after=6, only=only)) == 6
    assert Run(tmp_path / "T4").steps_done() == 2 and not (tmp_path / "evaluation").exists()
    rest = run(plan, tmp_path, only=only)
    assert [(p.variant, p.done) for p in rest if p.phase == "train"] == [("dkd", 4), ("T4", 3), ("T4", 4)]
    whole, mine = (make_results(plan, place).table.set_index("variant") for place in (folder, tmp_path))
    assert list(mine.index) == ["dkd", "T4", "frozen"], "what was not trained has no row"
    columns = [*FIGURES, "erased: PCK@0.2 lost", "GMACs", "steps"]
    pd.testing.assert_frame_equal(mine[columns], whole.loc[mine.index, columns])


def test_a_failed_variant_has_its_reason_and_the_others_continue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small_plan(tmp_path, {"dkd": {}, "bad": {"sigma": 9.0}}, {"bad-frozen": "bad+frozen"}, reference="bad")
    from dkd.training.losses import pose_loss

    def breaks(maps, joints, weights, sigma, count):
        return maps.sum() * float("nan") if sigma == 9 else pose_loss(maps, joints, weights, sigma, count)

    monkeypatch.setattr("dkd.training.step.pose_loss", breaks)
    seen = run(plan, tmp_path / "runs")
    assert [p.variant for p in seen if p.problem] == ["bad"]
    table = make_results(plan, tmp_path / "runs").table.set_index("variant")
    assert list(table.index) == ["dkd", "bad", "bad-frozen"] and table.problem["dkd"] == ""
    assert table.problem["bad"] == table.problem["bad-frozen"] == "training failed: no finite loss at step 1"
    assert table["PCK@0.2"].notna().tolist() == [True, False, False] and table.reading["dkd"] == ""
    monkeypatch.undo()
    run(plan, tmp_path / "runs")  # tried again
    assert (make_results(plan, tmp_path / "runs").table.problem == "").all()


def test_another_plans_runs_are_not_gone_on_with(done, tmp_path: Path) -> None:
    _, folder, _ = done
    other = small_plan(tmp_path, VARIANTS, METHODS, "sigma=2.0")
    with pytest.raises(CheckpointError, match="settings differ from variant 'dkd' of the plan"):
        run(other, folder)
    with pytest.raises(ConfigError, match="found none; run dkd ablate first"):
        make_results(other, tmp_path / "nothing")


# --- what the table says ----------------------------------------------------------------------------------------------


def figures(**rows: tuple[str, int, float, float]) -> pd.DataFrame:
    """Make a table from variant → (changed, seed, PCK, acceleration error), on one source."""
    return pd.DataFrame(
        [
            {"variant": name, "data": "d", "changed": changed, "seed": seed, **dict.fromkeys(FIGURES[:3], pck),
             FIGURES[3]: acceleration}
            for name, (changed, seed, pck, acceleration) in rows.items()
        ]
    )  # fmt: skip


def test_what_two_seeds_differ_by_is_noise() -> None:
    table = figures(a=("", 0, 0.90, 3.0), b=("", 1, 0.93, 2.5), c=("S", 0, 0.92, 4.0), d=("T", 0, 0.80, 2.0),
                    e=("x", 0, 0.91, 3.25))  # fmt: skip
    out = with_differences(table, "a").set_index("variant")
    np.testing.assert_allclose(out["Δ PCK@0.1"], [0, 0.03, 0.02, -0.10, 0.01])
    np.testing.assert_allclose(out["noise of PCK@0.1"], 0.03)
    np.testing.assert_allclose(out["noise of acceleration error %"], 0.5)
    assert out.reading["a"] == "reference"
    assert out.reading["b"] == "the reference, another seed"
    assert out.reading["c"] == "worse: acceleration error; noise: PCK@0.2, PCK@0.1, PCK@0.05"
    assert out.reading["d"] == "better: acceleration error; worse: PCK@0.2, PCK@0.1, PCK@0.05"
    assert out.reading["e"] == "noise"


def test_without_a_second_seed_nothing_is_called_a_difference() -> None:
    out = with_differences(figures(a=("", 0, 0.9, 3.0), c=("S", 0, 0.5, 4.0)), "a").set_index("variant")
    assert out["noise of PCK@0.2"].isna().all()
    assert out.reading.to_dict() == {"a": "reference", "c": "?"}
    alone = with_differences(figures(c=("S", 0, 0.5, 4.0)), "a")
    assert alone.reading.tolist() == [""] and alone["Δ PCK@0.2"].isna().all()


# --- what ships -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_ablations_are_of_the_shipped_plan(file: Path) -> None:
    results = read_results(file)
    plan, made_of = load_plan(file.stem), results.facts["plan"]
    assert made_of["variants"] == plan.variants and made_of["methods"] == plan.methods
    threads = made_of["common"].pop("machine.threads")  # how the machine was used changes no figure's meaning
    assert (made_of["common"], made_of["recipe"], threads) == (plan.common, plan.recipe, 1)
    assert set(results.table["variant"]) == {*plan.variants, *plan.methods}
    assert results.table["problem"].isna().all() or (results.table["problem"] == "").all()


# --- files ------------------------------------------------------------------------------------------------------------


def test_results_survive_a_round_trip_and_match_their_provenance(done, tmp_path: Path, monkeypatch) -> None:
    plan, folder, _ = done
    results = make_results(plan, folder)
    file = results.save(tmp_path / "ablations.csv")
    back = read_results(file)
    text = back.table.select_dtypes(exclude="number").columns
    assert (back.table[text].to_numpy() == results.table[text].to_numpy()).all()
    numbers = [c for c in results.table if c not in text]
    np.testing.assert_allclose(back.table[numbers], results.table[numbers].astype(float), rtol=1e-5)
    assert back.facts["plan"]["methods"] == METHODS and len(back.facts["runs"]["dkd"]["weights_sha256"]) == 64
    file.write_text(file.read_text().replace("per-frame", "per-video"))
    with pytest.raises(DatasetError, match="does not match its provenance"):
        read_results(file)
    with pytest.raises(DatasetError, match="make them with dkd ablate"):
        read_results(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="ends in .csv"):
        results.save(tmp_path / "table.md")


def test_a_full_disk_leaves_the_old_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = AblationResults(figures(a=("", 0, 0.9, 3.0)).assign(reading="", problem="", labels=""), {"runs": {}})
    file = results.save(tmp_path / "a.csv")
    before = [file.read_bytes(), file.with_suffix(".json").read_bytes()]

    def no_room(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_room)
    with pytest.raises(OSError, match="No space left"):
        results.save(file)
    assert [file.read_bytes(), file.with_suffix(".json").read_bytes()] == before
    assert not list(tmp_path.glob("*.tmp"))


# --- the command ------------------------------------------------------------------------------------------------------


def test_show_says_what_would_be_trained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ablate", "tiny", "--only", "T2", "--set", "steps=9", "--show"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1].split() == ["T2", "n_frames=2", "9", "2", "20", "0"] and "recipe laptop" in said[2]
    assert main(["ablate", "tini"]) == 2 and "did you mean 'tiny'" in capsys.readouterr().err


def test_the_command_saves_when_stopped_and_resumes_to_a_table(tmp_path: Path) -> None:
    for _ in render_set(tmp_path / "people", RenderSetConfig(n_train=2, n_test=1, n_frames=6, size=96), workers=1):
        pass
    data = f"rendered={tmp_path / 'people'}"
    small_plan(tmp_path, {"dkd": {}, "again": {"seed": 1}}, {}, evaluation={"sources": [data]}, frames_a_step=4)
    command = [
        sys.executable, "-m", "dkd", "ablate", str(tmp_path / "plan.yaml"), "--run", str(tmp_path / "runs"),
        "--set", f"data.train=['{data}']", f"data.validation='{data}'", "save_every=0", "data.validation_frames=4",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    # Stopped in the middle of something that would take very long.
    long = subprocess.Popen(
        [*command, "steps=100000"], stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=hear_ctrl_c
    )
    log = tmp_path / "runs" / "dkd" / "log.csv"
    until(lambda: (log.is_file() and log.read_text().count("\n") > 3) or long.poll() is not None)
    long.send_signal(signal.SIGINT)
    _, said = long.communicate(timeout=PATIENCE_S)
    assert long.returncode == 130 and "the same command to resume" in said, said
    assert Run(tmp_path / "runs" / "dkd").steps_done() == log.read_text().count("\n") - 1 >= 3

    command[command.index("--run") + 1] = str(tmp_path / "short")
    whole = subprocess.run([*command, "steps=3"], capture_output=True, text=True, env=environment)
    assert whole.returncode == 0, whole.stderr
    assert "exact (rendered), 1 videos" in whole.stdout and "reference" in whole.stdout
    back = read_results(tmp_path / "short" / "ablations.csv")
    assert back.table.variant.tolist() == ["dkd", "again"] and back.table.steps.tolist() == [3, 3]
    facts = json.loads((tmp_path / "short" / "ablations.json").read_text())
    assert facts["runs"]["again"]["config"]["seed"] == 1
