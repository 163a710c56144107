"""Schemas: what goes over HTTP: accounts, sessions, and what a coach has to know of a person."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, model_validator

from shared.bodies import Body, Line, PastDay, Slug
from shared.coach.vocabulary import Activity, Experience, Goal, Severity, Sex
from shared.frozen import Frozen

OLDEST = 100
YOUNGEST = 18

Email = Annotated[
    str,
    Field(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$"),
]
"""An e-mail address; whether it is written in capitals makes no difference."""


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.strip():
        raise ValueError("must not be blank")
    if "\x00" in text:
        raise ValueError("must have no control characters")
    return value


Password = Annotated[SecretStr, Field(min_length=8, max_length=128), AfterValidator(_secret)]
GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=128)]
"""One that is compared, however it was made."""
RefreshToken = Annotated[SecretStr, Field(min_length=20, max_length=100)]


class SignUp(Body):
    """A new account."""

    name: Line
    email: Email
    password: Password


class Login(Body):
    """Somebody's e-mail and password."""

    email: Annotated[str, Field(min_length=1, max_length=254, pattern=r"^[^\x00-\x1f\x7f]+$")]
    password: GivenPassword


class Refresh(Body):
    """The refresh token of the last answer; each works once."""

    refresh_token: RefreshToken


class Logout(Body):
    """The refresh token of the session that ends; `everywhere` ends all of the user's."""

    refresh_token: RefreshToken
    everywhere: bool = False


class Session(Frozen):
    """Who is logged in, and with what."""

    user_id: UUID
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind of token, not one
    expires_in_s: int
    refresh_token: str
    needs_onboarding: bool


class Me(Frozen):
    """The user who asks."""

    user_id: UUID
    email: str
    name: str
    created_at: AwareDatetime
    needs_onboarding: bool


class MeChange(Body):
    """What is to change."""

    name: Line


class PasswordChange(Body):
    """A new password; every session but new ones ends."""

    old_password: GivenPassword
    new_password: Password


class Goodbye(Body):
    """The password, once more, before everything is deleted."""

    password: GivenPassword


class Issue(Body):
    """A condition or an injury, by its id in the catalogue."""

    id: Slug
    severity: Severity = "moderate"


class Taken(Body):
    """A medication, by its id in the catalogue, as it is taken."""

    id: Slug
    dose: Line
    frequency: Line = "once daily"
    since: PastDay | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class Onboarding(Body):
    """What a coach asks before writing a plan."""

    birth_date: date | None = None
    age: Annotated[int | None, Field(ge=YOUNGEST, le=OLDEST)] = None
    """Instead of the date of birth."""
    sex: Sex
    height_cm: Annotated[float, Field(ge=120, le=230)]
    weight_kg: Annotated[float, Field(ge=30, le=300)]
    goals: Annotated[tuple[Goal, ...], Field(min_length=1, max_length=4)]
    """The first counts most."""
    activity_level: Activity
    experience: Experience
    days_per_week: Annotated[int, Field(ge=2, le=6)]
    session_minutes: Annotated[int, Field(ge=20, le=120)] = 60
    equipment: Annotated[tuple[Slug, ...], Field(max_length=60)] = ()
    injuries: Annotated[tuple[Issue, ...], Field(max_length=20)] = ()
    conditions: Annotated[tuple[Issue, ...], Field(max_length=20)] = ()
    medications: Annotated[tuple[Taken, ...], Field(max_length=30)] = ()
    allergies: Annotated[tuple[Line, ...], Field(max_length=30)] = ()
    maintenance_kcal: Annotated[int | None, Field(ge=700, le=6000)] = None
    """What keeps the weight; by the usual formula where it is not known."""
    sleep_target_h: Annotated[float, Field(ge=5, le=11)] = 8

    @model_validator(mode="after")
    def _old_enough_and_said_once(self) -> Self:
        if (self.birth_date is None) == (self.age is None):
            raise ValueError("give either birth_date or age")
        if self.birth_date is not None and not YOUNGEST <= years(self.birth_date) <= OLDEST:
            raise ValueError(f"birth_date must be that of somebody of {YOUNGEST} to {OLDEST} years")
        if len(set(self.goals)) < len(self.goals):
            raise ValueError("goals must not name one twice")
        return self


class ProfileChange(Body):
    """What is to change; what is not given stays."""

    height_cm: Annotated[float | None, Field(ge=120, le=230)] = None
    weight_kg: Annotated[float | None, Field(ge=30, le=300)] = None
    goals: Annotated[tuple[Goal, ...] | None, Field(min_length=1, max_length=4)] = None
    activity_level: Activity | None = None
    experience: Experience | None = None
    days_per_week: Annotated[int | None, Field(ge=2, le=6)] = None
    session_minutes: Annotated[int | None, Field(ge=20, le=120)] = None
    equipment: Annotated[tuple[Slug, ...] | None, Field(max_length=60)] = None
    injuries: Annotated[tuple[Issue, ...] | None, Field(max_length=20)] = None
    conditions: Annotated[tuple[Issue, ...] | None, Field(max_length=20)] = None
    medications: Annotated[tuple[Taken, ...] | None, Field(max_length=30)] = None
    allergies: Annotated[tuple[Line, ...] | None, Field(max_length=30)] = None
    maintenance_kcal: Annotated[int | None, Field(ge=700, le=6000)] = None
    sleep_target_h: Annotated[float | None, Field(ge=5, le=11)] = None


class StoredProfile(Frozen):
    """What a coach has to know of a person, as it is kept."""

    birth_date: date
    sex: Sex
    height_cm: float
    weight_kg: float
    goals: tuple[Goal, ...]
    activity_level: Activity
    experience: Experience
    days_per_week: int
    session_minutes: int
    equipment: tuple[str, ...]
    injuries: tuple[Issue, ...]
    conditions: tuple[Issue, ...]
    medications: tuple[Taken, ...]
    allergies: tuple[str, ...]
    maintenance_kcal: int | None
    sleep_target_h: float


class PastProfile(Frozen):
    """A profile as it was once."""

    version: int
    made_at: AwareDatetime
    profile: StoredProfile


class ProfileHistory(Frozen):
    """The versions of a profile, the latest first, at most 200."""

    versions: tuple[PastProfile, ...]


def years(born: date, today: date | None = None) -> int:
    """Return an age in years."""
    today = today or datetime.now(UTC).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
