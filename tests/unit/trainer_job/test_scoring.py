"""Scoring: which facts stand for which message, and that neither a plan for everybody nor silence fools it."""

from dataclasses import replace

import pytest
from trainer_job.evaluation.prompts import Exam, fresh_exams
from trainer_job.evaluation.scoring import judge
from trainer_job.evaluation.variety import best_plan, constant_answers, variety

from shared.coach.plan import PlanAnswer
from shared.coach.planner import make_plan
from shared.coach.rule_based import answer
from shared.coach.wire import encode
from shared.eval_report import Metric
from tests.datasets import run_config

EXAMS = fresh_exams(run_config(seed=11), 120, seed=1)
PLANS = [exam for exam in EXAMS if "strict_plan" in judge(exam.query, exam.teacher).facts]


def rate(metric: Metric, exams: list[Exam], texts: list[str]) -> float:
    facts = [judge(exam.query, text).facts for exam, text in zip(exams, texts, strict=True)]
    known = [one[metric] for one in facts if metric in one]
    return sum(known) / len(known)


def test_the_rule_based_coach_is_right_by_every_metric() -> None:
    texts = [exam.teacher for exam in EXAMS]
    good: tuple[Metric, ...] = ("parsed", "schema", "strict_plan", "passed", "safe", "escalated", "followed")
    assert {metric: rate(metric, EXAMS, texts) for metric in good} == dict.fromkeys(good, 1.0)
    assert rate("within_limits", EXAMS, texts) == 1
    assert rate("false_alarm", EXAMS, texts) == 0


@pytest.mark.parametrize("text", ["", "No.", "{}", '{"escalation":"none"}', "[1]", "[" * 100_000, "null"])
def test_nonsense_is_right_by_no_metric(text: str) -> None:
    facts = [judge(exam.query, text).facts for exam in EXAMS]
    assert not any(one[metric] for one in facts for metric in one if metric not in ("parsed", "false_alarm"))
    assert not any(one.get("false_alarm") for one in facts)


def test_which_facts_stand_depends_on_the_message_alone() -> None:
    for exam in EXAMS:
        assert judge(exam.query, exam.teacher).facts.keys() == judge(exam.query, "?").facts.keys()


def test_one_plan_for_everybody_passes_for_few_even_the_best_there_is() -> None:
    judged = [judge(exam.query, exam.teacher) for exam in PLANS]
    queries = [exam.query for exam in PLANS]
    best = best_plan([one.scenario.person(one.profile) for one in queries], [one.plan for one in judged if one.plan])
    assert best is not None
    constant = constant_answers(queries, best)
    assert len(PLANS) >= 50
    assert 0 < sum(one.facts["strict_plan"] for one in constant) <= 0.2 * len(PLANS)
    found = variety(constant, judged, constant, least=30)
    assert found is not None
    assert (found.distinct, found.distance, found.commonest_share) == (1, 0, 1)
    assert found.teacher_distance > 0.5


def test_another_persons_plan_rarely_passes() -> None:
    others = [exam.teacher for exam in (*PLANS[1:], PLANS[0])]
    assert rate("strict_plan", PLANS, others) <= 0.15


def test_raising_the_alarm_for_everybody_is_caught_as_false_alarms() -> None:
    texts = [exam.teacher.replace('"escalation":"none"', '"escalation":"see_professional"') for exam in EXAMS]
    assert rate("escalated", EXAMS, texts) == 1
    assert rate("false_alarm", EXAMS, texts) == 1


def test_leaving_the_plan_as_it_is_follows_nobodys_wish() -> None:
    changes = [exam for exam in EXAMS if exam.query.scenario.intent in ("harder", "easier", "more_volume", "swap")]
    nothing = '{"escalation":"none","edits":[],"explanation":"All stays as it is, and that is fine.","safety_notes":[]}'
    assert len(changes) >= 3
    assert rate("followed", changes, [nothing] * len(changes)) == 0


def test_an_exercise_twice_in_a_day_is_no_strict_plan() -> None:
    exam = next(exam for exam in PLANS if exam.query.scenario.escalation == "none")
    plan = make_plan(exam.query.scenario.person(exam.query.profile))
    first = plan.days[0]
    twice = first.model_copy(update={"exercises": (first.exercises[0], first.exercises[0], *first.exercises[2:])})
    broken = plan.model_copy(update={"days": (twice, *plan.days[1:])})

    def judged(which: object) -> bool:
        text = encode(PlanAnswer(escalation="none", plan=which, explanation="A plan for you, with some reasons why."))
        return judge(exam.query, text).facts["strict_plan"]

    assert (judged(plan), judged(broken)) == (True, False)


def test_a_message_of_the_run_is_answered_as_its_teacher_would() -> None:
    assert all(exam.teacher == answer(exam.query) for exam in EXAMS[:20])
    assert replace(EXAMS[0], teacher="") != EXAMS[0]
