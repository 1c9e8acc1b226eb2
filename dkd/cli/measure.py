"""The commands ``dkd evaluate``, ``dkd compare`` and ``dkd bench``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dkd.cli.bars import BAR_DELAY_S
from dkd.cli.outputs import check_new
from dkd.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from dkd.evaluation.methods import Method

_ROUNDS = 10  # of dkd bench
_FOLDER = Path("runs") / "evaluation"


def add_measuring_commands(commands: Any) -> None:
    """Add the three commands to argparse's subparsers ``commands``."""
    evaluate = commands.add_parser(
        "evaluate", help="track the people of a data set with one or more models, and measure the accuracy"
    )
    evaluate.add_argument("methods", nargs="+", metavar="MODEL[+VARIANT…]", help=_METHODS)
    _add_data(evaluate)
    evaluate.add_argument("--by", nargs="+", default=["data", "model"], help="columns to group by")
    evaluate.add_argument("--normaliser", default="box", help="length that thresholds are relative to: box or torso")
    evaluate.add_argument("--save", type=Path, help="write all rows, one per joint per frame, to a Parquet file")
    evaluate.add_argument("--force", action="store_true", help="replace the file of --save")
    evaluate.set_defaults(command=_evaluate)

    compare = commands.add_parser(
        "compare", help="one table of accuracy, coherence, multiply-adds, parameters, time, and published results"
    )
    compare.add_argument(
        "methods", nargs="*", metavar="MODEL[+VARIANT…]",
        help="models to compare (default: the shipped model, its controls, and the paper's peers); models without "
        "trained weights are compared by their cost only",
    )  # fmt: skip
    _add_data(compare)
    _add_rounds(compare, 5)
    compare.add_argument("--no-cost", action="store_true", help="do not measure costs")
    compare.add_argument("--save", type=Path, help="write the table to a .md, .csv or .tex file")
    compare.add_argument("--force", action="store_true", help="replace the file of --save")
    compare.set_defaults(command=_compare)

    bench = commands.add_parser("bench", help="compare the cost of models: parameters, multiply-adds, time")
    bench.add_argument("methods", nargs="*", metavar="MODEL[+VARIANT…]", help="default: the paper's peers")
    bench.add_argument(
        "--all", action="store_true",
        help="compare all engines of each model instead: median, slowest, and ratio to PyTorch (default: the shipped "
        "model, 100 rounds)",
    )  # fmt: skip
    _add_rounds(bench, None)
    bench.set_defaults(command=_bench)


_METHODS = (
    "a shipped model, a checkpoint's path or a run's folder, with variants: dkd-mobilenetv2+erased; 'list' lists the "
    "variants; for evaluate also a pose file of another tool, or a folder with one per video"
)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", nargs="+", metavar="SOURCE",
        help="samples, rendered, penn_action, sub_jhmdb/1, pose2sim=FOLDER (machine labels), or a folder in Penn "
        "Action's layout (default: the small ones available)",
    )  # fmt: skip
    parser.add_argument("--clips", type=int, help="number of clips of each source, from the first on (default: all)")
    parser.add_argument("--frames", type=int, help="number of frames of each clip, from the first on (default: all)")
    parser.add_argument(
        "--out", type=Path, default=_FOLDER,
        help="folder of the results; the same command resumes from there (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", action="extend", dest="words",
        help="where to run: --set devices=2 accelerator=cuda threads=1",
    )  # fmt: skip


def _add_rounds(parser: argparse.ArgumentParser, default: int | None) -> None:
    text = _ROUNDS if default is None else default
    parser.add_argument("--rounds", type=int, default=default, help=f"turns per model (default: {text})")
    parser.add_argument("--threads", type=int, help="number of threads of torch (default: unchanged)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")


def _sources(given: Sequence[str] | None) -> list[str]:
    """Return the requested data, else the available data that does not take hours."""
    from dkd.datasets.sources import available_sources

    small = [source for source in available_sources() if source in ("samples", "rendered", "pose2sim")]
    return list(given) if given else small


