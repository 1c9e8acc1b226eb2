"""The commands ``dkd calibrate`` and ``dkd reliability``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dkd.cli.bars import BAR_DELAY_S
from dkd.errors import ConfigError

if TYPE_CHECKING:
    from dkd.evaluation.calibrate import Reliability, Tell


def add_confidence_commands(commands: Any) -> None:
    """Add the two commands to argparse's subparsers ``commands``."""
    calibrate = commands.add_parser(
        "calibrate", help="turn a model's scores into probabilities, fitted on labelled people; writes a new checkpoint"
    )
    calibrate.add_argument("model", help="a shipped model, a checkpoint's path or a run's folder")
    _add_people(calibrate)
    calibrate.add_argument("--out", type=Path, required=True, help="the new checkpoint, .safetensors")
    calibrate.set_defaults(command=_calibrate)

    reliability = commands.add_parser(
        "reliability",
        help="check how reliable a model's confidence is: the reliability table on people of your choice",
    )
    reliability.add_argument("model", metavar="MODEL[+VARIANT…]", help="as for evaluate")
    _add_people(reliability)
    reliability.add_argument("--bins", type=int, default=10, help="bins of equal width (default: %(default)s)")
    reliability.add_argument("--save", type=Path, help="write the diagram to .html, or the table to .csv")
    reliability.set_defaults(command=_reliability)


def _add_people(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", nargs="+", required=True, metavar="SOURCE",
        help="labelled people, as for evaluate; stills are clips of one frame. Use other data than for training",
    )  # fmt: skip
    parser.add_argument("--split", default="test", help="split of the sources: test or train (default: %(default)s)")
    parser.add_argument("--clips", type=int, help="number of clips of each source, from the first on (default: all)")
    parser.add_argument("--frames", type=int, help="number of frames of each clip, from the first on (default: all)")


def _how(arguments: argparse.Namespace, tell: Tell) -> dict[str, Any]:
    return {"split": arguments.split, "n_clips": arguments.clips, "n_frames": arguments.frames, "tell": tell}


def _calibrate(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from dkd.evaluation.calibrate import calibrate

    with tqdm(unit="clip", delay=BAR_DELAY_S) as bar:
        measured = calibrate(arguments.model, arguments.data, arguments.out, **_how(arguments, _shown_in(bar)))
    _print(measured)
    print(f"This was measured on the joints used for fitting, so it is optimistic: check others with dkd reliability.\n"
          f"{arguments.out}: the same weights, with this calibration")  # fmt: skip
    return 0


def _reliability(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from dkd.evaluation.calibrate import measure_reliability
    from dkd.evaluation.reliability_page import reliability_page
    from dkd.io.files import atomic_path

    save: Path | None = arguments.save
    if save is not None and save.suffix not in (".html", ".csv"):
        raise ConfigError(f"expected --save with a file that ends in .html or .csv, got {save}")
    with tqdm(unit="clip", delay=BAR_DELAY_S) as bar:
        measured = measure_reliability(
            arguments.model, arguments.data, arguments.bins, **_how(arguments, _shown_in(bar))
        )
    _print(measured)
    if save is not None:
        text = reliability_page(measured) if save.suffix == ".html" else measured.table.to_csv(index=False)
        with atomic_path(save) as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(f"written: {save}")
    return 0


def _print(measured: Reliability) -> None:
    print(measured)
    print(measured.table.round(3).to_string(index=False, na_rep="–"))


def _shown_in(bar: Any) -> Tell:
    def tell(done: int, of: int, name: str) -> None:
        bar.total = of
        bar.set_description_str(name[-40:], refresh=False)
        bar.update(done - bar.n)

    return tell
