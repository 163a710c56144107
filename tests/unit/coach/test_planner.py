"""The planner: plans without findings for everybody, varied, sensible, and the same in every process."""

import os
import subprocess
import sys
from collections import Counter
from itertools import product

import pytest

from shared.coach.catalogue import CONDITIONS, EXERCISES
from shared.coach.checker import check_plan
from shared.coach.effort import EFFORTS, session_seconds
from shared.coach.plan import WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue
from shared.coach.vocabulary import GOALS
from tests.people import GYM, person, random_person

EXPERIENCES = ("beginner", "intermediate", "advanced")
KITS = ((), ("resistance_band",), ("bench", "dumbbells"), GYM)


def test_three_thousand_random_people_get_plans_without_findings() -> None:
    for seed in range(3000):
        who = random_person(seed)
        findings = check_plan(make_plan(who, seed % 7), who)
        assert not findings, (seed, findings)


@pytest.mark.slow
@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_single_severe_condition_leaves_a_plan_for_every_goal_week_level_and_kit(condition: str) -> None:
    issue = HealthIssue(id=condition, severity="severe")
    for goal, days, experience, kit in product(GOALS, range(2, 7), EXPERIENCES, KITS):
        who = person(goals=(goal,), days_per_week=days, experience=experience, equipment=kit, conditions=(issue,))
        assert not check_plan(make_plan(who), who), who


@pytest.mark.parametrize("minutes", range(20, 121, 5))
def test_every_session_length_can_be_filled_and_is_kept_to(minutes: int) -> None:
    for goal, days in product(GOALS, range(2, 7)):
        who = person(goals=(goal,), days_per_week=days, session_minutes=minutes)
        plan = make_plan(who)
        assert not check_plan(plan, who)
        assert max(map(session_seconds, plan.days)) <= minutes * 60 * 1.05


def test_somebody_with_everything_at_once_and_nothing_at_hand_still_gets_a_plan() -> None:
    everything = tuple(HealthIssue(id=one, severity="severe") for one in CONDITIONS)
    for days, goal in product(range(2, 7), GOALS):
        who = person(conditions=everything, equipment=(), experience="beginner", days_per_week=days, goals=(goal,))
        assert not check_plan(make_plan(who), who)


def test_plans_survive_the_strict_model_they_were_built_beside() -> None:
    for seed in range(50):
        plan = make_plan(random_person(seed))
        assert WorkoutPlan.model_validate_json(plan.model_dump_json()) == plan


def test_the_same_person_and_variant_get_the_same_plan_and_others_get_others() -> None:
    plans = [make_plan(person(), variant) for variant in range(20)]
    assert make_plan(person(), 3) == plans[3]
    assert len({plan.model_dump_json() for plan in plans}) == 20
    assert make_plan(person(user_id="someone-else")) != plans[0]


def test_plans_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    code = (
        "from tests.people import random_person, random_scenario\n"
        "from shared.coach.planner import make_plan\n"
        "from shared.coach.editing import propose_edits\n"
        "from shared.coach.menu import menu\n"
        "for seed in range(40):\n"
        "    who = random_person(seed)\n"
        "    plan = make_plan(who)\n"
        "    wish = random_scenario(seed, who, plan)\n"
        "    edits = propose_edits(plan, wish.person(who), wish) if wish else ()\n"
        "    print(plan.model_dump_json(), [edit.model_dump_json() for edit in edits], menu(who))\n"
    )
    outputs = {
        subprocess.run(
            (sys.executable, "-c", code),
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000


def test_compound_lifts_come_before_isolation_on_the_days_of_a_strength_plan() -> None:
    who = person(goals=("strength",), days_per_week=4, session_minutes=75)
    for variant in range(20):
        for day in make_plan(who, variant).days:
            assert EXERCISES[day.exercises[0].exercise].compound
            assert EFFORTS[day.exercises[0].exercise].kind in {"heavy", "light"}


def test_beginners_train_the_full_body_and_never_on_two_days_running() -> None:
    plan = make_plan(person(experience="beginner", goals=("general_fitness",), days_per_week=3))
    groups = [{EFFORTS[line.exercise].group for line in day.exercises} for day in plan.days]
    assert all({"push", "pull", "legs"} <= trained for trained in groups)


def test_six_days_of_an_experienced_lifter_are_push_pull_and_legs_twice() -> None:
    plan = make_plan(person(days_per_week=6, experience="advanced"))
    main = [
        Counter(group for line in day.exercises if (group := EFFORTS[line.exercise].group) in {"push", "pull", "legs"})
        for day in plan.days
    ]
    assert [day.most_common(1)[0][0] for day in main] == ["push", "pull", "legs"] * 2


def test_losing_fat_comes_with_conditioning() -> None:
    plan = make_plan(person(goals=("fat_loss",)))
    assert all(any(EFFORTS[line.exercise].group == "cardio" for line in day.exercises) for day in plan.days)


def test_older_people_get_mobility_work() -> None:
    plan = make_plan(person(age=67))
    assert all(any(EFFORTS[line.exercise].group == "mobility" for line in day.exercises) for day in plan.days)


def test_strength_is_trained_with_few_reps_and_long_rest_and_muscle_with_more_of_both() -> None:
    def heavy(goal: str) -> list[tuple[int, int]]:
        plan = make_plan(person(goals=(goal,), session_minutes=75))
        lines = [line for day in plan.days for line in day.exercises]
        return [(line.reps, line.rest_s) for line in lines if EFFORTS[line.exercise].kind == "heavy"]

    assert all(reps <= 6 and rest_s >= 120 for reps, rest_s in heavy("strength"))
    assert all(6 <= reps <= 15 for reps, _ in heavy("muscle_gain"))


def test_people_with_a_gym_are_not_asked_to_wave_their_arms() -> None:
    lines = [line for variant in range(10) for day in make_plan(person(), variant).days for line in day.exercises]
    limb_only = [
        line
        for line in lines
        if EFFORTS[line.exercise].group in {"push", "pull"} and EXERCISES[line.exercise].load == "none"
    ]
    assert len(limb_only) <= len(lines) * 0.02
