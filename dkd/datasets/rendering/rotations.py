"""Rotation matrices for moving a body. They act on column vectors, ``R @ v``; angles are in radians."""

from __future__ import annotations

import numpy as np


def axis_rotation(axis: str, angle: np.ndarray | float) -> np.ndarray:
    """Compute the right-handed rotation about a coordinate axis.

    Args:
        axis: ``"x"``, ``"y"`` or ``"z"``.
        angle: radians, any shape (...).

    Returns:
        (..., 3, 3) float64.
    """
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    angle = np.asarray(angle, dtype=np.float64)
    out = np.broadcast_to(np.eye(3), (*angle.shape, 3, 3)).copy()
    cos, sin = np.cos(angle), np.sin(angle)
    out[..., i, i], out[..., i, j], out[..., j, i], out[..., j, j] = cos, -sin, sin, cos
    return out


def shortest_rotation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the rotation (3, 3) with the smallest angle from direction ``source`` (3,) to ``target`` (3,)."""
    a = np.asarray(source, np.float64) / np.linalg.norm(source)
    b = np.asarray(target, np.float64) / np.linalg.norm(target)
    cos = float(a @ b)
    if cos < -1 + 1e-9:  # opposite directions: half a turn about any perpendicular axis
        perpendicular = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        perpendicular /= np.linalg.norm(perpendicular)
        return 2 * np.outer(perpendicular, perpendicular) - np.eye(3)
    x, y, z = np.cross(a, b)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + cos)


def blend_rotations(first: np.ndarray, second: np.ndarray, weight: float) -> np.ndarray:
    """Compute the rotation nearest (least squares) to ``(1 − weight)·first + weight·second``, all (..., 3, 3)."""
    u, _, vt = np.linalg.svd((1 - weight) * first + weight * second)
    u[..., :, 2] *= np.linalg.det(u @ vt)[..., None]  # avoid reflections
    return u @ vt
