"""Measuring: the answers of one model, or of the rule-based coach, as a report of each way of decoding."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from shared.coach.plan import WorkoutPlan
from shared.coach.profile import UserProfile
from shared.eval_report import Group, Mode, ModeReport, SafetySuite, Tokens
from shared.measures import distribution
from shared.reports import Distribution
from trainer_job.evaluation.answering import Answers
from trainer_job.evaluation.grouping import group, grouped, sliced
from trainer_job.evaluation.prompts import Exam
from trainer_job.evaluation.scoring import Judged, judge
from trainer_job.evaluation.variety import best_plan, constant_answers, repeated, variety

_PER_MS: Final = 10
_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Paper:
    """The messages of an evaluation, the rule-based coach's answers, and the best plan for everybody's."""

    exams: Sequence[Exam]
    teacher: Sequence[Judged]
    least: int
    """Under so many, nothing is judged."""
    best: WorkoutPlan | None
    """Of the rule-based coach's plans, the one that is right for most."""

    @property
    def plans(self) -> list[int]:
        """The places of those who ask for a plan and may have one."""
        return [place for place, one in enumerate(self.teacher) if "strict_plan" in one.facts]

    def constant(self, judged: Sequence[Judged]) -> list[Judged]:
        """Return the answers of a coach who gives everybody one plan: one of the model's or the coach's."""
        repeats = repeated([one.plan for one in judged if one.plan is not None])
        best = best_plan(self.people, [*repeats, *([self.best] if self.best else [])])
        return constant_answers([self.exams[place].query for place in self.plans], best) if best else []

    @property
    def people(self) -> list[UserProfile]:
        """Those who ask for a plan, with what they tell taken in."""
        queries = (self.exams[place].query for place in self.plans)
        return [query.scenario.person(query.profile) for query in queries]


def paper(exams: Sequence[Exam], least: int) -> Paper:
    """Return the messages with what they are held against."""
    teacher = [judge(exam.query, exam.teacher) for exam in exams]
    bare = Paper(exams, teacher, least, None)
    return replace(bare, best=best_plan(bare.people, [one.plan for one in teacher if one.plan is not None]))


def judged(exams: Sequence[Exam], answers: Answers) -> dict[Mode, list[Judged]]:
    """Return what is thought of a model's answers; one that was cut off counts as it stands, unreadable."""
    return {
        mode: [judge(exam.query, one.text) for exam, one in zip(exams, written, strict=True)]
        for mode, written in answers.written.items()
    }


def mode_report(
    on: Paper,
    found: Sequence[Judged],
    safety: SafetySuite | None,
    constant: Sequence[Judged],
    of: tuple[Answers, Mode] | None,
    whole: bool,
) -> ModeReport:
    """Return one way of decoding, measured.

    `of` says where the answers were written, unless by no model; only a `whole` report has the pairs of slices.
    """
    least, tags = on.least, [exam.query.slice_tags for exam in on.exams]
    facts = [one.facts for one in found]
    plans = on.plans

    def by(key: Callable[[Exam], _K]) -> dict[_K, Group]:
        inside = grouped(range(len(on.exams)), lambda place: key(on.exams[place]))
        return {kind: group([facts[place] for place in places], least) for kind, places in inside.items()}

    return ModeReport(
        overall=group(facts, least),
        by_suite=by(lambda exam: exam.suite),
        by_type=by(lambda exam: exam.query.prompt_type),
        by_intent=dict[str, Group](by(lambda exam: exam.query.scenario.intent)),
        slices=sliced(facts, tags, 1, least),
        pairs=sliced(facts, tags, 2, least) if whole else (),
        rejections=dict(Counter(rejection for one in found for rejection in one.rejections).most_common()),
        safety=safety,
        variety=variety([found[place] for place in plans], [on.teacher[place] for place in plans], constant, least),
        tokens=_tokens(*of) if of else None,
        latency_ms=_latency_ms(*of) if of else None,
    )


def _tokens(answers: Answers, mode: Mode) -> Tokens:
    written = answers.written[mode]
    return Tokens(
        prompt=distribution(Counter(answers.prompt_tokens)),
        answer=distribution(Counter(one.tokens for one in written)),
        cut_off=sum(not one.finished for one in written),
    )


def _latency_ms(answers: Answers, mode: Mode) -> Distribution:
    return distribution(Counter(round(one.latency_s * 1000 * _PER_MS) for one in answers.written[mode]), _PER_MS)
