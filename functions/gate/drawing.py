"""Drawing: the kinds of plot that the page uses, as plain data that plotly.js draws.

A colour such as `@blue` is one of the page's own, resolved there, where dark or light is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from shared.reports import Distribution, Histogram

V = TypeVar("V")
Word = TypeVar("Word", bound=str)
Figure = dict[str, object]
SERIES = ("@blue", "@teal", "@amber", "@rose", "@violet")
SHORT_CHARS = 44
LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"}
NAMES = {"autorange": "reversed", "automargin": True, "type": "category"}
"""An axis of names, the first on top."""


def words(name: str) -> str:
    text = name.replace("_", " ")
    return text if len(text) <= SHORT_CHARS else text[: SHORT_CHARS - 1] + "…"


def spaced(values: Mapping[Word, V]) -> dict[str, V]:
    return {words(name): value for name, value in values.items()}


def figure(data: Sequence[Mapping[str, object]], **layout: object) -> Figure:
    return {"data": list(data), "layout": layout}


def rows(n: int) -> int:
    """Return the height in pixels of a plot of n horizontal bars."""
    return 70 + 26 * max(n, 2)


def bars(values: Mapping[str, float], title: str, colour: str, share: bool = False) -> Figure:
    number = "%{x:.1%}" if share else "%{x:,}"
    bar = {
        "type": "bar",
        "orientation": "h",
        "y": list(values),
        "x": list(values.values()),
        "marker": {"color": colour},
        "texttemplate": number,
        "textposition": "auto",
        "hovertemplate": "%{y}: " + number + "<extra></extra>",
    }
    axis = {"title": title, "rangemode": "tozero", "tickformat": ".0%" if share else ""}
    return figure([bar], height=rows(len(values)), xaxis=axis, yaxis=NAMES)


def columns(values: Mapping[str, float], title: str) -> Figure:
    bar = {
        "type": "bar",
        "x": list(values),
        "y": list(values.values()),
        "marker": {"color": "@violet"},
        "texttemplate": "%{y:.0%}",
        "hovertemplate": "%{x}: %{y:.1%}<extra></extra>",
    }
    return figure([bar], height=280, xaxis={"type": "category"}, yaxis={"title": title, "tickformat": ".0%"})


def _bin_bars(bins: Histogram, colour: str, **more: object) -> Figure:
    return {
        "type": "bar",
        "x": [(low + high) / 2 for low, high in pairwise(bins.edges)],
        "y": list(bins.counts),
        "width": [high - low for low, high in pairwise(bins.edges)],
        "customdata": [[low, high] for low, high in pairwise(bins.edges)],
        "hovertemplate": "%{customdata[0]} to %{customdata[1]}: %{y}<extra></extra>",
        "marker": {"color": colour, "line": {"width": 0.5, "color": "@card"}},
        **more,
    }


def histogram(bins: Histogram, title: str, colour: str, counted: str, form: str = "") -> Figure:
    axes = {"xaxis": {"title": title, "tickformat": form}, "yaxis": {"title": counted}}
    return figure([_bin_bars(bins, colour)], height=280, bargap=0, **axes)


def overlaid(histograms: Mapping[Word, Histogram], title: str) -> Figure:
    data: list[Figure] = [
        _bin_bars(bins, colour, name=words(name), opacity=0.6, showlegend=True)
        for (name, bins), colour in zip(histograms.items(), SERIES, strict=False)
    ]
    return figure(
        data,
        height=280,
        barmode="overlay",
        bargap=0,
        xaxis={"title": title},
        yaxis={"title": "count"},
        legend=LEGEND,
        margin={"l": 52, "r": 14, "t": 40, "b": 44},
    )


def ranges(values: Mapping[str, Distribution], title: str) -> Figure:
    """Draw the middle 90 % of each distribution as a line with the median on it."""
    known = {name: one for name, one in values.items() if one.n}
    return figure(
        [
            spans(known, [(one.p5, one.p95) for one in known.values()]),
            {
                "type": "scatter",
                "mode": "markers",
                "x": [one.p50 for one in known.values()],
                "y": list(known),
                "marker": {"size": 11, "color": "@blue"},
                "customdata": [[one.n, one.p5, one.p95, one.mean] for one in known.values()],
                "hovertemplate": "%{y}: median %{x}, 5–95 %: %{customdata[1]} to %{customdata[2]}, "
                "mean %{customdata[3]}, n %{customdata[0]}<extra></extra>",
            },
        ],
        height=rows(len(known)) + 20,
        xaxis={"title": title},
        yaxis=NAMES,
    )


def spans(names: Iterable[str], spans: Sequence[tuple[float, float]]) -> Figure:
    """Draw one thick line a name; None breaks the line between two names."""
    x: list[float | None] = []
    y: list[str | None] = []
    for name, (low, high) in zip(names, spans, strict=True):
        x += [low, high, None]
        y += [name, name, None]
    line = {"width": 7, "color": "@faint"}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip"}
