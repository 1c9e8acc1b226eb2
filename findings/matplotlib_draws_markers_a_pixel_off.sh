#!/bin/bash
# matplotlib 3.11.2 draws the markers of plot() in a PNG at whole pixels, also with snap=False, and up to one pixel away
# from the data: points at 100, 100.25, 100.5 and 100.75 are all drawn around 101. A circle patch is where it should be.
# Hurts: joints that are plotted over a frame, with one point of the figure per pixel, lie up to a pixel right and below.
# Seen: markers at [101.0, 101.0, 101.0, 101.0], circles at [100.0, 100.25, 100.5, 100.75]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check matplotlib==3.11.2
cd "$folder"
venv/bin/python - 2>errors.txt <<'PYTHON' || { tail -3 errors.txt; echo "The behaviour has changed."; exit 1; }
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle


def centre(at, as_marker):
    """Mean x of the ink of a dot at (at, at) in a figure of 200 × 200 pixels, whose pixel 0 has its centre at 0."""
    figure = Figure(figsize=(2, 2), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.5, 199.5), ylim=(199.5, -0.5))
    axes.set_axis_off()
    if as_marker:
        axes.plot(at, at, "o", markersize=5, color="black", markeredgewidth=0, snap=False)
    else:
        axes.add_patch(Circle((at, at), 3.5, color="black", linewidth=0, snap=False))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ink = 255.0 - np.asarray(canvas.buffer_rgba())[..., 0]
    return round(float((ink * np.arange(200)).sum() / ink.sum()), 2)


places = [100.0, 100.25, 100.5, 100.75]
markers, circles = ([centre(at, kind) for at in places] for kind in (True, False))
print(f"markers at {[round(x, 1) for x in markers]}, circles at {circles}")
assert np.ptp(markers) == 0 and markers[0] - places[0] > 0.9
assert np.abs(np.array(circles) - places).max() < 0.05
PYTHON
