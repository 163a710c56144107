"""Page: an evaluation report as one HTML file that needs nothing else, not even a network or a script.

Everything that a model wrote is escaped by the template.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from shared.coach.notation import write_do, write_line
from shared.coach.plan import ChatAnswer, EditsAnswer, PlanAnswer
from shared.coach.vocabulary import PromptType
from shared.coach.wire import WireError, decode
from shared.eval_report import METRICS, Comparison, EvalReport, Group, Metric, Mode, ModelReport, ModeReport
from trainer_job.evaluation.drawing import COLOURS, Row, bars, forest

_TEMPLATE: Final = "page.html.j2"
MODE_NAMES: Final[dict[Mode, str]] = {
    "free": "free decoding",
    "schema": "generic schema",
    "grammar": "person's grammar",
}
_SLICED: Final[tuple[Metric, ...]] = ("passed", "strict_plan", "safe")


def render_page(report: EvalReport) -> str:
    """Return the page of a report."""
    speakers = _speakers(report)
    shown = _shown(report)
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            report=report,
            mode=shown,
            main=report.modes[shown],
            metrics=METRICS,
            mode_names=MODE_NAMES,
            colours={who: COLOURS[who] for who in speakers},
            speakers=speakers,
            rates={mode: Markup(forest(list(_rates(mode, speakers)))) for mode in report.modes},  # noqa: S704, ours
            slices={
                metric: Markup(forest(_slices(report.modes[shown], metric)))  # noqa: S704, ours
                for metric in _SLICED
                if metric in report.modes[shown].overall.rates
            },
            rejections=Markup(bars(report.modes[shown].rejections)),  # noqa: S704, ours
            worse=[one for one in report.comparisons if one.outcome == "worse"],
            overall=[one for one in report.comparisons if not one.slices],
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(("html", "j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "words": _words, "readable": readable, "sign": _sign}
    return environment


def _shown(report: EvalReport) -> Mode:
    """Return the way of decoding that is served, or the nearest to it that was measured."""
    return next(mode for mode in ("grammar", "schema", "free") if mode in report.modes)


def _speakers(report: EvalReport) -> dict[str, Mapping[Mode, ModeReport]]:
    found: dict[str, Mapping[Mode, ModeReport]] = {"student": report.modes}
    others: dict[str, ModelReport | None] = {"base": report.base, "served": report.served}
    found |= {who: one.modes for who, one in others.items() if one is not None}
    return found | {"teacher": dict.fromkeys(report.modes, report.teacher.modes["free"])}


def _rates(mode: Mode, speakers: Mapping[str, Mapping[Mode, ModeReport]]) -> Iterator[Row]:
    for metric in METRICS:
        rates = {
            who: modes[mode].overall.rates[metric]
            for who, modes in speakers.items()
            if mode in modes and metric in modes[mode].overall.rates
        }
        if rates:
            yield Row(_words(metric), rates)


def _slices(mode: ModeReport, metric: Metric) -> list[Row]:
    groups: Sequence[Group] = (mode.overall, *mode.slices)
    return [Row(_words(one.label), {"student": one.rates[metric]}) for one in groups if metric in one.rates]


def readable(text: str, prompt_type: PromptType) -> str:
    """Return an answer as people read it; as it stands where it cannot be read."""
    try:
        answer = decode(text, prompt_type)
    except WireError:
        return text
    head = "" if answer.escalation == "none" else f"[{_words(answer.escalation)}]\n"
    match answer:
        case ChatAnswer():
            return head + answer.reply
        case EditsAnswer():
            edits = [f"{write_do(edit)}: {edit.why}" for edit in answer.edits]
            return head + "\n".join([*edits, "", answer.explanation, *answer.safety_notes])
        case PlanAnswer():
            days = [] if answer.plan is None else [answer.plan.name, *_day_lines(answer)]
            return head + "\n".join([*days, "", answer.explanation, *answer.safety_notes])


def _day_lines(answer: PlanAnswer) -> Iterator[str]:
    for day in answer.plan.days if answer.plan else ():
        yield f"{day.weekday} {day.name}"
        yield from (f"  {write_line(line)}" for line in day.exercises)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _sign(one: Comparison) -> str:
    return {"better": "▲ better", "worse": "▼ worse", "no_difference": "no difference", "not_judged": "too few"}[
        one.outcome
    ]
