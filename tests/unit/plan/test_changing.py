import pytest

from services.plan.changing import EditedPlan, edited, rewritten, warnings
from services.plan.revising import diff
from shared.coach.editing import EditError
from shared.coach.plan import Add, Change, Move, PlanDay, PlannedExercise, Remove, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue
from shared.coach.vocabulary import WEEKDAYS
from shared.errors import Conflict, InvalidFields
from tests.people import person

PERSON = person()
PLAN = make_plan(PERSON)
DAY = PLAN.days[0]
FREE = next(day for day in WEEKDAYS if day not in {one.weekday for one in PLAN.days})
FRAIL = person(conditions=(HealthIssue(id="osteoporosis", severity="severe"),), age=67)


def line(exercise: str, **numbers: int) -> PlannedExercise:
    return PlannedExercise(**{"exercise": exercise, "sets": 3, "reps": 10, "rir": 2, "rest_s": 90} | numbers)


def with_day(*exercises: PlannedExercise) -> EditedPlan:
    return EditedPlan(name=PLAN.name, days=(PlanDay(weekday="mon", name="Mine", exercises=exercises), *PLAN.days[1:]))


def test_a_user_may_make_a_plan_odd_and_is_told_what_a_coach_would_change() -> None:
    plan = edited(PLAN, [Remove(day=DAY.weekday, why="-")], PERSON)
    assert len(plan.days) == 2
    assert "days_match" in {one.rule for one in warnings(plan, PERSON)}
    assert warnings(PLAN, PERSON) == ()


def test_days_may_come_in_any_order_and_stand_in_that_of_the_week() -> None:
    written = EditedPlan(name="Mine", days=PLAN.days[::-1])
    assert rewritten(PLAN, written, PERSON).days == PLAN.days


@pytest.mark.parametrize(
    ("exercises", "field"),
    [
        ((line("goblet-squat"), line("rain-dance")), "days.0.exercises.1.exercise"),
        ((line("goblet-squat"), line("goblet-squat")), "days.0.exercises.1.exercise"),
    ],
)
def test_what_is_no_plan_is_refused_by_its_field(exercises: tuple[PlannedExercise, ...], field: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        rewritten(PLAN, with_day(*exercises), PERSON)
    assert [where for where, _ in refused.value.fields] == [field]


def test_a_weekday_has_one_session() -> None:
    with pytest.raises(InvalidFields, match="a weekday stands there twice"):
        rewritten(PLAN, EditedPlan(name="Mine", days=(DAY, DAY)), PERSON)


def test_what_health_rules_out_cannot_be_written_in() -> None:
    plan = make_plan(FRAIL)
    with pytest.raises(Conflict, match=r"Box Jump.*ruled out"):
        edited(plan, [Add(day=plan.days[0].weekday, why="-", new=line("box-jump"))], FRAIL)


def test_a_plan_that_health_has_overtaken_can_still_be_made_better() -> None:
    """The person got ill after the plan was made: taking one bad exercise out must not fail over the others."""
    before = make_plan(person(user_id="x"), 1)
    worst = before.days[0].exercises[-1]
    after = edited(before, [Remove(day=before.days[0].weekday, why="-", exercise=worst.exercise)], FRAIL)
    assert worst.exercise not in {one.exercise for one in after.days[0].exercises}


def test_an_edit_that_cannot_be_done_says_which() -> None:
    with pytest.raises(EditError, match=r"edits\[1\]"):
        edited(PLAN, [Move(day=DAY.weekday, to=FREE, why="-"), Remove(day=DAY.weekday, why="-")], PERSON)


def test_equal_plans_do_not_differ() -> None:
    assert diff(PLAN, PLAN).days == ()


def test_a_difference_tells_days_exercises_and_numbers() -> None:
    first = DAY.exercises[0]
    after = edited(
        PLAN,
        [
            Change(op="sets", day=DAY.weekday, exercise=first.exercise, value=first.sets + 1, why="-"),
            Remove(day=DAY.weekday, exercise=DAY.exercises[1].exercise, why="-"),
            Move(day=PLAN.days[1].weekday, to=FREE, why="-"),
            Remove(day=PLAN.days[2].weekday, why="-"),
        ],
        PERSON,
    )
    told = {change.weekday: change for change in diff(PLAN, after).days}
    assert told[PLAN.days[1].weekday].moved_to == FREE
    assert told[PLAN.days[2].weekday].change == "removed"
    exercises = {one.exercise: one for one in told[DAY.weekday].exercises}
    assert exercises[first.exercise].numbers[0].model_dump() == {
        "field": "sets",
        "before": first.sets,
        "after": first.sets + 1,
    }
    assert exercises[DAY.exercises[1].exercise].change == "removed"
    assert FREE not in told


def test_a_difference_reads_the_same_backwards() -> None:
    after = WorkoutPlan(name="Other", goal=PLAN.goal, days=PLAN.days[:2])
    assert diff(PLAN, after).renamed == (PLAN.name, "Other")
    assert [change.change for change in diff(after, PLAN).days] == ["added"]
