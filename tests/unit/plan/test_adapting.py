import pytest

from services.plan import requests
from services.plan.adapting import adapt
from services.plan.answers import coached
from services.plan.requests import Known
from shared.coach.checker import check_plan
from shared.coach.comparing import Comparison
from shared.coach.editing import apply_edits
from shared.coach.plan import EditsAnswer
from shared.coach.planner import make_plan
from shared.coach.training_log import LiftTrend
from shared.coach.wishes import read_change
from shared.log_summary import LogSummary
from tests.people import person

PERSON = person()
PLAN = make_plan(PERSON)
LIFT = next(line.exercise for day in PLAN.days for line in day.exercises)
GOOD: dict[str, object] = {
    "weeks": 4,
    "planned_sessions": 12,
    "done_sessions": 11,
    "sets_per_week": 40.0,
    "avg_rir": 2.0,
    "lifts": (),
    "avg_sleep_h": 7.9,
    "avg_kcal": 2100,
    "weight_change_kg": 0.6,
}


def summary(**changes: object) -> LogSummary:
    return LogSummary.model_validate(GOOD | changes)


def lift(trend: str, last: float) -> LiftTrend:
    return LiftTrend(exercise=LIFT, first_e1rm_kg=60, last_e1rm_kg=last, trend=trend)


@pytest.mark.parametrize(
    ("changes", "intent"),
    [
        ({}, None),
        ({"done_sessions": 5}, "missed_sessions"),
        ({"avg_sleep_h": 5.8}, "fatigue"),
        ({"avg_sleep_h": 6.9}, "fatigue"),
        ({"avg_rir": 4.5}, "harder"),
        ({"avg_rir": 0.4}, "fatigue"),
        ({"rir_trend": {"first": 2.8, "last": 1.2}}, "fatigue"),
        ({"rir_trend": {"first": 0.5, "last": 4.5}}, "harder"),
        ({"avg_rir": 4.5, "rir_trend": {"first": 6.8, "last": 2.2}}, None),
        ({"avg_rir": 4.5, "rir_trend": {"first": 4.2, "last": 4.8}}, "harder"),
        ({"avg_rir": 0.4, "rir_trend": {"first": 0.3, "last": 0.5}}, "fatigue"),
        ({"lifts": (lift("improving", 66),)}, "improving"),
        ({"lifts": (lift("plateau", 60),)}, "plateau"),
        ({"lifts": (lift("declining", 55),)}, "plateau"),
        ({"lifts": (lift("improving", 66),), "avg_sleep_h": 5.5, "done_sessions": 4}, "fatigue"),
    ],
)
def test_the_gravest_signal_decides_what_is_asked(changes: dict[str, object], intent: str | None) -> None:
    found = adapt(PLAN, PERSON, summary(**changes))
    assert (found.scenario.intent if found.scenario else None) == intent


@pytest.mark.parametrize(
    "changes",
    [{"done_sessions": 5}, {"avg_sleep_h": 5.8}, {"avg_rir": 4.5}, {"lifts": (lift("plateau", 60),)}],
)
def test_the_rule_based_coach_turns_it_into_edits_that_fit_and_say_why(changes: dict[str, object]) -> None:
    log = summary(**changes)
    known = Known(PERSON, PLAN, log)
    request = requests.adaptation(adapt(PLAN, PERSON, log), known, "r1")
    assert request is not None
    answer = coached(request)
    assert isinstance(answer, EditsAnswer)
    assert answer.edits
    assert all(len(edit.why) > 10 for edit in answer.edits)
    assert check_plan(apply_edits(PLAN, answer.edits), request.person) == ()


def test_too_little_sleep_makes_the_week_easier() -> None:
    known = Known(PERSON, PLAN, summary(avg_sleep_h=5.5))
    request = requests.adaptation(adapt(PLAN, PERSON, known.summary), known, "r1")
    assert request is not None
    answer = coached(request)
    assert isinstance(answer, EditsAnswer)
    assert Comparison(PLAN, apply_edits(PLAN, answer.edits)).easier


def test_the_words_of_an_adaptation_mean_what_its_scenario_says() -> None:
    """A model reads the words, the checks go by the scenario."""
    for changes in ({"avg_sleep_h": 5.5}, {"done_sessions": 4}, {"lifts": (lift("improving", 66),)}):
        found = adapt(PLAN, PERSON, summary(**changes))
        assert found.scenario is not None
        assert read_change(found.words, PERSON, PLAN).intent == found.scenario.intent


def test_every_signal_says_what_was_seen_with_its_numbers_and_why() -> None:
    found = adapt(PLAN, PERSON, summary(lifts=(lift("improving", 66),)))
    assert {one.topic for one in found.signals} == {"adherence", "sleep", "effort", "lifts", "weight"}
    assert all(any(character.isdigit() for character in one.seen) and one.why for one in found.signals)


def test_losing_weight_too_quickly_is_told() -> None:
    found = adapt(PLAN, PERSON, summary(weight_change_kg=-5.0))
    assert "Eat a little more." in {one.suggestion for one in found.signals}


def test_without_a_log_there_is_nothing_to_adapt() -> None:
    assert adapt(PLAN, PERSON, None).signals == ()
    assert adapt(PLAN, PERSON, summary(planned_sessions=0, done_sessions=0)).scenario is None
