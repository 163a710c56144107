"""The checker: every rule fires by itself, says where and what is allowed, and leaves good plans alone."""

import pytest

from shared.coach.checker import RULES, check_plan
from shared.coach.focus import broken_promise
from shared.coach.plan import PlanDay, PlannedExercise, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue
from tests.people import person
from tests.plan_faults import FAULTS


@pytest.mark.parametrize("rule", RULES)
def test_a_plan_that_breaks_one_rule_has_findings_of_that_rule_alone(rule: str) -> None:
    plan, who = FAULTS[rule]()
    assert {finding.rule for finding in check_plan(plan, who)} == {rule}


@pytest.mark.parametrize("rule", RULES)
def test_a_finding_says_where_and_in_words_what_is_wrong(rule: str) -> None:
    plan, who = FAULTS[rule]()
    finding = check_plan(plan, who)[0]
    assert finding.where
    assert len(finding.message) > 15


def test_a_finding_about_a_number_names_the_number_and_what_is_allowed() -> None:
    plan, who = FAULTS["rest_bounds"]()
    (finding,) = check_plan(plan, who)
    assert "10 s of rest; allowed is 45 to 300" in finding.message
    assert finding.where.startswith(plan.days[0].weekday)


def test_a_severe_condition_shortens_the_session_that_is_allowed() -> None:
    healthy = person(session_minutes=90)
    ill = person(session_minutes=90, conditions=(HealthIssue(id="heart_failure", severity="severe"),))
    assert "session_time" in {finding.rule for finding in check_plan(make_plan(healthy), ill)}


def test_an_empty_push_day_is_found_even_when_its_name_holds_other_words() -> None:
    assert broken_promise("Push (offset grip)", {"core": 6, "mobility": 2}) is not None


@pytest.mark.parametrize(
    ("name", "sets", "kept"),
    [
        ("Push A", {"push": 12, "core": 3}, True),
        ("Push A", {"push": 6, "legs": 6}, False),
        ("Upper Body", {"push": 6, "pull": 6}, True),
        ("Lower Body", {"push": 6, "legs": 6}, False),
        ("Full Body", {"push": 9, "pull": 9}, False),
        ("Full-Body Conditioning", {"push": 3, "legs": 3, "cardio": 4}, True),
        ("Core and Cardio", {"core": 4, "cardio": 4}, True),
        ("Mobility", {"mobility": 6, "cardio": 4}, True),
        ("Mobility", {"legs": 6}, False),
        ("Monday Session", {"legs": 6}, True),
        ("Pullman's Workout", {"legs": 6}, True),
    ],
)
def test_a_day_keeps_what_the_whole_words_of_its_name_promise(name: str, sets: dict, kept: bool) -> None:
    assert (broken_promise(name, sets) is None) == kept


def test_two_hard_days_running_are_found_across_the_end_of_the_week() -> None:
    lines = tuple(
        PlannedExercise(exercise=one, sets=4, reps=8, rir=2, rest_s=120)
        for one in ("back-squat", "bench-press", "barbell-row", "overhead-press")
    )
    days = tuple(PlanDay(weekday=day, name="Full Body", exercises=lines) for day in ("mon", "sun"))
    plan = WorkoutPlan(name="x", goal="muscle_gain", days=days)
    found = [finding for finding in check_plan(plan, person(days_per_week=2)) if finding.rule == "recovery"]
    assert {finding.where for finding in found} == {"sun / mon"}
