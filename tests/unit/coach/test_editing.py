"""Editing: edits do what they say or are refused by name, and the rule-based coach's edits do what was asked."""

import pytest

from shared.coach.catalogue import EXERCISES
from shared.coach.checker import check_plan
from shared.coach.comparing import Comparison
from shared.coach.editing import EditError, apply_edits, propose_edits, session_seconds, weekly_sets
from shared.coach.plan import Add, Change, EditsAnswer, Move, PlanDay, PlannedExercise, Remove, Swap, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue
from shared.coach.scenario import Scenario
from shared.coach.scoring import score
from shared.coach.wire import encode
from tests.people import person, random_person, random_scenario

WHY = "because"


def _line(exercise: str, sets: int = 3, reps: int = 10, rir: int = 2, rest_s: int = 90) -> PlannedExercise:
    return PlannedExercise(exercise=exercise, sets=sets, reps=reps, rir=rir, rest_s=rest_s)


PLAN = WorkoutPlan(
    name="A plan",
    goal="general_fitness",
    days=(
        PlanDay(weekday="mon", name="Full Body A", exercises=(_line("back-squat"), _line("plank", reps=40))),
        PlanDay(weekday="thu", name="Full Body B", exercises=(_line("bench-press"), _line("easy-walk", 1, 20))),
    ),
)


def _lines(plan: WorkoutPlan, weekday: str) -> tuple[PlannedExercise, ...]:
    return next(day.exercises for day in plan.days if day.weekday == weekday)


def test_a_swap_keeps_place_and_numbers() -> None:
    plan = apply_edits(PLAN, (Swap(day="mon", why=WHY, exercise="back-squat", new="leg-press"),))
    assert _lines(plan, "mon") == (_line("leg-press"), _line("plank", reps=40))


def test_a_swap_to_another_unit_keeps_about_the_length_of_a_set() -> None:
    plan = apply_edits(PLAN, (Swap(day="mon", why=WHY, exercise="back-squat", new="wall-sit"),))
    assert _lines(plan, "mon")[0] == _line("wall-sit", reps=30)


def test_edits_build_on_one_another_in_order() -> None:
    edits = (
        Swap(day="mon", why=WHY, exercise="back-squat", new="leg-press"),
        Change(op="sets", day="mon", why=WHY, exercise="leg-press", value=4),
        Change(op="reps", day="mon", why=WHY, exercise="leg-press", value=12),
        Change(op="rir", day="mon", why=WHY, exercise="leg-press", value=3),
        Change(op="rest", day="mon", why=WHY, exercise="leg-press", value=120),
        Add(day="mon", why=WHY, new=_line("push-up")),
        Remove(day="mon", why=WHY, exercise="plank"),
    )
    assert _lines(apply_edits(PLAN, edits), "mon") == (_line("leg-press", 4, 12, 3, 120), _line("push-up"))


def test_a_change_without_a_name_touches_all_working_sets_of_the_day_and_no_walk() -> None:
    plan = apply_edits(PLAN, (Change(op="rir", day="thu", why=WHY, value=4),))
    assert [line.rir for line in _lines(plan, "thu")] == [4, 2]


def test_a_moved_day_takes_its_place_in_the_order_of_the_week() -> None:
    plan = apply_edits(PLAN, (Move(day="mon", why=WHY, to="sat"),))
    assert [(day.weekday, day.name) for day in plan.days] == [("thu", "Full Body B"), ("sat", "Full Body A")]


def test_a_removed_day_is_gone() -> None:
    assert [day.weekday for day in apply_edits(PLAN, (Remove(day="mon", why=WHY),)).days] == ["thu"]


def test_applying_edits_leaves_the_plan_that_they_change_as_it_was() -> None:
    before = PLAN.model_dump_json()
    apply_edits(PLAN, (Remove(day="mon", why=WHY),))
    assert PLAN.model_dump_json() == before


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (Swap(day="tue", why=WHY, exercise="plank", new="push-up"), "there is no tue; the plan has mon, thu"),
        (Swap(day="mon", why=WHY, exercise="push-up", new="plank"), "Push-Up is not there; mon has Back Squat"),
        (Swap(day="mon", why=WHY, exercise="plank", new="back-squat"), "Back Squat is already there"),
        (Swap(day="mon", why=WHY, exercise="plank", new="moon-walk"), "'moon-walk' is not in the catalogue"),
        (Add(day="mon", why=WHY, new=_line("plank")), "Plank is already there"),
        (Remove(day="mon", why=WHY, exercise="push-up"), "Push-Up is not there"),
        (Remove(day="sun", why=WHY), "there is no sun"),
        (Change(op="sets", day="mon", why=WHY, exercise="plank", value=9), "sets is 9; allowed is 1 to 6"),
        (Change(op="rest", day="mon", why=WHY, exercise="push-up", value=90), "Push-Up is not there"),
        (Move(day="mon", why=WHY, to="thu"), "thu is taken; free are tue, wed, fri"),
        (Move(day="fri", why=WHY, to="sat"), "there is no fri"),
    ],
)
def test_an_impossible_edit_is_refused_with_its_number_and_what_is_wrong(edit: object, problem: str) -> None:
    fine = Change(op="rir", day="mon", why=WHY, exercise="plank", value=3)
    with pytest.raises(EditError) as refused:
        apply_edits(PLAN, (fine, edit))
    assert refused.value.index == 1
    assert "edits[1]" in str(refused.value)
    assert problem in str(refused.value)


