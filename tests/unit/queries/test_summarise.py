from datetime import date, timedelta

from shared.coach.plan import PlanDay, PlannedExercise, WorkoutPlan
from shared.coach.summarise import estimated_1rm_kg, summarise
from shared.coach.training_log import DailyLog, LoggedExercise, LogLine, PersonLog, Session, Weighing
from tests.logs import as_read

START = date(2026, 1, 1)
PLAN = WorkoutPlan(
    name="Strength",
    goal="strength",
    days=(
        PlanDay(
            weekday="mon",
            name="Full Body",
            exercises=(PlannedExercise(exercise="back-squat", sets=3, reps=5, rir=2, rest_s=180),),
        ),
    ),
)


def log(loads: list[float], exercise: str = "back-squat") -> LogLine:
    sessions = tuple(
        Session(
            on=START + timedelta(days=7 * week),
            day="Full Body",
            minutes=40,
            exercises=(LoggedExercise(exercise=exercise, sets=((load, 5, 2), (load - 5, 5, 3))),),
        )
        for week, load in enumerate(loads)
    )
    daily = (DailyLog(on=START, kcal=2000, sleep_h=7.0), DailyLog(on=START, kcal=2101, sleep_h=8.0))
    end = START + timedelta(days=7 * len(loads) - 1)
    weighings = (Weighing(on=START, weight_kg=80.0), Weighing(on=end, weight_kg=78.8))
    return as_read(
        PersonLog(user_id="u", plan=PLAN, planned_sessions=8, sessions=sessions, daily=daily, weighings=weighings)
    )


def test_one_rep_max_counts_the_reps_left_in_reserve() -> None:
    assert estimated_1rm_kg((100.0, 4, 2)) == 120.0


def test_rising_loads_are_an_improving_lift() -> None:
    (lift,) = summarise(log([80, 82.5, 85, 87.5, 90, 95])).lifts
    assert (lift.exercise, lift.trend) == ("back-squat", "improving")
    assert lift.first_e1rm_kg < lift.last_e1rm_kg


def test_equal_loads_are_a_plateau_and_falling_ones_decline() -> None:
    assert summarise(log([80] * 6)).lifts[0].trend == "plateau"
    assert summarise(log([80, 80, 78, 76, 74, 72])).lifts[0].trend == "declining"


def test_a_lift_done_twice_has_no_trend() -> None:
    assert summarise(log([80, 90])).lifts == ()


def test_what_has_no_load_or_is_held_for_time_has_no_one_rep_max() -> None:
    assert summarise(log([5] * 6, exercise="push-up")).lifts == ()
    assert summarise(log([20] * 6, exercise="farmer-carry")).lifts == ()


def test_numbers_are_those_of_the_log() -> None:
    summary = summarise(log([80] * 4))
    assert (summary.weeks, summary.done_sessions, summary.planned_sessions) == (4, 4, 8)
    assert (summary.sets_per_week, summary.avg_rir) == (2.0, 2.5)
    assert (summary.avg_sleep_h, summary.avg_kcal, summary.weight_change_kg) == (7.5, 2050, -1.2)


def test_an_empty_log_is_summarised_without_numbers() -> None:
    idle = PersonLog(user_id="u", plan=PLAN, planned_sessions=0, sessions=(), daily=(), weighings=())
    summary = summarise(as_read(idle))
    assert (summary.weeks, summary.sets_per_week, summary.lifts) == (1, 0.0, ())
    assert (summary.avg_rir, summary.avg_sleep_h, summary.avg_kcal, summary.weight_change_kg) == (None,) * 4
