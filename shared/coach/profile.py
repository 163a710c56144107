"""Profile: who a plan is for. What a coach would ask before writing anything down."""

from datetime import date
from typing import Annotated

from pydantic import Field

from shared.coach.vocabulary import (
    Activity,
    AgeBand,
    ConditionFlag,
    Experience,
    Goal,
    Severity,
    Sex,
    age_band,
)
from shared.frozen import Frozen


class HealthIssue(Frozen):
    """A condition or an injury, by its id in the catalogue."""

    id: str
    severity: Severity = "moderate"


class Medication(Frozen):
    """A medication, by its id in the catalogue, as the person takes it."""

    id: str
    dose: str
    """As printed on the box: "10 mg", "2 puffs"."""
    frequency: str
    """"once daily", "as needed"."""


class UserProfile(Frozen):
    """A person: body, goals in priority order, limits, and what they can train with."""

    user_id: str
    name: str
    birth_date: date
    age: Annotated[int, Field(ge=18, le=100)]
    sex: Sex
    height_cm: Annotated[float, Field(ge=120, le=230)]
    weight_kg: Annotated[float, Field(ge=30, le=300)]
    goals: Annotated[tuple[Goal, ...], Field(min_length=1, max_length=4)]
    """In priority order; the first is the one that slices and plans go by."""
    activity_level: Activity
    experience: Experience
    days_per_week: Annotated[int, Field(ge=2, le=6)]
    session_minutes: Annotated[int, Field(ge=20, le=120)]
    equipment: tuple[str, ...]
    """Catalogue ids, sorted. Empty means a floor and some space."""
    injuries: tuple[HealthIssue, ...] = ()
    conditions: tuple[HealthIssue, ...] = ()
    medications: tuple[Medication, ...] = ()
    allergies: tuple[str, ...] = ()
    maintenance_kcal: Annotated[int, Field(ge=700, le=6000)]
    sleep_target_h: Annotated[float, Field(ge=5, le=11)]
    member_since: date

    @property
    def goal(self) -> Goal:
        """The goal that comes first."""
        return self.goals[0]


class SliceTags(Frozen):
    """The groups that quality, safety and bias are reported for."""

    age_band: AgeBand
    sex: Sex
    goal_type: Goal
    activity_level: Activity
    condition_flag: ConditionFlag


def slice_tags(person: UserProfile) -> SliceTags:
    """Return the slices a person belongs to; an injury counts as a condition."""
    return SliceTags(
        age_band=age_band(person.age),
        sex=person.sex,
        goal_type=person.goal,
        activity_level=person.activity_level,
        condition_flag="has_condition" if person.conditions or person.injuries else "none",
    )
