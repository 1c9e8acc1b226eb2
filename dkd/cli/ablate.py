"""The command ``dkd ablate``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dkd.cli.bars import BAR_DELAY_S

if TYPE_CHECKING:
    import pandas as pd

    from dkd.ablations.plan import AblationPlan

_SHOWN = ("seed", "steps", "PCK@0.2", "PCK@0.1", "acceleration error %", "erased: PCK@0.2 lost", "GMACs", "reading")


def add_ablation_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    ablate = commands.add_parser(
        "ablate", help="train a model several times with one change each, and evaluate all; resumes where it stopped"
    )
    ablate.add_argument("plan", help="a shipped plan (tiny) or a YAML file")
    ablate.add_argument("--run", type=Path, help="folder of all runs and of the results (default: runs/<plan>)")
    ablate.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", action="extend",
        help="rows whose models to train (default: all); models trained before are evaluated too",
    )  # fmt: skip
    ablate.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", action="extend", dest="words",
        help="settings for all variants: --set steps=200 evaluation.clips=8",
    )  # fmt: skip
    ablate.add_argument("--show", action="store_true", help="print what would be trained and stop")
    ablate.set_defaults(command=_ablate)


def _ablate(arguments: argparse.Namespace) -> int:
    # Imported here: importing torch takes seconds, and `dkd --help` should be fast.
    import logging

    from dkd.ablations.plan import load_plan
    from dkd.ablations.table import RESULTS, make_results

    plan = load_plan(arguments.plan, arguments.words)
    plan.trained(arguments.only)
    if arguments.show:
        print(_shown_plan(plan, arguments.only))
        return 0
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    folder = arguments.run or Path("runs") / Path(arguments.plan).stem
    if not _run(plan, folder, arguments.only):
        print("dkd: stopped, everything is saved; run the same command to resume", file=sys.stderr)
        return 130
    results = make_results(plan, folder)
    for data, rows in results.table.groupby("data", sort=False):
        print(f"\n{data}: {rows['labels'].iloc[0]}, {rows['videos'].max():.0f} videos")
        print(rows.set_index("variant")[list(_SHOWN)].round(3).to_string())
    print(f"\nall columns: {results.save(folder / RESULTS)}")
    failed = results.table.loc[results.table["problem"] != "", ["variant", "problem"]].drop_duplicates()
    for name, problem in failed.itertuples(index=False):
        print(f"dkd: {name}: {problem}", file=sys.stderr)
    return 1 if len(failed) else 0


def _run(plan: AblationPlan, folder: Path, only: list[str]) -> bool:
    """Train and evaluate with a progress bar; return False if Ctrl-C stopped it."""
    from contextlib import closing

    from tqdm import tqdm

    from dkd.ablations.run import ablate

    with (
        _asked_to_stop() as asked,
        tqdm(delay=BAR_DELAY_S) as bar,
        closing(ablate(plan, folder, only=only)) as steps,  # type: ignore[type-var]
    ):
        at = None
        for progress in steps:
            if progress.nth != at:
                at = progress.nth
                bar.reset(progress.of)
            bar.total, bar.unit = progress.of, "step" if progress.phase == "train" else "frame"
            place = f" ({progress.nth}/{progress.variants})" if progress.nth else " evaluated"
            bar.set_description_str(progress.variant + place, refresh=False)
            if progress.record is not None:
                bar.set_postfix_str(f"loss {progress.record.loss:.3f}", refresh=False)
            bar.update(progress.done - bar.n)
            if progress.problem:
                tqdm.write(f"dkd: {progress.variant}: {progress.problem}", sys.stderr)
            if asked():
                return False
    return True


@contextmanager
def _asked_to_stop() -> Iterator[Any]:
    """Let Ctrl-C request a stop, so that the current step is finished and saved; pressed again, it interrupts."""
    seen: list[int] = []

    def note(number: int, frame: Any) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(seen)
    finally:
        signal.signal(signal.SIGINT, before)


def _shown_plan(plan: AblationPlan, only: list[str]) -> str:
    """Describe what each variant replaces and how many runs this makes."""
    import pandas as pd

    chosen, configs = plan.trained(only), plan.configs()
    rows = [
        {
            "variant": name,
            "replaces": ", ".join(f"{k}={v}" for k, v in plan.variants[name].items()) or "–",
            "steps": configs[name].steps,
            "T": configs[name].n_frames,
            "batch": configs[name].batch,
            "seed": configs[name].seed,
        }
        for name in chosen
    ]
    table: pd.DataFrame = pd.DataFrame(rows)
    ways = [f"{name}: {spec}" for name, spec in plan.methods.items() if spec.split("+")[0] in chosen]
    of = f"recipe {plan.recipe}, compared with {plan.compared_with}, evaluated on {', '.join(plan.evaluation.sources)}"
    return "\n".join([table.to_string(index=False), *ways, of])
