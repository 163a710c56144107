"""Figures: what the page plots, by the id of its place on it."""

from collections.abc import Mapping

from functions.gate.drawing import (
    LEGEND,
    SERIES,
    Figure,
    bars,
    columns,
    figure,
    histogram,
    overlaid,
    ranges,
    spaced,
    words,
)
from functions.gate.fairness import forest, heat_map
from shared.reports import MEASURES, BiasReport, People, StatsReport, Training


def figures(stats: StatsReport, bias: BiasReport, rejected: Mapping[str, int]) -> dict[str, Figure]:
    """Return every plot of the page by the id of its place."""
    return {
        **_content(stats, rejected),
        **_people(stats.people),
        **_training(stats.training),
        **{f"forest-{measure}": forest(measure, bias) for measure in MEASURES},
        **{f"heat-{measure}": heat_map(measure, bias) for measure in MEASURES},
    }


def _content(stats: StatsReport, rejected: Mapping[str, int]) -> dict[str, Figure]:
    responses, instructions = stats.lengths["response_chars"], stats.lengths["instruction_chars"]
    drawn = {
        "splits": _splits(stats),
        "response-length": histogram(responses.histogram, "characters", "@blue", "records"),
        "instruction-length": histogram(instructions.histogram, "characters", "@teal", "records"),
        "length-by-type": ranges(spaced(responses.by_type), "characters"),
        "rejected": bars({words(reason): count for reason, count in rejected.items()}, "responses", "@rose"),
        "weekly-sets": ranges(spaced(stats.weekly_sets_by_goal), "sets a week"),
    }
    for name, counts in stats.slices.items():
        drawn[f"slice-{name}"] = bars({words(value): n for value, n in counts.items()}, "records", "@blue")
    return drawn


def _people(people: People) -> dict[str, Figure]:
    return {
        "age": histogram(people.age, "years", "@blue", "people"),
        "height": overlaid(people.height_bins, "cm"),
        "bmi": ranges(people.bmi, "kg/m²"),
        "condition-share": columns(people.condition_share, "share with a condition or injury"),
        "conditions": bars(spaced(people.conditions), "share of people", "@violet", share=True),
        "medications": bars(spaced(people.medications), "share of people", "@violet", share=True),
        "equipment": bars(spaced(people.equipment), "share of people", "@teal", share=True),
        "pieces": histogram(people.pieces, "pieces of equipment", "@teal", "people"),
    }


def _training(training: Training) -> dict[str, Figure]:
    return {
        "adherence": histogram(training.adherence, "planned sessions done", "@teal", "people", form=".0%"),
        "e1rm": histogram(training.e1rm_change_pct, "% change of estimated one-repetition maximum", "@amber", "people"),
        "weight-change": ranges(spaced(training.weight_change_kg), "kg over the log"),
    }


def _splits(stats: StatsReport) -> Figure:
    splits = list(stats.types_by_split)
    parts: list[Figure] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": words(kind),
            "y": splits,
            "x": [stats.types_by_split[split][kind] for split in splits],
            "marker": {"color": colour},
            "hovertemplate": "%{y}: %{x} " + words(kind) + "<extra></extra>",
        }
        for kind, colour in zip(stats.types, SERIES, strict=True)
    ]
    return figure(
        parts,
        barmode="stack",
        height=280,
        xaxis={"title": "records"},
        yaxis={"autorange": "reversed"},
        legend=LEGEND,
        margin={"l": 52, "r": 14, "t": 66, "b": 44},
    )
