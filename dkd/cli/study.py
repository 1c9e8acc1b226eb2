"""The commands ``dkd study init``, ``add``, ``run``, ``show``, ``compare`` and ``methods``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from dkd.cli.outputs import check_new


def add_study_command(commands: Any) -> None:
    """Add the commands to argparse's subparsers ``commands``."""
    study = commands.add_parser("study", help="track people in many videos, with all results in one place")
    actions = study.add_subparsers(title="commands", required=True, metavar="COMMAND")

    init = actions.add_parser("init", help="make a study of all videos in a folder")
    _add_videos(init)
    init.add_argument("-o", "--out", type=Path, required=True, metavar="STUDY", help="folder of the study")
    init.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", action="extend", dest="words",
        help="settings: model, engine, square, reinitialise, refine, export: --set refine=true export=[.slp]",
    )  # fmt: skip
    init.set_defaults(command=_init)

    add = actions.add_parser("add", help="add videos that are not in the study yet, or the people of a session")
    _add_videos(add, "; or a session of the studio (.dkd.json), whose people are added")
    add.add_argument("-o", "--out", type=Path, required=True, metavar="STUDY", help="folder of the study")
    add.set_defaults(command=_add)

    run = actions.add_parser("run", help="do all rows that are not done, or that changed; repeat after a stop")
    run.add_argument("study", type=Path, help="folder of the study")
    run.add_argument(
        "--engine", default="local", help="local: processes on this machine; ray: a cluster (default: %(default)s)"
    )
    run.add_argument(
        "--address", metavar="HOST:PORT", help="of a running Ray cluster, or auto (default: one is started here)"
    )
    run.add_argument("--workers", type=int, metavar="N", help="number of processes (default: one per core)")
    run.add_argument("--attempts", type=int, default=2, help="how often a row is tried (default: %(default)s)")
    run.add_argument(
        "--refine", action=argparse.BooleanOptionalAction,
        help="change this setting of the study first: let the model's initializer make joints more exact, unlike the "
        "paper, at nearly three times the multiply-adds; all rows are done again where it changes",
    )  # fmt: skip
    run.add_argument("--quiet", action="store_true", help="print only errors, and no progress bar")
    run.set_defaults(command=_run)

    show = actions.add_parser("show", help="print what is done, what failed, and the clips to look at first")
    show.add_argument("study", type=Path, help="folder of the study")
    show.add_argument("--by", default="confidence", metavar="COLUMN", help="worst by this (default: %(default)s)")
    show.add_argument("-n", type=int, default=10, help="number of clips (default: %(default)s)")
    show.set_defaults(command=_show)

    compare = actions.add_parser("compare", help="compare groups of clips, with bootstrap intervals")
    compare.add_argument("study", type=Path, help="folder of the study")
    _add_comparison(compare, is_needed=True)
    compare.add_argument(
        "-o", "--out", type=Path, metavar="FILE",
        help="also write the figure (.svg, .png, .pdf) or the tables (.csv, .md, .tex)",
    )  # fmt: skip
    compare.add_argument("--force", action="store_true", help="replace an existing file")
    compare.set_defaults(command=_compare)

    methods = actions.add_parser("methods", help="print a paragraph for the methods section of a paper")
    methods.add_argument("study", type=Path, help="folder of the study")
    methods.add_argument("--format", default="text", help="text, markdown or latex (default: %(default)s)")
    _add_comparison(methods, is_needed=False)
    methods.set_defaults(command=_methods)


def _add_videos(command: argparse.ArgumentParser, more: str = "") -> None:
    command.add_argument(
        "videos", help=f"folder of videos, searched with the folders below it; or s3://bucket/folder{more}"
    )
    command.add_argument(
        "--folders", nargs="+", default=[], metavar="GROUP",
        help="groups by folder: --folders condition subject, for videos in VIDEOS/<condition>/<subject>/",
    )  # fmt: skip


def _add_comparison(command: argparse.ArgumentParser, is_needed: bool) -> None:
    command.add_argument("--by", required=is_needed, metavar="COLUMN", help="a group of the table, or person, verdict")
    command.add_argument("--measure", default="confidence", metavar="COLUMN", help="default: %(default)s")
    command.add_argument("--groups", nargs="+", metavar="GROUP", help="only these groups, in this order")
    command.add_argument(
        "--unit", default="video", metavar="COLUMN",
        help="what is resampled: video, or a group such as subject whose clips belong together (default: %(default)s)",
    )  # fmt: skip
    command.add_argument("--resamples", type=int, default=2000, metavar="N", help="default: %(default)s")
    command.add_argument("--seed", type=int, default=0, help="seed of the bootstrap (default: %(default)s)")


