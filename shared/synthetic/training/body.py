"""Body: weight, body fat, food and sleep over a log, consistent with each other and with the goal.

Weight moves by a steady rate that the goal sets and not everybody keeps to, and ends at the profile's.
Who loses a kilogram eats 7,700 kcal less than they burn; body fat follows the body mass index
(Deurenberg, Weststrate and Seidell, British Journal of Nutrition, 1991) about a personal offset.
"""

from collections.abc import Sequence
from datetime import date
from math import sin
from random import Random

from shared.coach.profile import UserProfile
from shared.coach.training_log import DailyLog, Weighing

KCAL_PER_KG = 7700
LARGEST_DEFICIT = 0.22
"""Of what keeps the weight."""

_KEEPS_AT_IT = 0.8
_PREGNANT_KG_A_WEEK = 0.4
_SCALE_NOISE_KG = 0.25
_SHOWS_FAT = 0.65
_FORGETS_WEIGHING = 0.08
_WEEKEND_KCAL = (0.98, 0.98, 0.98, 0.98, 1.0, 1.06, 1.02)
_WEEKEND_SLEEP_H = (-0.1, -0.1, -0.1, -0.1, -0.1, 0.25, 0.25)


def draw_kg_a_week(rng: Random, person: UserProfile) -> float:
    """Return how fast the weight changes: down for fat loss, up for muscle, else hardly at all."""
    if any(condition.id == "pregnancy" for condition in person.conditions):
        return _PREGNANT_KG_A_WEEK
    keeps_at_it = rng.random() < _KEEPS_AT_IT
    if person.goal == "fat_loss" and keeps_at_it:
        share = -rng.uniform(0.0025, 0.0085)
    elif person.goal == "muscle_gain" and keeps_at_it:
        share = rng.uniform(0.0008, 0.0032 if person.experience == "beginner" else 0.0024)
    else:
        share = rng.gauss(0.0, 0.0006)
    lowest = -LARGEST_DEFICIT * person.maintenance_kcal * 7 / KCAL_PER_KG
    return max(person.weight_kg * share, lowest)


def body_fat_pct(person: UserProfile, weight_kg: float) -> float:
    """Return the body fat that is average for a BMI, age and sex; the well-trained have less."""
    bmi = weight_kg / (person.height_cm / 100) ** 2
    male = {"female": 0.0, "male": 1.0, "other": 0.5}[person.sex]
    trained = {"beginner": 0.0, "intermediate": 1.5, "advanced": 4.0}[person.experience]
    return 1.2 * bmi + 0.23 * person.age - 10.8 * male - 5.4 - trained


def draw_weighings(rng: Random, person: UserProfile, days: Sequence[date], kg_a_week: float) -> tuple[Weighing, ...]:
    """Return one weighing a week, a few forgotten, the last within the last week; some scales show fat."""
    offset = rng.gauss(0, 1.8) if rng.random() < _SHOWS_FAT else None
    swing, phase = rng.uniform(0.0, 0.3), rng.uniform(0.0, 6.28)
    weighings: list[Weighing] = []
    for n in range((len(days) - 1) % 7, len(days), 7):
        if rng.random() < _FORGETS_WEIGHING:
            continue
        trend = person.weight_kg + kg_a_week * (n - len(days)) / 7 + swing * sin(phase + n / 9)
        weight_kg = round(trend + rng.gauss(0, _SCALE_NOISE_KG), 1)
        fat: float | None = None
        if offset is not None:
            shown = body_fat_pct(person, trend) + offset + rng.gauss(0, 0.25)
            fat = round(min(max(shown, 5.0), 60.0), 1)
        weighings.append(Weighing(days[n], weight_kg, fat))
    return tuple(weighings)


def draw_daily(
    rng: Random, person: UserProfile, days: Sequence[date], kg_a_week: float, logs_days: float
) -> tuple[DailyLog, ...]:
    """Return food and sleep of the days that were logged; later nights and larger meals at weekends."""
    eaten = person.maintenance_kcal + kg_a_week * KCAL_PER_KG / 7
    slept = min(max(person.sleep_target_h + rng.gauss(-0.4, 0.45), 5.0), 9.8)
    kcal_sd = 0.09 * eaten
    logged: list[DailyLog] = []
    for day in days:
        if rng.random() < logs_days:
            weekday = day.weekday()
            kcal = rng.gauss(eaten * _WEEKEND_KCAL[weekday], kcal_sd)
            sleep_h = rng.gauss(slept + _WEEKEND_SLEEP_H[weekday], 0.6)
            logged.append(DailyLog(day, round(kcal / 10) * 10, round(min(max(sleep_h, 3.0), 11.5), 1)))
    return tuple(logged)
