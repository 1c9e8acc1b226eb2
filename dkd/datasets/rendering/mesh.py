"""A mesh assembled from parts: tubes and ellipsoids with the skin weights of bones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Weights = dict[str, np.ndarray | float]


class Mesh:
    """Vertices, triangles and skin weights, collected part by part.

    Args:
        bones: names of the N bones, in the order of the columns of the weights.
    """

    def __init__(self, bones: Sequence[str]) -> None:
        self._bones = list(bones)
        self._vertices: list[np.ndarray] = []
        self._faces: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        self._count = 0

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (V, 3) vertices, (F, 3) faces and (V, N) weights of the bones."""
        return np.concatenate(self._vertices), np.concatenate(self._faces), np.concatenate(self._weights)

    def add_tube(
        self,
        centres: np.ndarray,
        *,
        across: np.ndarray,
        ahead: np.ndarray,
        behind: np.ndarray,
        columns: int,
        roundness: float,
        weights: Weights,
    ) -> None:
        """Add a closed tube through R rings.

        Args:
            centres: (R, 3) centres of the rings.
            across, ahead, behind: (R, 3) vectors from a ring's centre to its side, front and (sign reversed) back.
            columns: number of vertices per ring.
            roundness: 2 makes each ring an ellipse; larger values are closer to a rectangle.
            weights: share of each bone, (R) or one number.
        """
        angle = 2 * np.pi * np.arange(columns) / columns
        cos, sin = (np.sign(c) * np.abs(c) ** (2 / roundness) for c in (np.cos(angle), np.sin(angle)))
        depth = np.where(sin[None, :, None] > 0, ahead[:, None], behind[:, None])
        rings = centres[:, None] + cos[None, :, None] * across[:, None] + sin[None, :, None] * depth
        n = len(centres)
        vertices = np.concatenate([rings.reshape(-1, 3), centres[:1], centres[-1:]])
        low = (np.arange(n - 1)[:, None] * columns + np.arange(columns)).ravel()
        right = (np.arange(n - 1)[:, None] * columns + (np.arange(columns) + 1) % columns).ravel()
        first, last = np.arange(columns), (n - 1) * columns + np.arange(columns)
        bottom, top = np.full(columns, n * columns), np.full(columns, n * columns + 1)
        faces = np.concatenate([
            np.stack([low, right, right + columns], 1), np.stack([low, right + columns, low + columns], 1),
            np.stack([np.roll(first, -1), first, bottom], 1), np.stack([last, np.roll(last, -1), top], 1),
        ])  # fmt: skip
        a, b, c = (vertices[faces[:, k]] - centres[0] for k in range(3))
        if (a * np.cross(b, c)).sum() < 0:  # the enclosed volume: negative if all triangles face inward
            faces = faces[:, ::-1]
        rows = self._rows({bone: np.broadcast_to(share, n) for bone, share in weights.items()}, n)
        self._add(vertices, faces, np.concatenate([np.repeat(rows, columns, axis=0), rows[:1], rows[-1:]]))

    def add_ellipsoid(self, centre: np.ndarray, radii: np.ndarray, bone: str, columns: int, rows: int) -> None:
        """Add an ellipsoid with its axes along x, y and z; ``radii`` (3,)."""
        polar = np.pi * (np.arange(rows) + 0.5) / rows
        reach = np.sin(polar)
        self.add_tube(
            centre - axis_vectors(radii[1] * np.cos(polar), 1),
            across=axis_vectors(radii[0] * reach, 0),
            ahead=axis_vectors(radii[2] * reach, 2),
            behind=axis_vectors(radii[2] * reach, 2),
            columns=columns,
            roundness=2.0,
            weights={bone: 1.0},
        )

    def add_point(self, point: np.ndarray, bone: str) -> int:
        """Add a vertex without a triangle and return its index."""
        self._add(point[None], np.zeros((0, 3), np.int64), self._rows({bone: np.ones(1)}, 1))
        return self._count - 1

    def _add(self, vertices: np.ndarray, faces: np.ndarray, weights: np.ndarray) -> None:
        self._vertices.append(vertices)
        self._faces.append(faces + self._count)
        self._weights.append(weights)
        self._count += len(vertices)

    def _rows(self, weights: dict[str, np.ndarray], n: int) -> np.ndarray:
        out = np.zeros((n, len(self._bones)), np.float32)
        for bone, share in weights.items():
            out[:, self._bones.index(bone)] = share
        return out


def axis_vectors(lengths: np.ndarray, axis: int) -> np.ndarray:
    """Return vectors (R, 3) of these lengths (R,) along one coordinate axis."""
    return np.asarray(lengths)[:, None] * np.eye(3)[axis]
