"""Choosing: which answers are worth reading side by side: the best, the worst, and those that became worse."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from shared.eval_report import Example, Mode, Spoken
from trainer_job.evaluation.answering import rendered_of
from trainer_job.evaluation.prompts import Exam
from trainer_job.evaluation.scoring import Judged

EACH: Final = 4
_PLANS: Final = 3
_MOST_FINDINGS: Final = 12


def examples(mode: Mode, exams: Sequence[Exam], spoken: Mapping[str, Sequence[Judged]]) -> tuple[Example, ...]:
    """Return examples of each kind; `spoken` holds everybody's answers to the same messages, the student's first."""
    students = spoken["student"]
    bases = spoken.get("base", students)
    order = sorted(range(len(exams)), key=lambda place: students[place].worth, reverse=True)
    plans = [place for place in order if students[place].facts.get("strict_plan")]
    best = [place for place in order if students[place].facts["passed"] and place not in plans[:_PLANS]]
    worst = [place for place in reversed(order) if not students[place].facts["passed"]]
    worse = [place for place in worst if bases[place].facts["passed"]]
    chosen: dict[Literal["best", "worst", "regression", "plan"], list[int]] = {
        "plan": plans[:_PLANS],
        "best": best[:EACH],
        "worst": worst[:EACH],
        "regression": worse[:EACH],
    }
    return tuple(
        Example(
            kind=kind,
            query_id=exams[place].query.query_id,
            prompt_type=exams[place].query.prompt_type,
            mode=mode,
            slice_tags=exams[place].query.slice_tags,
            instruction=rendered_of(exams[place].query).user,
            answers={who: _spoken(answers[place]) for who, answers in spoken.items()},
        )
        for kind, places in chosen.items()
        for place in places
    )


def _spoken(judged: Judged) -> Spoken:
    return Spoken(text=judged.text, findings=judged.findings[:_MOST_FINDINGS])
