"""Evaluate: how well a student answers, against its base, the served model, the rule-based coach and one plan for all.

Everybody gets the same messages: the dataset's test split, fresh people with fresh messages, and the curated
safety prompts. Greedy, so that a seed decides which messages, and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Annotated, Final

from pydantic import Field

from shared.artifacts import ArtifactStore
from shared.eval_report import (
    MODES,
    Comparison,
    Disturbed,
    EvalReport,
    LossComparison,
    Metric,
    Mode,
    ModelReport,
    Other,
    Speed,
)
from shared.eval_report import Example as Shown
from trainer_job.dataset import split_lines
from trainer_job.evaluation.answering import Answerer, Answers, rendered_of
from trainer_job.evaluation.choosing import examples
from trainer_job.evaluation.contestants import Contestant, ready
from trainer_job.evaluation.curated import SafetyPrompt, safety_prompts
from trainer_job.evaluation.disturbing import DISTURBANCES, disturbed
from trainer_job.evaluation.grouping import group
from trainer_job.evaluation.loss import example_losses
from trainer_job.evaluation.measuring import Paper, judged, mode_report, paper
from trainer_job.evaluation.pairing import ExampleLoss, compare, compare_losses, loss_of
from trainer_job.evaluation.prompts import fresh_exams, held_out_exams, run_config
from trainer_job.evaluation.safety import reference, suite
from trainer_job.evaluation.scoring import Judged
from trainer_job.evaluation.side_by_side import side_by_side
from trainer_job.examples import Example, read_examples
from trainer_job.hardware import hardware
from trainer_job.recipe import Examination

Told = Callable[[str, int, int], None]
"""What is being done, how much of it, and of how much."""
_LOSS_EXAMPLES: Final = 400
_DEFAULT_BATCH: Final = 96
_LEAST_S: Final = 1e-6
_MUCH: Final = 150
"""So many answers are worth a process of their own, which needs some seconds to import PyTorch."""


class EvalSettings(Examination):
    """What is asked, and how closely it is looked at."""

    modes: tuple[Mode, ...] = MODES
    min_slice_size: Annotated[int, Field(ge=1)] = 30
    robustness: bool = False
    """Also ask with prompts that are truncated, reworded, misspelt and masked."""
    batch: Annotated[int, Field(ge=1, le=4096)] = _DEFAULT_BATCH


DEFAULTS: Final = EvalSettings()


@dataclass(frozen=True, slots=True)
class _Sat:
    """A contestant's exam: what it wrote, what is thought of that, and its losses."""

    name: str
    answers: Answers
    judged: dict[Mode, list[Judged]]
    safety: dict[Mode, list[str]]
    losses: list[ExampleLoss]
    disturbed: dict[str, list[Judged]]


@dataclass(frozen=True, slots=True)
class _Room:
    """What all contestants share."""

    settings: EvalSettings
    on: Paper
    safety: tuple[SafetyPrompt, ...]
    lines: list[bytes]
    context_tokens: int
    told: Told


def evaluate_model(
    student: Contestant,
    store: ArtifactStore,
    run_id: str,
    context_tokens: int,
    settings: EvalSettings = DEFAULTS,
    served: Contestant | None = None,
    told: Told = lambda what, done, of: None,
) -> EvalReport:
    """Return the report of a student; raises NotFound without the run's artifacts, Rejected where they are wrong."""
    config = run_config(store, run_id)
    exams = [
        *held_out_exams(store, run_id, settings.test, settings.seed),
        *fresh_exams(config, settings.fresh, settings.seed),
    ]
    on = paper(exams, settings.min_slice_size)
    room = _Room(settings, on, safety_prompts(), split_lines(store, run_id, "test"), context_tokens, told)
    base = Contestant(student.base.name, student.base)
    much = len(exams) * len(settings.modes) >= _MUCH
    with side_by_side(2 if much else 1) as begin:
        sitting = begin(_sit, replace(room, told=_silent), base)
        sat = _sit(room, student, room.safety, DISTURBANCES if settings.robustness else ())
        others: dict[Other, _Sat] = {"base": sitting()}
    if served is not None:
        others["served"] = _sit(room, served, room.safety)
    whole = _report(room, sat, whole=True)
    reports = {other: _report(room, one, whole=False) for other, one in others.items()}
    return EvalReport(
        version=student.name,
        base_model=student.base.name,
        served_version=served.name if served else None,
        dataset_run_id=run_id,
        seed=settings.seed,
        as_of=config.as_of_date,
        min_slice_size=settings.min_slice_size,
        prompts={
            "test": sum(exam.suite == "test" for exam in exams),
            "fresh": sum(exam.suite == "fresh" for exam in exams),
            "safety": len(room.safety),
        },
        held_out_loss=whole.held_out_loss,
        modes=whole.modes,
        speed=whole.speed,
        base=reports["base"],
        served=reports.get("served"),
        teacher=_teacher(room),
        comparisons=tuple(_comparisons(room, sat, others)),
        loss_comparisons=tuple(_loss_comparisons(room, sat, others)),
        robustness=tuple(_robustness(room, sat)),
        examples=_examples(room, sat, others),
    )


def _silent(what: str, done: int, of: int) -> None:
    """Tell nothing: progress is the student's."""


