"""Draw: one believable person, from the run's seed and the person's number alone.

Whoever else is drawn, in which order or in which process, changes nothing. Ages are counted at the
config's as_of_date. What belongs together is drawn together: weight after height, age and activity,
conditions after weight, medications after conditions, goals after all of these.
"""

from datetime import date, timedelta
from random import Random
from uuid import NAMESPACE_URL, uuid5

from shared.coach.profile import UserProfile
from shared.run_config import RunConfig
from shared.synthetic.people.equipment import draw_equipment
from shared.synthetic.people.health import draw_allergies, draw_conditions, draw_injuries
from shared.synthetic.people.medications import draw_medications
from shared.synthetic.people.names import draw_name
from shared.synthetic.people.population import (
    draw_activity,
    draw_age,
    draw_bmi,
    draw_body,
    draw_days_per_week,
    draw_experience,
    draw_goals,
    draw_height_cm,
    draw_session_minutes,
    draw_sex,
    draw_sleep_target_h,
    goal_weights,
    maintenance_kcal,
)

MEAN_DAYS_A_MEMBER = 240
LONGEST_DAYS_A_MEMBER = 1500
JOINED_FROM_AGE = 16


def age_on(birth_date: date, day: date) -> int:
    """Return the age in whole years; who was born on 29 February turns a year older on 1 March."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def _years_before(day: date, years: int) -> date:
    """Return the same day years earlier; 28 February for a 29th that is not there."""
    return date(day.year - years, day.month, min(day.day, 28) if day.month == 2 else day.day)


def _draw_birth_date(rng: Random, as_of: date) -> date:
    return _years_before(as_of, draw_age(rng)) - timedelta(days=rng.randrange(365))


def _draw_member_since(rng: Random, as_of: date, birth_date: date, lookback_days: int) -> date:
    """Return a day before the training log begins, and not in childhood."""
    earlier = min(int(rng.expovariate(1 / MEAN_DAYS_A_MEMBER)), LONGEST_DAYS_A_MEMBER)
    log_begins = as_of - timedelta(days=lookback_days)
    youngest = birth_date + timedelta(days=JOINED_FROM_AGE * 366)
    return min(log_begins, max(youngest, log_begins - timedelta(days=earlier)))


def draw_profile(config: RunConfig, index: int) -> UserProfile:
    """Return the person with this number in the run."""
    rng = Random(f"{config.seed}:profile:{index}")
    birth_date = _draw_birth_date(rng, config.as_of_date)
    age = age_on(birth_date, config.as_of_date)
    sex = draw_sex(rng)
    body = draw_body(rng, sex)
    activity = draw_activity(rng, age)
    experience = draw_experience(rng, activity, age)
    height_cm = draw_height_cm(rng, body, age)
    weight_kg = round(draw_bmi(rng, body, age, activity) * (height_cm / 100) ** 2, 1)
    bmi = weight_kg / (height_cm / 100) ** 2
    conditions = draw_conditions(rng, sex, body, age, bmi, activity)
    injuries = draw_injuries(rng, age, activity)
    allergies = draw_allergies(rng)
    appeal = goal_weights(body, age, bmi, experience)
    if any(condition.id == "pregnancy" for condition in conditions):
        appeal["fat_loss"] = 0.0
    return UserProfile.model_construct(
        user_id=str(uuid5(NAMESPACE_URL, f"fitsense:user:{config.seed}:{index}")),
        name=draw_name(rng, sex),
        birth_date=birth_date,
        age=age,
        sex=sex,
        height_cm=height_cm,
        weight_kg=weight_kg,
        goals=draw_goals(rng, appeal),
        activity_level=activity,
        experience=experience,
        days_per_week=draw_days_per_week(rng, experience),
        session_minutes=draw_session_minutes(rng, experience),
        equipment=draw_equipment(rng, experience),
        injuries=injuries,
        conditions=conditions,
        medications=draw_medications(rng, (*conditions, *injuries), allergies),
        allergies=allergies,
        maintenance_kcal=maintenance_kcal(body, weight_kg, height_cm, age, activity),
        sleep_target_h=draw_sleep_target_h(rng, age),
        member_since=_draw_member_since(rng, config.as_of_date, birth_date, config.lookback_days),
    )
