import re
from datetime import date
from functools import cache

import pytest

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, MEDICATIONS
from shared.coach.plan import WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue, Medication, UserProfile
from shared.coach.training_log import LiftTrend, TrainingSummary
from shared.coach.vocabulary import PROMPT_TYPES, PromptType
from shared.prompt import render, summary_line
from shared.run_config import RunConfig
from shared.synthetic.people.draw import draw_profile

CONFIG = RunConfig(name="prompts", seed=3, as_of_date=date(2026, 2, 1), users=500, shards=1)
CHARS_PER_TOKEN = 3.5
REQUEST = "Could you make my plan a bit harder? " * 8
SUMMARY = TrainingSummary(
    weeks=8,
    planned_sessions=24,
    done_sessions=20,
    sets_per_week=61.5,
    avg_rir=1.9,
    lifts=(
        LiftTrend(exercise="back-squat", first_e1rm_kg=95.0, last_e1rm_kg=102.5, trend="improving"),
        LiftTrend(exercise="bench-press", first_e1rm_kg=70.0, last_e1rm_kg=70.4, trend="plateau"),
    ),
    avg_sleep_h=6.9,
    avg_kcal=2150,
    weight_change_kg=-1.2,
)


@cache
def people() -> tuple[tuple[UserProfile, WorkoutPlan], ...]:
    drawn = (draw_profile(CONFIG, index) for index in range(CONFIG.users))
    return tuple((person, make_plan(person, 1)) for person in drawn)


def asked(prompt_type: PromptType, person: UserProfile, plan: WorkoutPlan) -> str:
    about_plan = prompt_type not in ("plan_creation", "coach_chat")
    summary = None if prompt_type == "plan_creation" else SUMMARY
    return render(prompt_type, person, REQUEST, plan if about_plan else None, summary).user


@pytest.mark.parametrize("prompt_type", PROMPT_TYPES)
def test_no_prompt_of_500_people_is_longer_than_1600_tokens(prompt_type: PromptType) -> None:
    system = render(prompt_type, people()[0][0], "", None, None).system
    longest = max(len(asked(prompt_type, person, plan)) for person, plan in people())
    assert (len(system) + longest) / CHARS_PER_TOKEN < 1600
    assert len(system) / CHARS_PER_TOKEN <= 270


def test_prompts_are_clean_text() -> None:
    for person, plan in people()[:200]:
        text = "".join(render("safety_adjustment", person, REQUEST, plan, SUMMARY))
        assert not re.search("  |\ufffd|â€|None|\n\n| \n|<|{}", text.replace(REQUEST, ""))


def test_prompts_name_nobody() -> None:
    for person, plan in people():
        text = asked("plan_modification", person, plan)
        assert person.user_id not in text
        assert person.name not in text
        assert str(person.birth_date) not in text


def test_equal_arguments_render_equal_prompts() -> None:
    person, plan = people()[0]
    copy = UserProfile.model_validate_json(person.model_dump_json())
    assert render("plan_creation", copy, "Hi", plan, SUMMARY) == render("plan_creation", person, "Hi", plan, SUMMARY)


def test_all_that_a_coach_would_ask_is_in_the_prompt() -> None:
    person = people()[0][0].model_copy(
        update={
            "age": 47,
            "sex": "female",
            "height_cm": 168.5,
            "weight_kg": 72.4,
            "goals": ("fat_loss", "strength"),
            "experience": "intermediate",
            "activity_level": "lightly_active",
            "days_per_week": 3,
            "session_minutes": 45,
            "equipment": ("bench", "dumbbells"),
            "injuries": (HealthIssue(id="knee_pain", severity="severe"),),
            "conditions": (HealthIssue(id="hypertension", severity="mild"),),
            "medications": (Medication(id="beta_blocker", dose="5 mg", frequency="once daily"),),
            "allergies": ("peanuts",),
        }
    )
    text = render("plan_creation", person, "A plan please", None, None).user
    for told in (
        "47 years", "female", "168.5 cm", "72.4 kg", "Goal: fat loss, then strength", "intermediate", "lightly active",
        "3 days a week", "45 minutes", "weight bench, dumbbells", f"{CONDITIONS['knee_pain'].name} (severe)",
        f"{CONDITIONS['hypertension'].name} (mild)", f"{MEDICATIONS['beta_blocker'].name} 5 mg once daily", "peanuts",
        "Limits: ", "RIR at least", "Menu:", "Message: A plan please",
    ):  # fmt: skip
        assert told in text
    assert text.endswith("Message: A plan please")


def test_no_two_fields_of_a_profile_render_alike() -> None:
    person = people()[0][0]
    changes = {
        "age": person.age + 1,
        "sex": "other",
        "height_cm": person.height_cm + 1,
        "weight_kg": person.weight_kg + 1,
        "goals": (*person.goals[1:], person.goals[0], "general_fitness"),
        "activity_level": "sedentary" if person.activity_level != "sedentary" else "very_active",
        "experience": "beginner" if person.experience != "beginner" else "advanced",
        "days_per_week": person.days_per_week % 5 + 2,
        "session_minutes": person.session_minutes - 5,
        "equipment": ("kettlebell",),
        "injuries": (HealthIssue(id="neck_pain"),),
        "conditions": (HealthIssue(id="asthma"),),
        "medications": (Medication(id="insulin", dose="10 units", frequency="at meals"),),
        "allergies": ("latex",),
    }
    plain = render("plan_creation", person, "", None, None).user
    same = [
        field
        for field, value in changes.items()
        if render("plan_creation", person.model_copy(update={field: value}), "", None, None).user == plain
    ]
    assert same == []


def test_a_well_equipped_gym_is_told_by_what_it_lacks() -> None:
    kinds = tuple(sorted(kind for kind in EQUIPMENT if kind not in ("landmine", "dumbbells")))
    person = people()[0][0].model_copy(update={"equipment": kinds})
    equipment = re.search("Equipment: (.*)", render("coach_chat", person, "", None, None).user)
    assert equipment is not None
    assert equipment[1].startswith("full gym without landmine;")
    assert "dumbbells" not in equipment[1]


def test_plan_and_log_stand_in_the_prompt_only_where_they_are_given() -> None:
    person, plan = people()[0]
    with_both = asked("progress_adaptation", person, plan)
    without = render("plan_creation", person, REQUEST, None, None).user
    assert f"Plan: {plan.name}\n{plan.days[0].weekday} " in with_both
    assert "Log: 8 weeks" in with_both
    assert "Plan:" not in without
    assert "Log:" not in without


def test_chat_has_no_menu_but_energy_and_sleep_needs() -> None:
    person, plan = people()[0]
    text = render("coach_chat", person, "Hi", None, SUMMARY).user
    assert "Menu:" not in text
    assert f"{person.maintenance_kcal} kcal" in text
    assert "Menu:" in asked("plan_modification", person, plan)


def test_a_summary_is_one_line_with_units() -> None:
    assert summary_line(SUMMARY) == (
        "8 weeks; 20 of 24 sessions done; 61.5 sets a week; average RIR 1.9; "
        "estimated 1RM Back Squat 95 to 102.5 kg (improving), Bench Press 70 to 70.4 kg (plateau); "
        "sleep 6.9 h; 2150 kcal a day; weight -1.2 kg"
    )


def test_what_was_never_logged_is_left_out_of_the_summary() -> None:
    nothing = {"avg_rir": None, "lifts": (), "avg_sleep_h": None, "avg_kcal": None, "weight_change_kg": None}
    assert summary_line(SUMMARY.model_copy(update=nothing)) == "8 weeks; 20 of 24 sessions done; 61.5 sets a week"
