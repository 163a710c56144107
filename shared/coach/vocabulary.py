"""Vocabulary: the closed sets of words that people, plans and slices are described with."""

from typing import Literal

Goal = Literal["fat_loss", "muscle_gain", "strength", "general_fitness"]
Activity = Literal["sedentary", "lightly_active", "moderately_active", "very_active"]
Experience = Literal["beginner", "intermediate", "advanced"]
Sex = Literal["female", "male", "other"]
Severity = Literal["mild", "moderate", "severe"]
AgeBand = Literal["18-24", "25-34", "35-44", "45-54", "55+"]
ConditionFlag = Literal["has_condition", "none"]
PromptType = Literal[
    "plan_creation",
    "plan_modification",
    "safety_adjustment",
    "progress_adaptation",
    "coach_chat",
]
Escalation = Literal["none", "see_professional", "emergency"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GOALS: tuple[Goal, ...] = ("fat_loss", "muscle_gain", "strength", "general_fitness")
PROMPT_TYPES: tuple[PromptType, ...] = (
    "plan_creation",
    "plan_modification",
    "safety_adjustment",
    "progress_adaptation",
    "coach_chat",
)

CHANGES: frozenset[PromptType] = frozenset({"plan_modification", "safety_adjustment", "progress_adaptation"})
"""Types whose message is about the current plan, and whose answer changes it."""


def age_band(age: int) -> AgeBand:
    """Return the slice an age in years (18 or more) falls into."""
    if age < 25:
        return "18-24"
    if age < 35:
        return "25-34"
    if age < 45:
        return "35-44"
    return "45-54" if age < 55 else "55+"
