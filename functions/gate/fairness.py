"""Fairness: how slices of people compare, drawn as intervals and as a map of slice against slice."""

from functions.gate.drawing import NAMES, Figure, figure, rows, spans, words
from shared.reports import BiasReport, Measure, SliceGroup

RATES: tuple[Measure, ...] = ("pass_rate", "safety_rate", "helpfulness")
MEASURE_TITLES: dict[Measure, str] = {
    "pass_rate": "Pass rate",
    "safety_rate": "Safety rate",
    "helpfulness": "Helpfulness",
    "response_chars": "Response length",
    "weekly_sets": "Weekly sets",
}


def forest(measure: Measure, bias: BiasReport) -> Figure:
    """Draw each slice's value with its interval, beside the line of everybody."""
    shown = [group for group in bias.groups if measure in group.estimates]
    names = [_slice_words(group) for group in shown]
    values = [group.estimates[measure] for group in shown]
    dots: Figure = {
        "type": "scatter",
        "mode": "markers",
        "x": [one.value for one in values],
        "y": names,
        "marker": {"size": 10, "color": [_verdict_colour(group, measure) for group in shown]},
        "text": [_hover(group, measure) for group in shown],
        "hovertemplate": "%{text}<extra></extra>",
    }
    overall = bias.overall.estimates.get(measure)
    form = ".1%" if measure in RATES else ""
    return figure(
        [spans(names, [(one.low, one.high) for one in values]), dots],
        height=rows(len(names)),
        shapes=[_upright(overall.value)] if overall else [],
        xaxis={"title": f"{MEASURE_TITLES[measure]}, 95 % interval; dotted: everybody", "tickformat": form},
        yaxis=NAMES,
    )


def _upright(x: float) -> Figure:
    line = {"dash": "dot", "color": "@muted"}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line}


def _verdict_colour(group: SliceGroup, measure: Measure) -> str:
    gap = group.gaps.get(measure)
    if gap is None:
        return "@muted"
    return "@blue" if not gap.real else "@rose" if gap.value < 0 and measure in RATES else "@amber"


def _slice_words(group: SliceGroup) -> str:
    return " · ".join(_value_words(*pair) for pair in group.slices.items())


def _value_words(dimension: str, value: str) -> str:
    """Return a slice's value so that it says by itself what it is."""
    if dimension == "condition_flag":
        return "no condition" if value == "none" else "has a condition"
    return f"age {value}" if dimension == "age_band" else words(value)


def _hover(group: SliceGroup, measure: Measure) -> str:
    one = group.estimates[measure]
    form = ".1%" if measure in RATES else ".1f"
    text = f"<b>{_slice_words(group)}</b><br>{MEASURE_TITLES[measure]} {one.value:{form}}"
    text += f"<br>95 % interval {one.low:{form}} to {one.high:{form}}<br>{one.n} responses"
    gap = group.gaps.get(measure)
    if gap is None:
        return text + "<br>too few to judge"
    return text + f"<br>gap to the rest {gap.value:+{form}} ({'real' if gap.real else 'chance explains it'})"


def heat_map(measure: Measure, bias: BiasReport) -> Figure:
    """Draw slice against slice; single slices on the diagonal, pairs that cannot be stay empty."""
    names = [_slice_words(group) for group in bias.groups]
    place = {next(iter(group.slices.items())): i for i, group in enumerate(bias.groups)}
    values: list[list[float | None]] = [[None] * len(names) for _ in names]
    texts = [[""] * len(names) for _ in names]
    for group in (*bias.groups, *bias.pairs):
        if measure in group.estimates:
            at = [place[item] for item in group.slices.items()]
            for i, j in ((at[0], at[-1]), (at[-1], at[0])):
                values[i][j] = round(group.estimates[measure].value, 6)
                texts[i][j] = _hover(group, measure)
    heat: Figure = {"type": "heatmap", "z": values, "x": names, "y": names, "text": texts}
    heat |= {"xgap": 2, "ygap": 2, "hovertemplate": "%{text}<extra></extra>", "hoverongaps": False}
    return figure(
        [heat | _scale(measure, bias)],
        height=560,
        xaxis={"tickangle": -40, "automargin": True, "type": "category"},
        yaxis=NAMES,
    )


def _scale(measure: Measure, bias: BiasReport) -> Figure:
    """Return what colours mean: for a rate red is bad, for a length or a volume more is only darker."""
    bar: Figure = {"thickness": 12, "outlinewidth": 0}
    if measure not in RATES:
        return {"colorscale": "@plain", "colorbar": bar}
    known = [one.estimates[measure].value for one in (*bias.groups, *bias.pairs) if measure in one.estimates]
    ends = {"zmin": min(0.9, *known, 1), "zmax": 1}
    return {"colorscale": "@rated", "colorbar": bar | {"tickformat": ".0%"}, **ends}
