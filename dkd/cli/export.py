"""The commands ``dkd export`` and ``dkd export-model``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_export_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    export = commands.add_parser("export", help="write a run's model to a separate checkpoint, to keep or share")
    export.add_argument("model", help="a run's folder, a checkpoint's path or a shipped model")
    export.add_argument("out", type=Path, help="the new file, .safetensors")
    export.add_argument(
        "--average-with",
        nargs="+",
        default=(),
        metavar="MODEL",
        help="other models of its lineage: the mean of all weights",
    )
    export.add_argument("--half", action="store_true", help="store weights as float16: half the size")
    export.set_defaults(command=_export)


def add_onnx_command(commands: Any) -> None:
    """Add the command to argparse's subparsers ``commands``."""
    onnx = commands.add_parser("export-model", help="write a DKD as ONNX files, to run it in other programs")
    onnx.add_argument("model", help="a shipped model or a checkpoint's path")
    onnx.add_argument("folder", type=Path, help="folder for start.onnx, step.onnx and model.json")
    onnx.set_defaults(command=_export_onnx)


def _export_onnx(arguments: argparse.Namespace) -> int:
    from dkd.engines.files import export_onnx
    from dkd.models.checkpoints import load_model

    for file in export_onnx(load_model(arguments.model), arguments.folder):
        print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from dkd.models.export import export_model

    out = export_model(arguments.model, arguments.out, arguments.half, arguments.average_with)
    kind = "half precision" if arguments.half else "precision unchanged"
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, {kind}; its header says what it was trained on")
    return 0
