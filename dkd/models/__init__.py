"""Models: DKD, its parts, its per-frame baseline, its peers, and the registry that builds them by name."""

from dkd.models.base import Feedback, PoseOutput, VideoPoseModel
from dkd.models.cpm import CPM, CPMConfig
from dkd.models.dkd import DKD, DKDConfig, DKDState
from dkd.models.lstm_pose_machine import LSTMPoseMachine, LSTMPoseMachineConfig, LSTMPoseMachineState
from dkd.models.registry import MODELS, ModelConfig, build_model, make_model, model_config
from dkd.models.simple_baseline import SimpleBaseline, SimpleBaselineConfig

__all__ = [
    "CPM",
    "CPMConfig",
    "DKD",
    "DKDConfig",
    "DKDState",
    "Feedback",
    "LSTMPoseMachine",
    "LSTMPoseMachineConfig",
    "LSTMPoseMachineState",
    "MODELS",
    "ModelConfig",
    "PoseOutput",
    "SimpleBaseline",
    "SimpleBaselineConfig",
    "VideoPoseModel",
    "build_model",
    "make_model",
    "model_config",
]
