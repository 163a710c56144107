"""Variety: whether different people get different plans, and what a single plan for everybody would be worth.

A model that learned one good plan by heart passes for everybody whom it happens to fit. So the plan that does
best when everybody gets it is scored with the same rules: what a model passes beyond that, it owes to having
read the prompt. Tried are the rule-based coach's plans for the same people, and those that the model gives to
several.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, starmap
from typing import Final

from shared.coach.checker import check_plan
from shared.coach.plan import PlanAnswer, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.wire import encode
from shared.eval_report import Variety
from shared.records import Query
from trainer_job.evaluation.grouping import rate_of
from trainer_job.evaluation.scoring import Judged, judge

_COMMONEST: Final = 5
_EXPLAINED: Final = "The same plan for everybody, whoever asks and whatever they may do, need or have at hand."


def best_plan(people: Sequence[UserProfile], plans: Sequence[WorkoutPlan]) -> WorkoutPlan | None:
    """Return the plan that is right for most of some people; None where there is none."""
    different = list({_content(plan): plan for plan in plans}.values())
    return max(different, key=lambda plan: sum(not check_plan(plan, person) for person in people), default=None)


def repeated(plans: Sequence[WorkoutPlan]) -> list[WorkoutPlan]:
    """Return the plans that several people get, the commonest first, a few at most."""
    times = Counter(map(_content, plans))
    held = {_content(plan): plan for plan in plans}
    return [held[content] for content, count in times.most_common(_COMMONEST) if count > 1]


def constant_answers(queries: Sequence[Query], plan: WorkoutPlan) -> list[Judged]:
    """Return what is thought of a coach who gives everybody the same plan."""
    return [judge(query, _text(plan)) for query in queries]


def variety(
    ours: Sequence[Judged], teachers: Sequence[Judged], constant: Sequence[Judged], least: int
) -> Variety | None:
    """Return how much the plans differ between people; None where fewer than two answers hold one."""
    plans = [one.plan for one in ours if one.plan is not None]
    if len(plans) < 2:
        return None
    same = Counter(map(_content, plans))
    return Variety(
        plans=len(plans),
        distinct=len(same),
        commonest_share=max(same.values()) / len(plans),
        distance=_distance(plans),
        teacher_distance=_distance([one.plan for one in teachers if one.plan is not None]),
        constant_pass=rate_of([one.facts["strict_plan"] for one in constant], least),
    )


def _distance(plans: Sequence[WorkoutPlan]) -> float:
    """Return the mean Jaccard distance between the exercises of two plans."""
    exercises = [frozenset(line.exercise for day in plan.days for line in day.exercises) for plan in plans]
    pairs = list(combinations(exercises, 2))
    return sum(starmap(lambda a, b: 1 - len(a & b) / len(a | b), pairs)) / len(pairs) if pairs else 0.0


def _content(plan: WorkoutPlan) -> str:
    """Return all of a plan but what it is called."""
    return repr([(day.weekday, day.exercises) for day in plan.days])


def _text(plan: WorkoutPlan) -> str:
    return encode(PlanAnswer(escalation="none", plan=plan, explanation=_EXPLAINED, safety_notes=()))