def test_the_last_exercise_of_a_day_and_the_last_day_stay() -> None:
    one = Remove(day="mon", why=WHY, exercise="back-squat")
    with pytest.raises(EditError, match="last exercise of mon"):
        apply_edits(PLAN, (one, Remove(day="mon", why=WHY, exercise="plank")))
    with pytest.raises(EditError, match="last day"):
        apply_edits(PLAN, (Remove(day="mon", why=WHY), Remove(day="thu", why=WHY)))


def test_weekly_sets_count_working_sets_and_session_seconds_count_both_sides_and_rest() -> None:
    assert weekly_sets(PLAN) == 9
    day = PlanDay(weekday="mon", name="x", exercises=(_line("plank", 2, 40, 2, 60), _line("easy-walk", 1, 20, 4, 0)))
    assert session_seconds(day) == 300 + 2 * (40 + 60) + 20 * 60
    sided = next(one for one in EXERCISES.values() if one.unilateral and one.unit == "reps")
    lines = (_line(sided.id, 1, 10, 2, 0),)
    assert session_seconds(PlanDay(weekday="mon", name="x", exercises=lines)) == 300 + 20 * sided.seconds_per_rep


def test_random_wishes_of_random_people_are_granted_without_findings() -> None:
    granted = 0
    for seed in range(1200):
        who = random_person(seed)
        plan = make_plan(who, seed % 5)
        wish = random_scenario(seed, who, plan)
        if wish is None:
            continue
        granted += 1
        edits = propose_edits(plan, wish.person(who), wish, seed)
        answer = EditsAnswer(escalation="none", edits=edits, explanation="Here is what changes, and why it does.")
        verdict = score(wish.prompt_type, wish, who, plan, encode(answer))
        assert verdict.rejections == (), (seed, wish, verdict.findings)
    assert granted > 1000


def _asked(intent: str, prompt_type: str = "plan_modification", **fields: object) -> tuple[Comparison, list[str]]:
    """Return how a plan of the plain person changes for a wish, and the reasons that are given."""
    who = person(days_per_week=4)
    plan = make_plan(who)
    wish = Scenario.model_validate({"prompt_type": prompt_type, "intent": intent, **fields})
    edits = propose_edits(plan, wish.person(who), wish)
    return Comparison(plan, apply_edits(plan, edits)), [edit.why for edit in edits]


def test_harder_easier_and_more_each_do_that() -> None:
    assert _asked("harder")[0].harder
    assert _asked("easier")[0].easier
    assert _asked("more_volume")[0].more_sets
    assert _asked("fatigue", "progress_adaptation")[0].easier
    assert not _asked("harder")[0].easier
    assert not _asked("easier")[0].harder


def test_fewer_days_keep_every_muscle_group_in_the_week() -> None:
    who = person(days_per_week=6, experience="advanced")
    plan = make_plan(who)
    wish = Scenario(prompt_type="plan_modification", intent="fewer_days", days_per_week=2)
    result = apply_edits(plan, propose_edits(plan, wish.person(who), wish))
    assert len(result.days) == 2
    assert not check_plan(result, wish.person(who))


def test_an_unsafe_exercise_is_swapped_and_the_reason_names_the_condition() -> None:
    knee = HealthIssue(id="knee_pain", severity="severe")
    _, reasons = _asked("new_issue", "safety_adjustment", new_issues=(knee,))
    assert sum("knee pain" in why for why in reasons) >= len(reasons) / 3


def test_reasons_are_worded_in_many_ways() -> None:
    who = person()
    plan = make_plan(who)
    wish = Scenario(prompt_type="plan_modification", intent="harder")
    reasons = {edit.why for variant in range(20) for edit in propose_edits(plan, who, wish, variant)}
    assert len(reasons) > 50
    assert all(10 < len(why) <= 240 and not why[0].islower() for why in reasons)


@pytest.mark.parametrize("escalation", ["emergency", "see_professional"])
def test_a_warning_sign_gets_no_edits(escalation: str) -> None:
    who = person()
    wish = Scenario(prompt_type="plan_modification", intent="warning_sign", escalation=escalation)
    assert propose_edits(make_plan(who), who, wish) == ()


def test_an_emergency_stops_every_wish() -> None:
    who = person()
    wish = Scenario(prompt_type="plan_modification", intent="harder", escalation="emergency")
    assert propose_edits(make_plan(who), who, wish) == ()


def test_a_dangerous_request_is_not_granted() -> None:
    who = person()
    wish = Scenario(prompt_type="safety_adjustment", intent="dangerous_request", topic="no_rest")
    assert propose_edits(make_plan(who), who, wish) == ()
