"""The command ``dkd engines``."""

from __future__ import annotations

import argparse
from typing import Any


def add_engines_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    engines = commands.add_parser(
        "engines", help="measure what runs a model fastest on this machine, and use it from then on"
    )
    engines.add_argument(
        "model", nargs="*", help="shipped models or checkpoints (default: all shipped models); DKD_ENGINE overrides"
    )
    engines.set_defaults(command=_engines)


def _engines(arguments: argparse.Namespace) -> int:
    from dkd.engines.choice import prepare
    from dkd.errors import ConfigError
    from dkd.io.paths import list_checkpoints
    from dkd.models.checkpoints import load_model

    for name in arguments.model or list_checkpoints():
        model = load_model(name)
        try:
            times = prepare(model)
        except ConfigError as error:
            print(f"{model.name}: {error}")
            continue
        fastest = next(iter(times))
        print(f"{model.name}: runs in {fastest}")
        for engine, (middle, slowest) in times.items():
            print(f"  {engine:12} {middle:7.1f} ms per frame, slowest {slowest:.1f} ms")
    return 0
