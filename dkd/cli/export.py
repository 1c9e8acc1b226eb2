"""The command ``dkd export``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_export_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    export = commands.add_parser("export", help="write a run's model to a separate checkpoint, to keep or share")
    export.add_argument("model", help="a run's folder, a checkpoint's path or a shipped model")
    export.add_argument("out", type=Path, help="the new file, .safetensors")
    export.add_argument("--half", action="store_true", help="store weights as float16: half the size")
    export.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> int:
    from dkd.models.export import export_model

    out = export_model(arguments.model, arguments.out, arguments.half)
    kind = "half precision" if arguments.half else "precision unchanged"
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, {kind}; its header says what it was trained on")
    return 0
