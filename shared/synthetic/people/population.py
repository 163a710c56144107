"""Population: how adults who train are distributed, from age and height to days a week.

Heights follow the CDC's anthropometric reference data (NHANES 2015-2018), body mass index a
lognormal whose median rises with age so that a good quarter is obese, as in the Health Survey for
England. People who train, or mean to, are a little younger than adults at large.
"""

from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from math import exp, log
from random import Random
from typing import Literal

from shared.coach.vocabulary import Activity, Experience, Goal, Sex

Body = Literal["female", "male"]

SHARE_OF_EACH_SEX = 0.495
LOG_BMI_SD = 0.18
LOWEST_BMI, HIGHEST_BMI = 17.0, 48.0
FAT_LOSS_FROM_BMI = 22.0

_YEARLY_WEIGHT_FROM_AGE = ((18, 2.2), (25, 2.5), (35, 2.1), (45, 1.7), (55, 1.3), (65, 0.8), (73, 0.45))
_AGES = tuple(range(18, 81))
_AGE_WEIGHTS = tuple(
    accumulate([next(w for start, w in reversed(_YEARLY_WEIGHT_FROM_AGE) if age >= start) for age in _AGES])
)

HEIGHT_CM: dict[Body, tuple[float, float]] = {"female": (161.9, 6.9), "male": (175.9, 7.4)}

_ACTIVITIES: tuple[Activity, ...] = ("sedentary", "lightly_active", "moderately_active", "very_active")
_ACTIVITY_UNTIL_AGE: tuple[tuple[int, tuple[float, ...]], ...] = (
    (30, (0.18, 0.30, 0.33, 0.19)),
    (50, (0.22, 0.33, 0.30, 0.15)),
    (65, (0.26, 0.35, 0.28, 0.11)),
    (120, (0.31, 0.39, 0.23, 0.07)),
)

_EXPERIENCES: tuple[Experience, ...] = ("beginner", "intermediate", "advanced")
_EXPERIENCE: dict[Activity, tuple[float, float, float]] = {
    "sedentary": (0.72, 0.25, 0.03),
    "lightly_active": (0.50, 0.40, 0.10),
    "moderately_active": (0.28, 0.52, 0.20),
    "very_active": (0.12, 0.50, 0.38),
}

_DAYS: dict[Experience, tuple[float, ...]] = {
    "beginner": (0.24, 0.50, 0.20, 0.05, 0.01),
    "intermediate": (0.08, 0.32, 0.36, 0.18, 0.06),
    "advanced": (0.02, 0.16, 0.38, 0.30, 0.14),
}

_MINUTES = (20, 25, 30, 35, 40, 45, 50, 60, 75, 90, 120)
_MINUTES_WEIGHTS: dict[Experience, tuple[float, ...]] = {
    "beginner": (0.07, 0.04, 0.21, 0.05, 0.11, 0.24, 0.06, 0.18, 0.03, 0.01, 0.00),
    "intermediate": (0.03, 0.02, 0.11, 0.04, 0.08, 0.22, 0.07, 0.27, 0.09, 0.06, 0.01),
    "advanced": (0.01, 0.01, 0.06, 0.02, 0.05, 0.15, 0.07, 0.32, 0.16, 0.12, 0.03),
}

_ENERGY_FACTOR: dict[Activity, float] = {
    "sedentary": 1.2,
    "lightly_active": 1.375,
    "moderately_active": 1.55,
    "very_active": 1.725,
}


def draw_age(rng: Random) -> int:
    """Return an age in whole years."""
    return _AGES[bisect(_AGE_WEIGHTS, rng.random() * _AGE_WEIGHTS[-1])]


def draw_sex(rng: Random) -> Sex:
    """Return a sex; about one person in a hundred is neither female nor male."""
    roll = rng.random()
    if roll < SHARE_OF_EACH_SEX:
        return "female"
    return "male" if roll < 2 * SHARE_OF_EACH_SEX else "other"


def draw_body(rng: Random, sex: Sex) -> Body:
    """Return whose reference figures a person's measures follow."""
    if sex == "other":
        return "female" if rng.random() < 0.5 else "male"
    return sex


