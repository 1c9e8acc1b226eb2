"""DKD Workbench: see how a video pose model works.

    from dkd import Clip, Trace, load_model
    trace = Trace(load_model("dkd-mobilenetv2"), Clip("video.mp4"), box=(x0, y0, x1, y1))

This module offers the names that notebooks need. They are imported on first access, so that ``import dkd``, ``dkd lab``
and ``dkd --help`` do not have to wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dkd.ablations.plan import AblationPlan, EvaluationChoice, load_plan
    from dkd.ablations.run import ablate
    from dkd.ablations.table import make_results, read_results
    from dkd.analysis.anatomy import anatomy
    from dkd.analysis.comparison import divergence
    from dkd.analysis.diagnosis import Diagnosis, diagnose, statistics
    from dkd.analysis.identity import SamePerson, same_person
    from dkd.analysis.joint_matching import joint_matching
    from dkd.analysis.lineage import compare_kernels
    from dkd.analysis.moments import worst
    from dkd.analysis.reliance import one_step_reliance
    from dkd.analysis.trust import trust
    from dkd.datasets.people import ClipFrames, PersonSequence
    from dkd.datasets.render_set import RenderSetConfig, render_set
    from dkd.datasets.sources import available_sources, load_people
    from dkd.evaluation.cost import profile
    from dkd.evaluation.methods import Method, get_method
    from dkd.evaluation.people import follow_person
    from dkd.evaluation.results import Evaluation
    from dkd.evaluation.run import evaluate
    from dkd.evaluation.summaries import add_errors, summarise
    from dkd.formats.as_trace import as_trace
    from dkd.formats.figures import plot_frame, plot_kernels, plot_lanes
    from dkd.formats.files import export, load_poses
    from dkd.formats.names import match_joints
    from dkd.formats.several import export_all
    from dkd.formats.track import PoseTrack
    from dkd.io.paths import data_folder
    from dkd.live.live import Live
    from dkd.measures.coherence import motion
    from dkd.measures.divergence import recovery
    from dkd.measures.metrics import pck_mean
    from dkd.models.checkpoints import load_model, save_model
    from dkd.models.registry import MODELS, build_model
    from dkd.pose.heatmaps import decode_peaks
    from dkd.pose.skeleton import Skeleton, get_skeleton
    from dkd.pose.smoothing import OneEuro
    from dkd.sessions.session import Session
    from dkd.studies.settings import StudySettings
    from dkd.studies.study import Study
    from dkd.tracking.conditions import Conditions
    from dkd.tracking.export import export_corrections
    from dkd.tracking.proposals import Proposal, find_people
    from dkd.tracking.reinitialise import Reinitialise
    from dkd.tracking.replay import replay
    from dkd.tracking.tables import save_joints
    from dkd.tracking.trace import Trace
    from dkd.tracking.two_way import TwoWayTrace, trace_person
    from dkd.training.config import TrainConfig, load_recipe
    from dkd.training.run import Run
    from dkd.training.runs import list_runs
    from dkd.training.session import TrainingSession
    from dkd.training.trainer import train
    from dkd.video.clip import Clip
    from dkd.video.images import ImageClip
    from dkd.video.ranges import ClipRange
    from dkd.video.samples import default_sample, get_sample, list_samples

__version__ = "0.1.0"

_HOMES = {
    "dkd.ablations.plan": (
        "AblationPlan",
        "EvaluationChoice",
        "load_plan",
    ),
    "dkd.ablations.run": ("ablate",),
    "dkd.ablations.table": (
        "make_results",
        "read_results",
    ),
    "dkd.analysis.anatomy": ("anatomy",),
    "dkd.analysis.comparison": ("divergence",),
    "dkd.analysis.diagnosis": (
        "Diagnosis",
        "diagnose",
        "statistics",
    ),
    "dkd.analysis.identity": (
        "SamePerson",
        "same_person",
    ),
    "dkd.analysis.joint_matching": ("joint_matching",),
    "dkd.analysis.lineage": ("compare_kernels",),
    "dkd.analysis.moments": ("worst",),
    "dkd.analysis.reliance": ("one_step_reliance",),
    "dkd.analysis.trust": ("trust",),
    "dkd.datasets.people": (
        "ClipFrames",
        "PersonSequence",
    ),
    "dkd.datasets.render_set": (
        "RenderSetConfig",
        "render_set",
    ),
    "dkd.datasets.sources": (
        "available_sources",
        "load_people",
    ),
    "dkd.evaluation.cost": ("profile",),
    "dkd.evaluation.methods": (
        "Method",
        "get_method",
    ),
    "dkd.evaluation.people": ("follow_person",),
    "dkd.evaluation.results": ("Evaluation",),
    "dkd.evaluation.run": ("evaluate",),
    "dkd.evaluation.summaries": (
        "add_errors",
        "summarise",
    ),
    "dkd.formats.as_trace": ("as_trace",),
    "dkd.formats.figures": (
        "plot_frame",
        "plot_kernels",
        "plot_lanes",
    ),
    "dkd.formats.files": (
        "export",
        "load_poses",
    ),
    "dkd.formats.names": ("match_joints",),
    "dkd.formats.several": ("export_all",),
    "dkd.formats.track": ("PoseTrack",),
    "dkd.io.paths": ("data_folder",),
    "dkd.live.live": ("Live",),
    "dkd.measures.coherence": ("motion",),
    "dkd.measures.divergence": ("recovery",),
    "dkd.measures.metrics": ("pck_mean",),
    "dkd.models.checkpoints": (
        "load_model",
        "save_model",
    ),
    "dkd.models.registry": (
        "MODELS",
        "build_model",
    ),
    "dkd.pose.heatmaps": ("decode_peaks",),
    "dkd.pose.skeleton": (
        "Skeleton",
        "get_skeleton",
    ),
    "dkd.pose.smoothing": ("OneEuro",),
    "dkd.sessions.session": ("Session",),
    "dkd.studies.settings": ("StudySettings",),
    "dkd.studies.study": ("Study",),
    "dkd.tracking.conditions": ("Conditions",),
    "dkd.tracking.export": ("export_corrections",),
    "dkd.tracking.proposals": (
        "Proposal",
        "find_people",
    ),
    "dkd.tracking.reinitialise": ("Reinitialise",),
    "dkd.tracking.replay": ("replay",),
    "dkd.tracking.tables": ("save_joints",),
    "dkd.tracking.trace": ("Trace",),
    "dkd.tracking.two_way": (
        "TwoWayTrace",
        "trace_person",
    ),
    "dkd.training.config": (
        "TrainConfig",
        "load_recipe",
    ),
    "dkd.training.run": ("Run",),
    "dkd.training.runs": ("list_runs",),
    "dkd.training.session": ("TrainingSession",),
    "dkd.training.trainer": ("train",),
    "dkd.video.clip": ("Clip",),
    "dkd.video.images": ("ImageClip",),
    "dkd.video.ranges": ("ClipRange",),
    "dkd.video.samples": (
        "default_sample",
        "get_sample",
        "list_samples",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AblationPlan", "Clip", "ClipFrames", "ClipRange", "Conditions", "Diagnosis", "Evaluation", "EvaluationChoice",
    "ImageClip", "Live", "MODELS", "Method", "OneEuro", "PersonSequence", "PoseTrack", "Proposal", "Reinitialise",
    "RenderSetConfig", "Run", "SamePerson", "Session", "Skeleton", "Study", "StudySettings", "Trace", "TrainConfig",
    "TrainingSession", "TwoWayTrace", "ablate", "add_errors", "anatomy", "as_trace", "available_sources",
    "build_model", "compare_kernels", "data_folder", "decode_peaks", "default_sample", "diagnose", "divergence",
    "evaluate", "export", "export_all", "export_corrections", "find_people", "follow_person", "get_method",
    "get_sample", "get_skeleton", "joint_matching", "list_runs", "list_samples", "load_model", "load_people",
    "load_plan", "load_poses", "load_recipe", "make_results", "match_joints", "motion", "one_step_reliance", "pck_mean",
    "plot_frame", "plot_kernels", "plot_lanes", "profile", "read_results", "recovery", "render_set", "replay",
    "same_person", "save_joints", "save_model", "statistics", "summarise", "trace_person", "train", "trust", "worst",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dkd' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
