"""Curated: messages about safety, who writes them, and what a right answer must and must not do.

They stand in trainer_job/safety/*.yaml. None of them is in any dataset.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError, model_validator

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES, MEDICATIONS, Exercise
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue, Medication, UserProfile, slice_tags
from shared.coach.restrictions import constraints_for
from shared.coach.scenario import Intent, Scenario
from shared.coach.vocabulary import CHANGES, Escalation, Experience, Goal, PromptType, Severity, Sex
from shared.coach.wire import ESCALATIONS
from shared.errors import Rejected
from shared.frozen import Frozen
from shared.records import Query

PROMPTS: Final = Path(__file__).parent.parent / "safety"


class Expectation(Frozen):
    """What a right answer must and must not do, beyond what holds for every answer."""

    escalation: Escalation = "none"
    """At least."""
    at_most: Escalation = "emergency"
    no_training: bool = False
    without: dict[str, tuple[str | bool, ...]] = {}  # noqa: RUF012
    """Attributes of exercises, as the catalogue calls them, with the values that must not be there."""
    without_exercises: tuple[str, ...] = ()
    rir_from: int | None = None
    reps_from: int | None = None
    rest_from_s: int | None = None
    minutes_to: int | None = None
    not_harder: bool = False
    says: tuple[str, ...] = ()
    """At least one word begins with one of these, whatever the case."""
    says_not: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_what_there_is(self) -> "Expectation":
        fields = {field.name for field in dataclasses.fields(Exercise)}
        unknown = [*(self.without.keys() - fields), *(set(self.without_exercises) - EXERCISES.keys())]
        if unknown:
            raise ValueError(f"the catalogue knows no {', '.join(sorted(unknown))}")
        return self


class SafetyPrompt(Frozen):
    """A curated message, who writes it, and what has to become of it."""

    id: str
    topic: str
    type: PromptType
    intent: Intent
    message: str
    about: str | None = None
    """The subject, as the rule-based coach knows it; without one it answers with what triage says."""
    expect: Expectation
    age: int = 35
    sex: Sex = "male"
    experience: Experience = "intermediate"
    goal: Goal = "general_fitness"
    days: int = 3
    minutes: int = 60
    kit: tuple[str, ...] | None = None
    """None is a full gym."""
    has: dict[str, Severity] = {}  # noqa: RUF012
    takes: tuple[str, ...] = ()
    told: dict[str, Severity] = {}  # noqa: RUF012
    takes_now: str | None = None
    escalation: Escalation = "none"
    """What the message calls for."""

    @model_validator(mode="after")
    def _names_what_there_is(self) -> "SafetyPrompt":
        medications = {*self.takes, *([self.takes_now] if self.takes_now else [])}
        unknown = [*({*self.has, *self.told} - CONDITIONS.keys()), *(medications - MEDICATIONS.keys())]
        if unknown:
            raise ValueError(f"the catalogue knows no {', '.join(sorted(unknown))}")
        return self

    def query(self) -> Query:
        """Return the message as a query; its plan, where it is about one, is the rule-based coach's."""
        profile = self._profile()
        calls_for = max(self.expect.escalation, self.escalation, key=ESCALATIONS.index)
        scenario = Scenario(
            prompt_type=self.type,
            intent=self.intent,
            new_issues=tuple(HealthIssue(id=issue, severity=severity) for issue, severity in self.told.items()),
            new_medication=self.takes_now,
            topic=self.about,
            escalation=calls_for,
        )
        return Query(
            query_id=f"safety:{self.topic}:{self.id}",
            user_id=profile.user_id,
            prompt_type=self.type,
            request=self.message,
            scenario=scenario,
            profile=profile,
            plan=make_plan(profile) if self.type in CHANGES else None,
            summary=None,
            slice_tags=slice_tags(profile),
            constraints=constraints_for(scenario.person(profile)),
        )

    def _profile(self) -> UserProfile:
        issues = {issue: HealthIssue(id=issue, severity=severity) for issue, severity in self.has.items()}
        return UserProfile(
            user_id=f"safety-{self.topic}-{self.id}",
            name="Sam Sample",
            birth_date=date(2026 - self.age, 1, 1),
            age=self.age,
            sex=self.sex,
            height_cm=166 if self.sex == "female" else 178,
            weight_kg=64 if self.sex == "female" else 80,
            goals=(self.goal,),
            activity_level="lightly_active",
            experience=self.experience,
            days_per_week=self.days,
            session_minutes=self.minutes,
            equipment=tuple(sorted(EQUIPMENT if self.kit is None else self.kit)),
            injuries=tuple(one for one in issues.values() if CONDITIONS[one.id].kind == "injury"),
            conditions=tuple(one for one in issues.values() if CONDITIONS[one.id].kind == "condition"),
            medications=tuple(
                Medication(id=one, dose=MEDICATIONS[one].doses[0], frequency=MEDICATIONS[one].frequency[0])
                for one in self.takes
            ),
            maintenance_kcal=2200,
            sleep_target_h=8,
            member_since=date(2025, 6, 1),
        )


@cache
def safety_prompts(folder: Path = PROMPTS) -> tuple[SafetyPrompt, ...]:
    """Return all curated messages; raises Rejected where a file holds something else."""
    found = [one for path in sorted(folder.glob("*.yaml")) for one in _read(path)]
    repeated = [name for name, times in Counter(f"{one.topic}:{one.id}" for one in found).items() if times > 1]
    if repeated:
        raise Rejected(f"safety prompts stand there twice: {', '.join(repeated)}")
    return tuple(found)


def _read(path: Path) -> Iterator[SafetyPrompt]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    defaults = content["defaults"]
    for fields in content["prompts"]:
        expected = _joined(defaults["expect"], fields.get("expect", {}))
        try:
            yield SafetyPrompt.model_validate(defaults | fields | {"expect": expected})
        except ValidationError as exc:
            raise Rejected(f"{path.name}, {fields.get('id')}: {exc}") from exc


def _joined(defaults: dict[str, object], own: dict[str, object]) -> dict[str, object]:
    """Return both; lists of words add up."""
    joined = defaults | own
    for name in ("says", "says_not"):
        words = [*_words(defaults.get(name)), *_words(own.get(name))]
        joined[name] = tuple(dict.fromkeys(words))
    return joined


def _words(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []
