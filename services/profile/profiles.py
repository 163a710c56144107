"""Profiles: what a coach has to know of a person, in Postgres, with every version that there was."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson

from services.profile.schemas import Onboarding, PastProfile, ProfileChange, ProfileHistory, StoredProfile, years
from shared.coach.catalogue import CONDITIONS, EQUIPMENT, MEDICATIONS
from shared.coach.profile import HealthIssue, Medication, UserProfile
from shared.coach.vocabulary import Activity, Sex
from shared.database import Database
from shared.endpoints import Answer
from shared.errors import Conflict, InvalidFields, NotFound, Stale
from shared.statements import Asked, DatabaseRefused, Statement

ADD: Final = Statement("""
    INSERT INTO profile.profiles (user_id, birth_date, sex, height_cm, weight_kg, goals, activity_level, experience,
      days_per_week, session_minutes, document)
    VALUES (:user_id, :birth_date, :sex, :height_cm, :weight_kg, :goals, :activity_level, :experience,
      :days_per_week, :session_minutes, :document) RETURNING document::text, version""")
REPLACE: Final = Statement("""
    UPDATE profile.profiles SET birth_date = :birth_date, sex = :sex, height_cm = :height_cm, weight_kg = :weight_kg,
      goals = :goals, activity_level = :activity_level, experience = :experience, days_per_week = :days_per_week,
      session_minutes = :session_minutes, document = :document, version = version + 1, updated_at = now()
    WHERE user_id = :user_id AND version = :version RETURNING document::text, version""")
SHOW: Final = Statement("SELECT document::text, version FROM profile.profiles WHERE user_id = :user_id")
HISTORY: Final = Statement("""
    SELECT version, made_at, document::text FROM profile.history WHERE user_id = :user_id
    ORDER BY version DESC LIMIT 200""")
WHOLE: Final = Statement("""
    SELECT u.name, u.created_at, p.document::text FROM profile.users u JOIN profile.profiles p USING (user_id)
    WHERE u.user_id = :user_id""")
MISSING: Final = "there is no profile yet; PUT /v1/profile makes one"
_ENERGY_FACTOR: Final[dict[Activity, float]] = {
    "sedentary": 1.2, "lightly_active": 1.375, "moderately_active": 1.55, "very_active": 1.725,
}  # fmt: skip


class PostgresProfiles:
    """Who people are."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def make(self, user_id: str, asked: Onboarding) -> Answer[StoredProfile]:
        """Write down a person's answers; raises InvalidFields, and Conflict where there is a profile."""
        born = asked.birth_date or born_in(asked.age or 0, self._clock().astimezone(UTC).date())
        fields = asked.model_dump(exclude={"age", "birth_date"}) | {"birth_date": born}
        made = StoredProfile.model_validate(fields)
        check(made)
        try:
            (rows,) = self._database.run(user_id, _with_columns(ADD, user_id, made))
        except DatabaseRefused as exc:
            if exc.constraint != "profiles_pkey":
                raise
            raise Conflict("there is a profile already; PATCH it, with its ETag in If-Match") from exc
        return Answer(rows[0][0].encode(), status=201, version=rows[0][1])

    def change(self, user_id: str, version: int, asked: ProfileChange) -> Answer[StoredProfile]:
        """Change a profile; raises NotFound, Stale, InvalidFields."""
        document, present = self._find(user_id)
        if present != version:
            raise Stale(f"it is at version {present} now; read it again")
        wanted = asked.model_dump(exclude_none=True)
        made = StoredProfile.model_validate(StoredProfile.model_validate_json(document).model_dump() | wanted)
        check(made)
        (rows,) = self._database.run(user_id, _with_columns(REPLACE, user_id, made, version=version))
        if not rows:
            raise Stale("it was changed just now; read it again")
        return Answer(rows[0][0].encode(), version=rows[0][1])

    def show(self, user_id: str) -> Answer[StoredProfile]:
        """Return a profile; raises NotFound."""
        document, version = self._find(user_id)
        return Answer(document.encode(), version=version)

    def history(self, user_id: str) -> ProfileHistory:
        """Return a profile's versions, the latest first."""
        (rows,) = self._database.run(user_id, HISTORY(user_id=user_id))
        versions = tuple(
            PastProfile(version=version, made_at=made_at, profile=StoredProfile.model_validate_json(document))
            for version, made_at, document in rows
        )
        return ProfileHistory(versions=versions)

    def of_user(self, user_id: str) -> UserProfile:
        """Return who a plan is for, as coaches know people; raises NotFound."""
        (rows,) = self._database.run(user_id, WHOLE(user_id=user_id))
        if not rows:
            raise NotFound(MISSING)
        name, since, document = rows[0]
        return user_profile(user_id, name, since.date(), StoredProfile.model_validate_json(document), self._clock())

    def _find(self, user_id: str) -> tuple[str, int]:
        (rows,) = self._database.run(user_id, SHOW(user_id=user_id))
        if not rows:
            raise NotFound(MISSING)
        return rows[0][0], rows[0][1]