def _init(arguments: argparse.Namespace) -> int:
    from dkd.io.config import from_mapping, with_words
    from dkd.studies.settings import StudySettings
    from dkd.studies.study import TABLE, Study

    values = with_words({}, arguments.words)
    if isinstance(values.get("export"), str):
        values["export"] = [values["export"]]
    settings = from_mapping(StudySettings, values)
    study = Study.create(arguments.videos, arguments.out, folders=arguments.folders, settings=settings)
    print(f"{len(study)} videos: {study.folder / TABLE}. Give boxes, people and groups there; then dkd study run")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from dkd.studies.study import Study

    study = Study(arguments.out)
    if arguments.videos.endswith(".dkd.json"):
        names = study.add_session(arguments.videos)
        print(f"people of the session added: {len(names)}, the study has {len(study)} rows")
        return 0
    count = study.add(arguments.videos, folders=arguments.folders)
    print(f"{count} videos added: {len(study)} rows")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    # Arrow's own keeps 20 MB of what it has read of a large study. It is chosen when pyarrow is imported.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from tqdm import tqdm

    from dkd.studies.study import Study

    study = Study(arguments.study)
    if arguments.refine is not None:
        study.change(refine=arguments.refine)
    records = study.run(
        arguments.workers, attempts=arguments.attempts, engine=arguments.engine, address=arguments.address
    )
    failed = 0
    try:
        with tqdm(total=len(study), unit="clip", disable=arguments.quiet) as bar:
            for one in records:
                bar.update(one.done + one.failed - bar.n)
                failed = one.failed
                if one.error is not None:
                    tqdm.write(f"dkd: {one.video} ({one.person}): {one.error}", file=sys.stderr)
    except KeyboardInterrupt:
        records.close()  # type: ignore[attr-defined]
        print("dkd: stopped; run the same command to go on", file=sys.stderr)
        return 130
    if not arguments.quiet:
        print(study.state())
    return 1 if failed else 0


def _show(arguments: argparse.Namespace) -> int:
    from dkd.errors import ConfigError, nearest_name
    from dkd.studies.study import Study

    if arguments.n < 1:
        raise ConfigError(f"expected -n of at least 1, got {arguments.n}")
    study = Study(arguments.study)
    clips = study.clips()
    print(study.state(clips))
    for error in clips.loc[clips.status != "done", ["status", "video", "person", "error"]].itertuples(index=False):
        print(f"{error.status}: {error.video} ({error.person}): {error.error}")
    for row in clips.loc[clips.labels_error.notna(), ["labels", "person", "labels_error"]].itertuples(index=False):
        print(f"labels: {row.labels} ({row.person}): {row.labels_error}")
    labelled = clips[clips.labelled_joints.fillna(0) > 0]
    if len(labelled):
        n = labelled.labelled_joints
        pck = ", ".join(
            f"PCK@{alpha} {(labelled[name] * n).sum() / n.sum():.3f}"
            for name, alpha in (("pck_20", 0.2), ("pck_10", 0.1), ("pck_05", 0.05))
        )
        print(f"{len(labelled)} clips with labels, {int(n.sum())} joints: {pck}")
    done = clips[clips.status != "failed"]
    if arguments.by not in clips:
        raise ConfigError(f"there is no column {arguments.by!r}{nearest_name(arguments.by, clips.columns)}")
    if len(done):
        low_is_bad = arguments.by in ("confidence", "lowest_confidence", "pck_20", "pck_10", "pck_05", "auc")
        columns = ["video", "person", *study.groups, "frames", "verdict", "confidence", "worst_frame", "worst_reason"]
        columns += ["pck_20", "pck_10"] if len(labelled) else []
        columns += [arguments.by] if arguments.by not in columns else []
        worst = done.sort_values(arguments.by, ascending=low_is_bad, kind="stable").head(arguments.n)
        whole = dict.fromkeys(("frames", "worst_frame"), "Int64")  # where a clip failed they are missing, so floats
        print(worst[columns].astype(whole).round(3).to_string(index=False))
    return 0


def _comparison(arguments: argparse.Namespace) -> Any:
    from dkd.studies.study import Study

    return Study(arguments.study).compare(
        arguments.by,
        arguments.measure,
        groups=arguments.groups,
        unit=arguments.unit,
        n_resamples=arguments.resamples,
        seed=arguments.seed,
    )


def _compare(arguments: argparse.Namespace) -> int:
    if arguments.out is not None:
        check_new(arguments.out, arguments.force)
    comparison = _comparison(arguments)
    print(comparison)
    if arguments.out is not None:
        print(f"\n{comparison.save(arguments.out)}")
    return 0


def _methods(arguments: argparse.Namespace) -> int:
    from dkd.studies.study import Study

    comparison = None if arguments.by is None else _comparison(arguments)
    print(Study(arguments.study).methods(arguments.format, comparison))
    return 0