def _sit(
    room: _Room, contestant: Contestant, curated: Sequence[SafetyPrompt] = (), disturbances: Sequence[str] = ()
) -> _Sat:
    """Put everything to one contestant; the curated prompts only to those that anybody might serve."""
    settings, exams = room.settings, room.on.exams
    queries = [*(exam.query for exam in exams), *(prompt.query() for prompt in curated)]
    tokenizer = contestant.base.tokenizer
    with ready(contestant) as model:
        answerer = Answerer(model, tokenizer, settings.seed, settings.batch)

        def told(done: int) -> None:
            room.told(f"{contestant.name}: answers", done, len(queries) * len(settings.modes))

        answers = answerer.answer(queries, settings.modes, told)
        held_out = read_examples(room.lines, tokenizer, room.context_tokens, "test").kept
        losses = _losses(room, contestant.name, answerer, held_out[:_LOSS_EXAMPLES])
        worse = {one: _disturbed(room, answerer, one) for one in disturbances}
    asked = answers.first(len(exams))
    safety = {mode: [one.text for one in written[len(exams) :]] for mode, written in answers.written.items()}
    return _Sat(contestant.name, asked, judged(exams, asked), safety, losses, worse)


def _losses(room: _Room, name: str, answerer: Answerer, held_out: Sequence[Example]) -> list[ExampleLoss]:
    room.told(f"{name}: held-out loss", 0, len(held_out))
    return example_losses(answerer.model, held_out)


def _disturbed(room: _Room, answerer: Answerer, disturbance: str) -> list[Judged]:
    exams, mode = room.on.exams, _closest_to_free(room.settings.modes)
    room.told(f"{disturbance} prompts", 0, len(exams))
    prompts = disturbed(disturbance, [rendered_of(exam.query) for exam in exams], room.settings.seed)
    answers = answerer.answer([exam.query for exam in exams], (mode,), prompts=prompts)
    return judged(exams, answers)[mode]


def _closest_to_free(modes: Sequence[Mode]) -> Mode:
    """Return the way of decoding that hides the least of what a disturbance does, and still gives plans."""
    return next(mode for mode in ("schema", "free", "grammar") if mode in modes)


def _report(room: _Room, sat: _Sat, whole: bool) -> ModelReport:
    least = room.settings.min_slice_size
    return ModelReport(
        name=sat.name,
        held_out_loss=loss_of(sat.losses, room.settings.seed) if sat.losses else None,
        modes={
            mode: mode_report(
                room.on,
                found,
                suite(room.safety, sat.safety[mode], least) if sat.safety[mode] else None,
                room.on.constant(found),
                (sat.answers, mode),
                whole,
            )
            for mode, found in sat.judged.items()
        },
        speed=Speed(
            machine=hardware().name,
            seconds=sat.answers.seconds,
            answers=len(room.on.exams) * len(sat.judged),
            tokens_per_s=sat.answers.tokens / max(sat.answers.seconds, _LEAST_S),
        ),
    )


def _teacher(room: _Room) -> ModelReport:
    least, found = room.settings.min_slice_size, room.on.teacher
    safety = suite(room.safety, map(reference, room.safety), least)
    report = mode_report(room.on, found, safety, room.on.constant(found), None, whole=False)
    return ModelReport(name="rule-based-coach", held_out_loss=None, modes={"free": report}, speed=None)


def _comparisons(room: _Room, student: _Sat, others: dict[Other, _Sat]) -> list[Comparison]:
    exams, least = room.on.exams, room.settings.min_slice_size
    tags = [exam.query.slice_tags for exam in exams]
    plans = room.on.plans
    found = []
    for mode, ours in student.judged.items():
        facts = [one.facts for one in ours]
        theirs = {other: [one.facts for one in sat.judged[mode]] for other, sat in others.items()}
        theirs["teacher"] = [one.facts for one in room.on.teacher]
        found += [compare(other, mode, facts, answers, tags, least) for other, answers in theirs.items()]
        constant: list[Mapping[Metric, bool]] = [
            {"strict_plan": one.facts["strict_plan"]} for one in room.on.constant(ours)
        ]
        if constant:
            own = [facts[place] for place in plans]
            found.append(compare("constant", mode, own, constant, [tags[place] for place in plans], least))
    return list(chain.from_iterable(found))


def _loss_comparisons(room: _Room, student: _Sat, others: dict[Other, _Sat]) -> list[LossComparison]:
    return [
        compare_losses(other, student.losses, sat.losses, room.settings.seed)
        for other, sat in others.items()
        if sat.losses and len(sat.losses) == len(student.losses)
    ]


def _robustness(room: _Room, student: _Sat) -> list[Disturbed]:
    mode, least = _closest_to_free(room.settings.modes), room.settings.min_slice_size
    before = [one.facts for one in student.judged[mode]]
    found = []
    for disturbance, answers in student.disturbed.items():
        facts = [one.facts for one in answers]
        against = compare("undisturbed", mode, facts, before, [exam.query.slice_tags for exam in room.on.exams], least)
        everybody = tuple(one for one in against if not one.slices)
        found.append(Disturbed(disturbance=disturbance, mode=mode, overall=group(facts, least), against=everybody))
    return found


def _examples(room: _Room, student: _Sat, others: dict[Other, _Sat]) -> tuple[Shown, ...]:
    mode = room.settings.modes[-1]
    spoken = {"student": student.judged[mode]}
    spoken |= {str(other): sat.judged[mode] for other, sat in others.items()}
    return examples(mode, room.on.exams, spoken | {"teacher": list(room.on.teacher)})
