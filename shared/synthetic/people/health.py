"""Health: the conditions, injuries and allergies that a person plausibly has together.

A condition's chance goes by sex, age and activity, and by the conditions already there. Whoever
cannot have one, by the catalogue's limits of sex and age, has not.
"""

from bisect import bisect
from functools import cache
from itertools import accumulate
from math import prod
from random import Random

from shared.coach.catalogue import CONDITIONS
from shared.coach.profile import HealthIssue
from shared.coach.vocabulary import Activity, Severity, Sex
from shared.synthetic.people import prevalence
from shared.synthetic.people.population import Body

MOST_CONDITIONS = 4
OBESE_FROM_BMI = 30.0
_SHARE_OBESE = 0.25
_OBESITY: tuple[tuple[float, Severity], ...] = (
    (40.0, "severe"),
    (35.0, "moderate"),
    (OBESE_FROM_BMI, "mild"),
)

_ACTIVITY_FACTOR: dict[Activity, float] = {
    "sedentary": 1.2,
    "lightly_active": 0.95,
    "moderately_active": 0.75,
    "very_active": 0.55,
}
_OF_LIFE = ("pregnancy", "postpartum", "menopause")
"""As common among the active as among anybody."""

_SEVERITIES: tuple[Severity, ...] = ("mild", "moderate", "severe")
_SEVERITY_WEIGHTS = (0.5, 0.88, 1.0)
_INJURIES = tuple(prevalence.INJURIES)
_INJURY_WEIGHTS = tuple(tuple(accumulate(weights)) for weights in zip(*prevalence.INJURIES.values(), strict=True))
_SECOND_INJURY = 0.12


_Risk = tuple[str, float, tuple[tuple[str, float], ...], tuple[str, ...]]
"""A condition, its chance where nothing raises it, what raises it, and what excludes it."""


@cache
def _risks(sex: Sex, body: Body, age: int) -> tuple[_Risk, ...]:
    """Return what somebody of this sex and age can have.

    Chances are lowered by what their causes add on average: risk factors move a condition to other
    people, and the rates of the table stay what they are.
    """
    bracket, column = bisect(prevalence.AGE_BRACKETS, age), 0 if body == "female" else 1
    rates = {condition: both[column][bracket] / 100 for condition, both in prevalence.CONDITIONS.items()}
    rates["obesity"] = _SHARE_OBESE
    risks = []
    for condition in prevalence.CONDITIONS:
        limits = CONDITIONS[condition]
        if rates[condition] and sex in limits.sexes and limits.min_age <= age <= limits.max_age:
            raised_by = prevalence.RAISED_BY.get(condition, ())
            added = prod(1 + rates[cause] * (factor - 1) for cause, factor in raised_by)
            risks.append((condition, rates[condition] / added, raised_by, prevalence.EXCLUDED_BY.get(condition, ())))
    return tuple(risks)


def _severity(rng: Random) -> Severity:
    return _SEVERITIES[bisect(_SEVERITY_WEIGHTS, rng.random())]


def draw_conditions(
    rng: Random, sex: Sex, body: Body, age: int, bmi: float, activity: Activity
) -> tuple[HealthIssue, ...]:
    """Return at most four conditions; obesity is among them exactly from a BMI of 30 on."""
    found: dict[str, Severity] = {}
    if bmi >= OBESE_FROM_BMI:
        found["obesity"] = next(severity for floor, severity in _OBESITY if bmi >= floor)
    health = _ACTIVITY_FACTOR[activity]
    for condition, rate, raised_by, excluded_by in _risks(sex, body, age):
        chance = rate if condition in _OF_LIFE else rate * health
        for cause, factor in raised_by:
            if cause in found:
                chance *= factor
        if rng.random() < chance and found.keys().isdisjoint(excluded_by):
            found[condition] = _severity(rng)
    kept = tuple(found.items())[:MOST_CONDITIONS]
    return tuple(HealthIssue.model_construct(id=condition, severity=severity) for condition, severity in kept)


def draw_injuries(rng: Random, age: int, activity: Activity) -> tuple[HealthIssue, ...]:
    """Return none, one or two injuries; the active have more of them."""
    if rng.random() >= prevalence.INJURED_PER_CENT[activity] / 100:
        return ()
    count = 2 if rng.random() < _SECOND_INJURY else 1
    weights = _INJURY_WEIGHTS[age >= 50]
    ids = dict.fromkeys(rng.choices(_INJURIES, cum_weights=weights, k=count))
    return tuple(HealthIssue.model_construct(id=injury, severity=_severity(rng)) for injury in ids)


def draw_allergies(rng: Random) -> tuple[str, ...]:
    """Return what a person is allergic to; three of five to nothing."""
    return tuple(allergen for allergen, per_cent in prevalence.ALLERGIES.items() if rng.random() * 100 < per_cent)