def _measure(arguments: argparse.Namespace, methods: Sequence[str | Method]) -> tuple[pd.DataFrame | None, bool]:
    """Evaluate with a progress bar; return the table (only in process 0) and whether all videos could be read."""
    from tqdm import tqdm

    from dkd.evaluation.results import Evaluation
    from dkd.evaluation.run import evaluate
    from dkd.io.config import from_mapping, with_words
    from dkd.io.files import check_folder
    from dkd.machine import MachineConfig

    check_folder(arguments.out)
    machine = from_mapping(MachineConfig, with_words({}, arguments.words))
    records = evaluate(
        methods, _sources(arguments.data), arguments.out,
        n_frames=arguments.frames, n_clips=arguments.clips, machine=machine,
    )  # fmt: skip
    quiet = int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", 0))) > 0  # only one process shows a bar
    whole = True
    with tqdm(unit="frame", delay=BAR_DELAY_S, disable=quiet) as bar:
        for progress in records:
            bar.total = progress.of_frames
            bar.set_description_str(f"{progress.method} on {progress.video}"[-60:], refresh=False)
            bar.update(progress.frames - bar.n)
            if progress.error:
                whole = False
                tqdm.write(f"dkd: {progress.video} was skipped for {progress.method}: {progress.error}", sys.stderr)
    return (None if quiet else Evaluation(arguments.out).table()), whole


def _evaluate(arguments: argparse.Namespace) -> int:
    if arguments.methods == ["list"]:
        from dkd.evaluation.methods import VARIANTS

        print("\n".join(f"{name:14} {variant.summary}" for name, variant in VARIANTS.items()))
        return 0
    from dkd.evaluation.protocols import NORMALISERS, check_choice
    from dkd.evaluation.results import Evaluation, check_rows_path
    from dkd.evaluation.summaries import COLUMNS, summarise

    check_choice("normaliser", arguments.normaliser, NORMALISERS)  # before the evaluation starts
    if arguments.save is not None:
        check_rows_path(arguments.save)
        check_new(arguments.save, arguments.force)
    for column in arguments.by:
        check_choice("column", column, COLUMNS)
    try:
        table, whole = _measure(arguments, arguments.methods)
    except KeyboardInterrupt:
        print("dkd: stopped; run the same command to resume", file=sys.stderr)
        return 130
    if table is None:
        return 0
    for data, rows in table.groupby("data", observed=True, sort=False):
        print(f"{data}: {', '.join(rows['labels'].astype(str).unique())}")
    figures = summarise(table, by=tuple(arguments.by), normaliser=arguments.normaliser)
    print(figures.sort_index(kind="stable").round(3).to_string())
    if arguments.save is not None:
        print(f"all rows: {Evaluation(arguments.out).save(arguments.save)}")
    return 0 if whole else 1


def _compare(arguments: argparse.Namespace) -> int:
    from dkd.evaluation.compare import CONTROLS, PEERS, make_comparison, resolve

    chosen = arguments.methods or [*PEERS, "dkd-mobilenetv2", *(f"dkd-mobilenetv2+{name}" for name in CONTROLS)]
    if arguments.save is not None and arguments.save.suffix not in (".md", ".csv", ".tex"):
        raise ConfigError(f"expected --save with a file that ends in .md, .csv or .tex, got {arguments.save}")
    if arguments.save is not None:
        check_new(arguments.save, arguments.force)
    methods = resolve(chosen)
    trained = [method for method in methods if method.source is not None]
    try:
        table, whole = _measure(arguments, trained) if trained else (None, True)
        costs = None if arguments.no_cost else _costs(arguments, methods)
    except KeyboardInterrupt:
        print("dkd: stopped; run the same command to resume", file=sys.stderr)
        return 130
    comparison = make_comparison(table, costs)
    print(comparison.text("markdown"))
    if arguments.save is not None:
        print(f"the table: {comparison.save(arguments.save)}")
    return 0 if whole else 1


def _bench(arguments: argparse.Namespace) -> int:
    from dkd.evaluation.compare import PEERS, make_comparison, resolve

    if arguments.all:
        from dkd.cli.bench import compare_engines

        return compare_engines(arguments.methods, arguments.rounds, arguments.threads, arguments.device)
    arguments.rounds = _ROUNDS if arguments.rounds is None else arguments.rounds
    methods = resolve(arguments.methods or PEERS)
    try:
        costs = _costs(arguments, methods)
    except KeyboardInterrupt:
        return 130
    print(make_comparison(None, costs).text("markdown"))
    return 0


def _costs(arguments: argparse.Namespace, methods: Sequence[Method]) -> pd.DataFrame:
    import torch
    from tqdm import tqdm

    from dkd.evaluation.compare import cost_models
    from dkd.evaluation.cost import profile

    device = arguments.device
    if device.split(":")[0] not in ("cpu", "cuda") or (device != "cpu" and not torch.cuda.is_available()):
        raise ConfigError(f"expected --device cpu, or cuda if there is a GPU, got {device!r}")
    models = {name: model.to(device) for name, model in cost_models(methods).items()}
    with tqdm(unit="turn", delay=BAR_DELAY_S, desc="models take turns") as bar:

        def show(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        return profile(models, rounds=arguments.rounds, threads=arguments.threads, progress=show)
