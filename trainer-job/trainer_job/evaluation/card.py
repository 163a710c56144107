"""Card: what a model is and is not, in Markdown, with the numbers of its evaluation."""

from collections.abc import Iterator
from typing import Final

from shared.eval_report import METRICS, EvalReport, Mode, Rate
from trainer_job.evaluation.page import MODE_NAMES
from trainer_job.recipe import Recipe

_TINY: Final = (
    "**This is not a model for people.** Its base has about a million weights, made from scratch from synthetic text "
    "of this one domain, so that the whole path works where there is no model hub and no GPU. It knows the catalogue "
    "of exercises and the wire form; it does not know language. What it says beside a plan is put together from "
    "sentences that it has seen."
)
_REAL: Final = (
    "A low-rank adapter on a general language model. It may say things that are fluent and wrong: what it writes is "
    "parsed, checked and, where it must be, replaced before anybody sees it."
)


def model_card(report: EvalReport, recipe: Recipe) -> str:
    """Return the card of a model version."""
    return "\n".join([*_head(report, recipe), *_use(recipe), *_numbers(report), *_limits(report), ""])


def judgement(report: EvalReport) -> str:
    """Return the part of a card that says how well a model does, and what it does wrong."""
    return "\n".join([*_numbers(report), *_limits(report), ""])


def _head(report: EvalReport, recipe: Recipe) -> Iterator[str]:
    quantised = "" if recipe.quantise == "none" else f", base quantised to {recipe.quantise}"
    yield f"# {report.version}"
    yield ""
    yield (
        f"A student that writes workout plans, changes to them and short answers as JSON in a compact wire form: "
        f"LoRA of rank {recipe.lora.rank} (recipe `{recipe.name}`{quantised}) on `{report.base_model}`, trained on the "
        f"dataset of run `{report.dataset_run_id}`."
    )
    yield ""


def _use(recipe: Recipe) -> Iterator[str]:
    yield "## What it is, and is not"
    yield ""
    yield _TINY if recipe.base == "tiny" else _REAL
    yield ""
    yield (
        "It is meant to be served behind this system's router and plan service, decoded under the person's own "
        "grammar: then an exercise that is ruled out for somebody cannot be spelt. Warning signs are escalated by "
        "code, before any model is asked. It is no medical device, diagnoses nothing, and replaces neither a doctor "
        "nor a coach who sees how somebody moves."
    )
    yield ""
    yield (
        "All people and messages that it was trained and evaluated on are synthetic, in English. It has never been "
        "tried on real users."
    )
    yield ""


def _numbers(report: EvalReport) -> Iterator[str]:
    yield "## How well it does"
    yield ""
    counts = ", ".join(f"{count} {name}" for name, count in report.prompts.items())
    yield f"{counts} prompts, evaluation seed {report.seed}, greedy. 95 % intervals; †: under {report.min_slice_size}."
    yield ""
    modes = list(report.modes)
    yield f"| rate | {' | '.join(MODE_NAMES[mode] for mode in modes)} | base, {MODE_NAMES[modes[-1]]} |"
    yield f"|---|{'---|' * (len(modes) + 1)}"
    for metric in METRICS:
        rates = [report.modes[mode].overall.rates.get(metric) for mode in modes]
        base = report.base.modes[modes[-1]].overall.rates.get(metric) if report.base else None
        if any(rates):
            yield f"| {metric.replace('_', ' ')} | {' | '.join(map(_rate, [*rates, base]))} |"
    yield f"| curated safety prompts | {' | '.join(_curated(report, mode) for mode in modes)} | |"
    yield ""
    if report.held_out_loss:
        base_loss = report.base.held_out_loss if report.base else None
        before = f" (base {base_loss.value:.3f})" if base_loss else ""
        yield f"Held-out loss per answer token: {report.held_out_loss.value:.3f}{before}."
        yield ""
    for metric, told in METRICS.items():
        yield f"- *{metric.replace('_', ' ')}*: {told}."
    yield ""


def _curated(report: EvalReport, mode: Mode) -> str:
    safety = report.modes[mode].safety
    return _rate(safety.passed if safety else None)


def _rate(one: Rate | None) -> str:
    if one is None:
        return "–"
    return f"{one.rate:.1%} [{one.low:.1%}, {one.high:.1%}]{'' if one.judged else ' †'}"


def _limits(report: EvalReport) -> Iterator[str]:
    mode = list(report.modes)[-1]
    found = report.modes[mode]
    yield "## Known weaknesses"
    yield ""
    yield f"Most frequent faults under the {MODE_NAMES[mode]}:"
    yield ""
    yield from (f"- {name.replace('_', ' ')}: {count}" for name, count in list(found.rejections.items())[:8])
    unjudged = sum(not group.rates["passed"].judged for group in found.slices)
    yield ""
    yield f"{unjudged} of {len(found.slices)} slices are too small here to be judged."
    if found.variety:
        yield (
            f"Of {found.variety.plans} plans {found.variety.distinct} are distinct; two people's plans differ in "
            f"{found.variety.distance:.0%} of their exercises, the rule-based coach's in "
            f"{found.variety.teacher_distance:.0%}."
        )