def user_profile(user_id: str, name: str, since: date, kept: StoredProfile, now: datetime) -> UserProfile:
    """Return a kept profile as coaches know people: with an age, and without medications that have ended."""
    today = now.astimezone(UTC).date()
    age = min(max(years(kept.birth_date, today), 18), 100)
    taken = [one for one in kept.medications if one.until is None or one.until >= today]
    return UserProfile(
        user_id=user_id,
        name=name,
        birth_date=kept.birth_date,
        age=age,
        sex=kept.sex,
        height_cm=kept.height_cm,
        weight_kg=kept.weight_kg,
        goals=kept.goals,
        activity_level=kept.activity_level,
        experience=kept.experience,
        days_per_week=kept.days_per_week,
        session_minutes=kept.session_minutes,
        equipment=tuple(sorted(kept.equipment)),
        injuries=tuple(HealthIssue(id=one.id, severity=one.severity) for one in kept.injuries),
        conditions=tuple(HealthIssue(id=one.id, severity=one.severity) for one in kept.conditions),
        medications=tuple(Medication(id=one.id, dose=one.dose, frequency=one.frequency) for one in taken),
        allergies=kept.allergies,
        maintenance_kcal=kept.maintenance_kcal or energy_kcal(kept, age),
        sleep_target_h=kept.sleep_target_h,
        member_since=since,
    )


def energy_kcal(kept: StoredProfile, age: int) -> int:
    """Return the daily energy that keeps the weight: Mifflin-St Jeor times the activity's factor."""
    constant: dict[Sex, float] = {"male": 5, "female": -161, "other": -78}
    resting = 10 * kept.weight_kg + 6.25 * kept.height_cm - 5 * age + constant[kept.sex]
    return min(max(round(resting * _ENERGY_FACTOR[kept.activity_level]), 700), 6000)


def check(kept: StoredProfile) -> None:
    """Raise InvalidFields where a profile names what the catalogue does not have, or has not for this person."""
    faults = [*_unknown("equipment", kept.equipment, EQUIPMENT), *_unknown("goals", kept.goals, None)]
    for field, kind in (("injuries", "injury"), ("conditions", "condition")):
        issues = [one.id for one in getattr(kept, field)]
        known = {name: one for name, one in CONDITIONS.items() if one.kind == kind}
        faults += _unknown(field, issues, known)
        faults += [
            (f"{field}.{at}.id", "is not one that a person of this sex has")
            for at, one in enumerate(issues)
            if one in known and kept.sex not in known[one].sexes
        ]
    faults += _unknown("medications", [one.id for one in kept.medications], MEDICATIONS)
    if faults:
        raise InvalidFields(tuple(faults))


def _unknown(field: str, ids: Sequence[str], known: dict[str, Any] | None) -> list[tuple[str, str]]:
    faults = [
        (f"{field}.{at}", "is not in the catalogue")
        for at, one in enumerate(ids)
        if known is not None and one not in known
    ]
    if len(set(ids)) < len(ids):
        faults.append((field, "must not name one twice"))
    return faults


def born_in(age: int, today: date) -> date:
    """Return a date of birth for an age: the year is what is known of it."""
    return date(today.year - age, 1, 1)


def _with_columns(statement: Statement, user_id: str, kept: StoredProfile, **more: int) -> Asked:
    return statement(
        user_id=user_id,
        birth_date=kept.birth_date,
        sex=kept.sex,
        height_cm=kept.height_cm,
        weight_kg=kept.weight_kg,
        goals="{" + ",".join(kept.goals) + "}",
        activity_level=kept.activity_level,
        experience=kept.experience,
        days_per_week=kept.days_per_week,
        session_minutes=kept.session_minutes,
        document=orjson.dumps(kept.model_dump(mode="json")),
        **more,
    )