def draw_height_cm(rng: Random, body: Body, age: int) -> float:
    """Return a height; people lose about a centimetre a decade from sixty on."""
    mean, sd = HEIGHT_CM[body]
    shrunk = 0.1 * max(0, age - 60)
    return round(min(max(rng.gauss(mean - shrunk, sd), mean - 3 * sd), mean + 3 * sd), 1)


def draw_bmi(rng: Random, body: Body, age: int, activity: Activity) -> float:
    """Return a body mass index; it rises until sixty, and the sedentary carry more."""
    median = 24.1 + 0.085 * (min(age, 60) - 18) + (0.5 if body == "male" else 0.0)
    median += {"sedentary": 1.1, "lightly_active": 0.4, "moderately_active": -0.4, "very_active": -1.0}[activity]
    return min(max(exp(rng.gauss(log(median), LOG_BMI_SD)), LOWEST_BMI), HIGHEST_BMI)


def draw_activity(rng: Random, age: int) -> Activity:
    """Return how active a person's days are; less so with age."""
    weights = next(weights for until, weights in _ACTIVITY_UNTIL_AGE if age < until)
    return rng.choices(_ACTIVITIES, weights)[0]


def draw_experience(rng: Random, activity: Activity, age: int) -> Experience:
    """Return the training experience; nobody is advanced before having had the years for it."""
    beginner, intermediate, advanced = _EXPERIENCE[activity]
    if age < 22 or age > 65:
        advanced *= 0.4
    return rng.choices(_EXPERIENCES, (beginner, intermediate, advanced))[0]


def draw_days_per_week(rng: Random, experience: Experience) -> int:
    """Return the days a week that a person wants to train, 2 to 6."""
    return rng.choices((2, 3, 4, 5, 6), _DAYS[experience])[0]


def draw_session_minutes(rng: Random, experience: Experience) -> int:
    """Return the time for a session, a multiple of five."""
    return rng.choices(_MINUTES, _MINUTES_WEIGHTS[experience])[0]


def goal_weights(body: Body, age: int, bmi: float, experience: Experience) -> dict[Goal, float]:
    """Return how much each goal appeals; nobody lean is drawn to losing fat."""
    fat_loss = 0.32 * (1.7 if bmi >= 30 else 1.15 if bmi >= 25 else 0.65)
    muscle_gain = 0.27 * (1.4 if age < 30 else 0.6 if age > 55 else 1.0)
    muscle_gain *= (1.1 if body == "male" else 0.85) * (1.4 if bmi < 22 else 0.65 if bmi >= 30 else 1.0)
    strength = 0.22 * (1.5 if experience == "advanced" else 0.85 if experience == "beginner" else 1.0)
    general = 0.22 * (1.6 if age > 50 else 1.0) * (1.25 if experience == "beginner" else 0.9)
    return {
        "fat_loss": fat_loss if bmi >= FAT_LOSS_FROM_BMI else 0.0,
        "muscle_gain": muscle_gain,
        "strength": strength,
        "general_fitness": general,
    }


def draw_goals(rng: Random, appeal: Mapping[Goal, float]) -> tuple[Goal, ...]:
    """Return one to three goals in priority order, drawn by how much each appeals."""
    left = {goal: weight for goal, weight in appeal.items() if weight > 0}
    goals = []
    for _ in range(rng.choices((1, 2, 3), (0.35, 0.45, 0.20))[0]):
        goal = rng.choices(tuple(left), tuple(left.values()))[0]
        goals.append(goal)
        del left[goal]
    return tuple(goals)


def maintenance_kcal(body: Body, weight_kg: float, height_cm: float, age: int, activity: Activity) -> int:
    """Return the daily energy that keeps the weight: Mifflin-St Jeor times the activity's factor."""
    resting = 10 * weight_kg + 6.25 * height_cm - 5 * age + (5 if body == "male" else -161)
    return round(resting * _ENERGY_FACTOR[activity])


def draw_sleep_target_h(rng: Random, age: int) -> float:
    """Return the hours of sleep a person aims for, to the quarter of an hour."""
    return min(max(round(rng.gauss(7.8 if age < 65 else 7.5, 0.5) * 4) / 4, 6.5), 9.5)
