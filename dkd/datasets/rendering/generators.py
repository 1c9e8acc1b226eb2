"""Motion generators: people who walk, run, squat, jump, kick and gesture.

These are simple kinematics, not biomechanics: plausible, varied, and exactly reproducible from a seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dkd.datasets.rendering.motion import Angles, Motion, segment_rotations
from dkd.errors import ConfigError, nearest_name


def gait(
    n_frames: int, fps: float, rng: np.random.Generator, *, running: bool = False, heading: np.ndarray | float = 0.0
) -> Motion:
    """Generate a walk or a run; stride, cadence, arm swing and posture are drawn from ``rng``.

    The feet move the body forward: the lower ankle does not move on the floor, so that the person does not glide.

    Args:
        n_frames: number of frames T.
        fps: frames per second.
        rng: source of the person's style.
        running: run instead of walk: longer stride, bent arms, and a flight phase.
        heading: (T,) or a number, direction in radians; 0 is along z, positive is to the person's left.
    """
    cycles_per_s = rng.uniform(1.3, 1.6) if running else rng.uniform(0.75, 1.05)
    stride = rng.uniform(0.5, 0.7) if running else rng.uniform(0.32, 0.46)
    swing_knee = rng.uniform(1.3, 1.8) if running else rng.uniform(0.85, 1.1)
    arm_swing = rng.uniform(0.4, 0.8) if running else rng.uniform(0.15, 0.6)
    elbow = rng.uniform(1.1, 1.7) if running else rng.uniform(0.1, 0.5)
    lean = rng.uniform(0.08, 0.2) if running else rng.uniform(-0.02, 0.08)
    arm_away = rng.uniform(0.1, 0.22)
    phase = rng.uniform(0, 2 * np.pi) + 2 * np.pi * cycles_per_s * np.arange(n_frames) / fps

    def bump(cycle: np.ndarray, share: float, width: float) -> np.ndarray:
        """Return a smooth periodic pulse of height 1 at this share of the cycle."""
        return np.exp((np.cos(cycle - 2 * np.pi * share) - 1) / width**2)

    angles: Angles = {
        "pelvis_yaw": np.asarray(heading) + 0.08 * np.cos(phase + np.pi),
        "pelvis_pitch": np.full(n_frames, lean / 2),
        "pelvis_roll": 0.05 * np.sin(phase),
        "spine_yaw": -0.16 * np.cos(phase + np.pi),
        "spine_pitch": np.full(n_frames, lean / 2),
        "spine_roll": -0.05 * np.sin(phase),
        "neck_pitch": np.full(n_frames, -0.5 * lean + rng.uniform(-0.1, 0.2)),
        "neck_yaw": 0.08 * np.cos(phase + np.pi),
    }
    for side, cycle in (("left", phase), ("right", phase + np.pi)):  # heel strike at 0, toe-off at about 0.6 of a cycle
        hip = 0.12 + lean / 2 + stride * np.cos(cycle)
        knee = 0.08 + 0.2 * bump(cycle, 0.13, 0.5) + swing_knee * bump(cycle, 0.72, 0.62)
        angles[f"{side}_hip_flex"] = hip
        angles[f"{side}_knee_flex"] = knee
        # the sole stays level in the stance phase, the toes push off behind and hang slightly in the swing phase
        angles[f"{side}_ankle_flex"] = np.clip(hip - knee, -0.35, 0.3) * 0.6 + 0.35 * bump(cycle, 0.6, 0.4)
        angles[f"{side}_hip_abduct"] = np.full(n_frames, 0.02)
        angles[f"{side}_shoulder_flex"] = -arm_swing * np.cos(cycle) + 0.05
        angles[f"{side}_shoulder_abduct"] = np.full(n_frames, arm_away)
        angles[f"{side}_shoulder_twist"] = np.full(n_frames, 0.25)
        angles[f"{side}_elbow_flex"] = elbow * (1 - 0.35 * np.cos(cycle))
    hop = 0.08 * np.abs(np.sin(phase)) if running else np.zeros(n_frames)
    return _carried_by_feet(segment_rotations(angles, n_frames), fps, hop, grounded=not running)


def _carried_by_feet(rotations: np.ndarray, fps: float, hop: np.ndarray, grounded: bool) -> Motion:
    """Add the root path that keeps the lower ankle in place, ``hop`` (T,) leg lengths above the floor."""
    motion = Motion(rotations, np.zeros((len(rotations), 3)), fps, grounded)
    ankles = motion.leg_joints()[:, :, 2]  # (T, 2, 3) relative to the root
    root = np.zeros((len(rotations), 3))
    root[:, 1] = hop - ankles[..., 1].min(axis=1)
    standing = ankles[..., 1].argmin(axis=1)[:-1]
    steps = np.diff(ankles, axis=0)[np.arange(len(standing)), standing]  # (T − 1, 3)
    if len(steps) > 2:  # weight shifts from foot to foot within about 0.1 s, not instantly
        width = max(int(fps * 0.12), 1)
        kernel = np.hanning(width + 2)[1:-1] / np.hanning(width + 2)[1:-1].sum()
        padded = np.pad(steps, ((width // 2, width - 1 - width // 2), (0, 0)), mode="edge")
        steps = np.stack([np.convolve(padded[:, k], kernel, mode="valid") for k in range(3)], axis=1)
    root[1:, [0, 2]] = -np.cumsum(steps, axis=0)[:, [0, 2]]
    return replace(motion, root=root)


def walk(n_frames: int, fps: float, rng: np.random.Generator) -> Motion:
    """Generate a walk that curves to one side."""
    return gait(n_frames, fps, rng, heading=rng.uniform(-0.7, 0.7) * np.arange(n_frames) / fps)


def run(n_frames: int, fps: float, rng: np.random.Generator) -> Motion:
    """Generate a run that curves to one side."""
    return gait(n_frames, fps, rng, running=True, heading=rng.uniform(-0.5, 0.5) * np.arange(n_frames) / fps)


def squats(n_frames: int, fps: float, rng: np.random.Generator) -> Motion:
    """Generate knee bends with the arms stretched forward or raised."""
    depth = 0.5 - 0.5 * np.cos(_phase(n_frames, fps, rng, 0.35, 0.7))
    deep, reach = rng.uniform(0.7, 1.9), rng.uniform(0.3, 2.6)
    angles: Angles = {"pelvis_pitch": 0.35 * deep * depth, "spine_pitch": 0.2 * depth, "neck_pitch": -0.4 * depth}
    apart = rng.uniform(0.05, 0.35)
    for side in ("left", "right"):
        angles[f"{side}_hip_flex"] = 1.35 * deep * depth * 0.8
        angles[f"{side}_knee_flex"] = 1.3 * deep * depth
        angles[f"{side}_ankle_flex"] = -0.55 * deep * depth * 0.6
        angles[f"{side}_hip_abduct"] = np.full(n_frames, apart)
        angles[f"{side}_shoulder_flex"] = reach * depth
        angles[f"{side}_shoulder_abduct"] = np.full(n_frames, 0.15)
        angles[f"{side}_elbow_flex"] = 0.2 + rng.uniform(0, 1.2) * depth
    return _carried_by_feet(segment_rotations(angles, n_frames), fps, np.zeros(n_frames), grounded=True)


def jumping_jacks(n_frames: int, fps: float, rng: np.random.Generator) -> Motion:
    """Generate jumps in which arms and legs open and close."""
    phase = _phase(n_frames, fps, rng, 0.6, 1.1)
    opened = 0.5 - 0.5 * np.cos(phase)
    angles: Angles = {}
    for side in ("left", "right"):
        angles[f"{side}_hip_abduct"] = 0.03 + rng.uniform(0.35, 0.5) * opened
        angles[f"{side}_knee_flex"] = 0.15 + 0.25 * np.sin(phase) ** 2
        angles[f"{side}_hip_flex"] = 0.1 + 0.12 * np.sin(phase) ** 2
        angles[f"{side}_shoulder_abduct"] = 0.12 + rng.uniform(2.2, 2.8) * opened
        angles[f"{side}_elbow_flex"] = 0.15 + rng.uniform(0, 0.7) * opened
    return _carried_by_feet(segment_rotations(angles, n_frames), fps, 0.1 * np.sin(phase) ** 2, grounded=False)


def gestures(n_frames: int, fps: float, rng: np.random.Generator) -> Motion:
    """Generate a standing person who turns and moves arms and trunk: each angle varies within an everyday range."""
    turning = rng.choice([0.0, rng.uniform(-1.6, 1.6)])

    def wander(low: float, high: float) -> np.ndarray:
        """Return a sum of three slow sine waves that stays within the range."""
        t = np.arange(n_frames) / fps
        waves = sum(
            a * np.sin(2 * np.pi * rng.uniform(0.15, 0.9) * t + rng.uniform(0, 2 * np.pi)) for a in (0.55, 0.3, 0.15)
        )
        centre = rng.uniform(low, high)
        return np.clip(centre + waves * rng.uniform(0.2, 0.6) * (high - low), low, high)

    angles: Angles = {
        "pelvis_yaw": turning * np.arange(n_frames) / fps + wander(-0.3, 0.3),
        "pelvis_pitch": wander(-0.05, 0.25), "pelvis_roll": wander(-0.08, 0.08),
        "spine_yaw": wander(-0.4, 0.4), "spine_pitch": wander(-0.15, 0.5), "spine_roll": wander(-0.25, 0.25),
        "neck_yaw": wander(-0.7, 0.7), "neck_pitch": wander(-0.3, 0.4), "neck_roll": wander(-0.2, 0.2),
    }  # fmt: skip
    bend = wander(0.0, 0.5)
    for side in ("left", "right"):
        angles[f"{side}_shoulder_flex"] = wander(-0.5, 2.6)
        angles[f"{side}_shoulder_abduct"] = wander(0.12, 1.5)
        angles[f"{side}_shoulder_twist"] = wander(-0.5, 0.9)
        angles[f"{side}_elbow_flex"] = wander(0.05, 2.2)
        angles[f"{side}_wrist_flex"] = wander(-0.4, 0.4)
        angles[f"{side}_hip_flex"] = bend + wander(-0.1, 0.25)
        angles[f"{side}_hip_abduct"] = wander(0.0, 0.3)
        angles[f"{side}_knee_flex"] = 2 * bend * rng.uniform(0.7, 1.1)
        angles[f"{side}_ankle_flex"] = -0.6 * bend
    return _carried_by_feet(segment_rotations(angles, n_frames), fps, np.zeros(n_frames), grounded=True)


def kicks(n_frames: int, fps: float, rng: np.random.Generator) -> Motion:
    """Generate balancing on one leg while the other kicks or lifts the knee; the arms react."""
    kicking, standing = rng.permutation(["left", "right"])
    phase = _phase(n_frames, fps, rng, 0.4, 0.9)
    up = 0.5 - 0.5 * np.cos(phase)
    high, folded = rng.uniform(0.6, 1.7), rng.uniform(0.1, 1.8)
    angles: Angles = {
        "pelvis_yaw": rng.uniform(-0.8, 0.8) * np.arange(n_frames) / fps,
        "spine_pitch": 0.15 * up, "pelvis_pitch": -0.2 * up,
        f"{kicking}_hip_flex": high * up + rng.uniform(-0.5, 0) * (1 - up),
        f"{kicking}_hip_abduct": rng.uniform(0, 0.7) * up,
        f"{kicking}_knee_flex": 0.1 + folded * np.abs(np.sin(phase)), f"{kicking}_ankle_flex": 0.4 * up,
        f"{standing}_hip_flex": -0.1 * up, f"{standing}_knee_flex": 0.1 + 0.2 * up,
    }  # fmt: skip
    for side in ("left", "right"):
        angles[f"{side}_shoulder_abduct"] = 0.15 + rng.uniform(0, 1.3) * up
        angles[f"{side}_shoulder_flex"] = rng.uniform(-0.6, 1.2) * up
        angles[f"{side}_elbow_flex"] = rng.uniform(0.1, 1.8) * (0.6 + 0.4 * np.sin(phase))
    return _carried_by_feet(segment_rotations(angles, n_frames), fps, np.zeros(n_frames), grounded=True)


def _phase(n_frames: int, fps: float, rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Draw the phase (T,) in radians of a movement that repeats ``low`` to ``high`` times per second."""
    return rng.uniform(0, 2 * np.pi) + 2 * np.pi * rng.uniform(low, high) * np.arange(n_frames) / fps


GENERATORS: dict[str, Callable[[int, float, np.random.Generator], Motion]] = {
    f.__name__: f for f in (walk, run, squats, jumping_jacks, gestures, kicks)
}


def make_motion(name: str, n_frames: int, fps: float, seed: int) -> Motion:
    """Generate a motion with the generator of this name; the same arguments give the same motion.

    Raises:
        ConfigError: no generator has this name, or ``n_frames`` is 0.
    """
    if name not in GENERATORS:
        raise ConfigError(f"unknown motion {name!r}{nearest_name(name, GENERATORS)} Known: {', '.join(GENERATORS)}.")
    if n_frames < 1:
        raise ConfigError(f"expected at least one frame, got {n_frames}")
    return GENERATORS[name](n_frames, fps, np.random.default_rng(seed))
