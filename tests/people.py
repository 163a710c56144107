"""People and wishes for tests: one plain person, and random ones that cover every corner of a profile."""

from collections.abc import Sequence
from datetime import date
from random import Random

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, MEDICATIONS
from shared.coach.checker import check_plan
from shared.coach.editing import apply_edits
from shared.coach.plan import Move, WorkoutPlan
from shared.coach.profile import HealthIssue, Medication, UserProfile
from shared.coach.scenario import Intent, Scenario
from shared.coach.vocabulary import GOALS, WEEKDAYS, PromptType

GYM = tuple(sorted(EQUIPMENT))
SEVERITIES = ("mild", "moderate", "severe")
INTENTS: dict[PromptType, tuple[Intent, ...]] = {
    "plan_modification": (
        *("harder", "easier", "more_volume", "shorter"),
        *("fewer_days", "swap", "move_day", "other_equipment"),
    ),
    "safety_adjustment": ("new_issue", "new_medication", "flare_up", "dangerous_request"),
    "progress_adaptation": ("plateau", "improving", "fatigue", "missed_sessions"),
}


def person(**changes: object) -> UserProfile:
    """Return a healthy person with a gym, three hours a week, and whatever is changed."""
    plain: dict[str, object] = {
        "user_id": "someone",
        "name": "Some One",
        "birth_date": date(1990, 5, 4),
        "age": 35,
        "sex": "female",
        "height_cm": 168,
        "weight_kg": 66,
        "goals": ("muscle_gain",),
        "activity_level": "moderately_active",
        "experience": "intermediate",
        "days_per_week": 3,
        "session_minutes": 60,
        "equipment": GYM,
        "maintenance_kcal": 2100,
        "sleep_target_h": 8,
        "member_since": date(2024, 1, 1),
    }
    return UserProfile.model_validate(plain | changes)


def random_person(seed: int) -> UserProfile:
    """Return anybody at all, however unlucky: up to six conditions and three medications at once."""
    rng = Random(f"people:{seed}")
    issues = rng.sample(sorted(CONDITIONS), rng.choice((0, 0, 0, 1, 1, 2, 3, 6)))
    kit = rng.sample(GYM, rng.choice((0, 0, 1, 2, 3, 5, 8, 15, len(GYM))))
    medications = rng.sample(sorted(MEDICATIONS), rng.choice((0, 0, 0, 1, 3)))
    return person(
        user_id=f"someone-{seed}",
        age=rng.randint(18, 90),
        goals=(rng.choice(GOALS),),
        experience=rng.choice(("beginner", "intermediate", "advanced")),
        days_per_week=rng.randint(2, 6),
        session_minutes=rng.randrange(20, 121, 5),
        equipment=tuple(sorted(kit)),
        conditions=tuple(HealthIssue(id=issue, severity=rng.choice(SEVERITIES)) for issue in issues),
        medications=tuple(Medication(id=one, dose="1", frequency="daily") for one in medications),
    )


def random_scenario(seed: int, who: UserProfile, plan: WorkoutPlan) -> Scenario | None:
    """Return a wish to change a plan, or None where the one that was drawn makes no sense for it."""
    rng = Random(f"scenarios:{seed}")
    prompt_type = rng.choice(tuple(INTENTS))
    intent = rng.choice(INTENTS[prompt_type])
    fields = _fields(intent, rng, who, plan)
    return None if fields is None else Scenario(prompt_type=prompt_type, intent=intent, **fields)


def _fields(intent: Intent, rng: Random, who: UserProfile, plan: WorkoutPlan) -> dict[str, object] | None:
    """Return what a wish of this intent names, or None where there is nothing to name."""
    exercises = [line.exercise for day in plan.days for line in day.exercises]
    options: dict[Intent, tuple[str, Sequence[object]]] = {
        "shorter": ("session_minutes", range(20, who.session_minutes, 5)),
        "fewer_days": ("days_per_week", range(2, who.days_per_week)),
        "swap": ("exercise", exercises),
        "plateau": ("exercise", exercises),
        "improving": ("exercise", exercises),
        "move_day": ("topic", _good_moves(who, plan) if intent == "move_day" else ()),
        "other_equipment": ("equipment", [_less(who.equipment, rng)] if who.equipment else ()),
        "new_issue": ("new_issues", [(_issue(rng),)]),
        "flare_up": ("new_issues", [(_issue(rng),)]),
        "dangerous_request": ("new_issues", [(_issue(rng),), ()]),
        "new_medication": ("new_medication", sorted(MEDICATIONS)),
    }
    if intent not in options:
        return {}
    field, values = options[intent]
    return {field: rng.choice(values)} if values else None


def _less(equipment: tuple[str, ...], rng: Random) -> tuple[str, ...]:
    return tuple(sorted(rng.sample(equipment, rng.randint(0, min(3, len(equipment) - 1)))))


def _issue(rng: Random) -> HealthIssue:
    return HealthIssue(id=rng.choice(sorted(CONDITIONS)), severity=rng.choice(SEVERITIES))


def _good_moves(who: UserProfile, plan: WorkoutPlan) -> list[str]:
    """Return the moves of a day that leave enough recovery, as "mon>wed"."""
    taken = [day.weekday for day in plan.days]
    moves = [Move(day=day, to=to, why="asked for") for day in taken for to in WEEKDAYS if to not in taken]
    return [f"{move.day}>{move.to}" for move in moves if not check_plan(apply_edits(plan, (move,)), who)]
