"""The models: DKD, its parts, and the registry that builds one by name."""

from dkd.models.dkd import DKD, DKDConfig, DKDOutput, DKDState
from dkd.models.registry import MODELS, build_model, model_config

__all__ = ["DKD", "DKDConfig", "DKDOutput", "DKDState", "MODELS", "build_model", "model_config"]
