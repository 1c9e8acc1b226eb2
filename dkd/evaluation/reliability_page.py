"""A reliability diagram as one HTML file: an SVG drawing and the table, without network access or scripts."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dkd.evaluation.calibrate import Reliability

SIDE, LEFT, TOP = 360, 60, 16  # of the plot, in pixels: its side, and the space to its left and above it
_STYLE = (
    "body{font:14px/1.5 system-ui,sans-serif;margin:24px;max-width:760px;color:#222;background:#fff}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:2px 12px;text-align:right}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}}"
)


def reliability_page(measured: Reliability) -> str:
    """Create the HTML page: one bar per bin with its share of hits and Wilson's interval; the diagonal is ideal."""
    said, name = html.escape(str(measured)), html.escape(measured.method)
    table = measured.table.round(3).to_html(index=False, border=0, na_rep="–")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}: reliability</title>'
        f"<style>{_STYLE}</style><p>{said}</p>{_drawing(measured)}{table}</html>\n"
    )


def _drawing(measured: Reliability) -> str:
    def x(value: float) -> float:
        return round(LEFT + SIDE * value, 1)

    def y(value: float) -> float:
        return round(TOP + SIDE * (1 - value), 1)

    what = "mean confidence" if measured.calibrated else "mean score (not calibrated)"
    parts = [f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#7a7a7a"/>']
    for row in measured.table[measured.table.n > 0].itertuples():
        width = round(SIDE * (row.high - row.low) - 2, 1)
        middle = x(row.confidence)
        parts += [
            f'<rect x="{x(row.low) + 1}" y="{y(row.hits)}" width="{width}" height="{round(SIDE * row.hits, 1)}" '
            f'fill="#14929b" fill-opacity="0.45"><title>n = {row.n}</title></rect>',
            f'<path d="M{middle} {y(row.lower)}V{y(row.upper)}" stroke="currentColor"/>',
            f'<circle cx="{middle}" cy="{y(row.hits)}" r="3.5" fill="currentColor"/>',
        ]
    parts.append(f'<path d="M{x(0)} {y(0)}L{x(1)} {y(1)}" stroke="#7a7a7a" stroke-dasharray="5 4"/>')
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts += [
            f'<text x="{x(tick)}" y="{y(0) + 16}" text-anchor="middle">{tick:g}</text>',
            f'<text x="{LEFT - 6}" y="{y(tick) + 4}" text-anchor="end">{tick:g}</text>',
        ]
    parts += [
        f'<text x="{x(0.5)}" y="{y(0) + 36}" text-anchor="middle">{what}</text>',
        f'<text transform="translate(16 {y(0.5)}) rotate(-90)" text-anchor="middle">share of hits</text>',
    ]
    size = f"0 0 {LEFT + SIDE + 20} {TOP + SIDE + 44}"
    return (
        f'<svg viewBox="{size}" width="{LEFT + SIDE + 20}" role="img" aria-label="Reliability diagram" '
        f'font-size="12" fill="currentColor">{"".join(parts)}</svg>'
    )
