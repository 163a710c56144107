"""Drawing: the plots of the page as SVG, without a library: rates as dots on their intervals, counts as bars.

Colours are the page's own (`var(--…)`), so that they follow dark and light; hovering tells the numbers.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from shared.eval_report import Rate

_WIDTH: Final = 720
_LABEL: Final = 210
_RIGHT: Final = 70
_ROW: Final = 24
_STEP: Final = 9
_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
COLOURS: Final = {"student": "blue", "base": "amber", "served": "violet", "teacher": "teal", "constant": "rose"}


class Row(NamedTuple):
    """One line of a forest plot: what it is of, and each speaker's rate."""

    label: str
    rates: Mapping[str, Rate]


def forest(rows: Sequence[Row]) -> str:
    """Return dots with their 95 % intervals, a row each, the speakers of a row one below the other."""
    parts, top = [], 10
    for row in rows:
        height = max(_ROW, _STEP * len(row.rates) + 8)
        parts.append(_text(_LABEL - 10, top + height / 2 + 4, row.label, "end"))
        offset = (height - _STEP * (len(row.rates) - 1)) / 2
        for place, (who, rate) in enumerate(row.rates.items()):
            parts.append(_interval(top + offset + place * _STEP, who, rate, row.label))
        top += height
    grid = "".join(_tick(tick, top) for tick in _TICKS)
    return _svg(top + 26, grid + "".join(parts))


def bars(counts: Mapping[str, int], most: int = 16) -> str:
    """Return horizontal bars, the longest first."""
    shown = dict(sorted(counts.items(), key=lambda item: -item[1])[:most])
    longest = max(shown.values(), default=1)
    parts = []
    for place, (name, count) in enumerate(shown.items()):
        y, width = 10 + place * _ROW, (_WIDTH - _LABEL - _RIGHT) * count / longest
        parts.append(_text(_LABEL - 10, y + 15, name.replace("_", " "), "end"))
        parts.append(f'<rect x="{_LABEL}" y="{y + 3}" width="{width:.1f}" height="16" rx="4" fill="var(--rose)"/>')
        parts.append(_text(_LABEL + width + 8, y + 15, str(count), "start"))
    return _svg(20 + _ROW * len(shown), "".join(parts))


def _x(share: float) -> float:
    return _LABEL + (_WIDTH - _LABEL - _RIGHT) * share


def _interval(y: float, who: str, rate: Rate, label: str) -> str:
    colour = f"var(--{COLOURS.get(who, 'blue')})" if rate.judged else "var(--muted)"
    told = f"{label}, {who}: {rate.rate:.1%} of {rate.n}, 95 % from {rate.low:.1%} to {rate.high:.1%}"
    told += "" if rate.judged else "; too few to judge"
    line = f'<line x1="{_x(rate.low):.1f}" x2="{_x(rate.high):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
    dot = f'<circle cx="{_x(rate.rate):.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'
    return f'<g><title>{escape(told)}</title>{line}stroke-width="3" opacity=".45"/>{dot}</g>'


def _tick(share: float, bottom: float) -> str:
    line = f'<line x1="{_x(share):.1f}" x2="{_x(share):.1f}" y1="4" y2="{bottom}" stroke="var(--edge)"/>'
    return line + _text(_x(share), bottom + 18, f"{share:.0%}", "middle")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: float, inside: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" xmlns="http://www.w3.org/2000/svg">{inside}</svg>'
