"""Bodies: what the plan service is sent, read strictly; the answers stand in `schemas`."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from services.plan.catalogue_ids import ExerciseId
from services.plan.changing import EditedPlan
from services.plan.requests import Message, PlanWish
from shared.bodies import Body, Line
from shared.coach.plan import Edit, PlanDay, PlannedExercise, Reps, RestS, Rir, Sets
from shared.coach.vocabulary import Weekday

Place = Annotated[int, Field(ge=0, le=99)]


class LineBody(Body):
    """One line of a day."""

    exercise: ExerciseId
    sets: Sets
    reps: Reps
    rir: Rir
    rest_s: RestS

    def planned(self) -> PlannedExercise:
        """Return it as the domain engine has it."""
        return PlannedExercise(self.exercise, self.sets, self.reps, self.rir, self.rest_s)


class DayBody(Body):
    """One session."""

    weekday: Weekday
    name: Annotated[Line, Field(max_length=40)]
    exercises: Annotated[tuple[LineBody, ...], Field(min_length=1, max_length=12)]


class _EditBody(Body):
    day: Weekday


class SwapBody(_EditBody):
    """Put another exercise in an exercise's place, with the same sets, reps, RIR and rest."""

    op: Literal["swap"]
    exercise: ExerciseId
    new: ExerciseId


class AddBody(_EditBody):
    """Add an exercise at the end of a day."""

    op: Literal["add"]
    new: LineBody


class RemoveBody(_EditBody):
    """Take an exercise out of a day; without one, take the day out of the week."""

    op: Literal["remove"]
    exercise: ExerciseId | None = None


class ChangeBody(_EditBody):
    """Set one number of an exercise; without one, of all the day's working sets."""

    op: Literal["sets", "reps", "rir", "rest"]
    exercise: ExerciseId | None = None
    value: Annotated[int, Field(ge=0, le=300)]


class MoveBody(_EditBody):
    """Train a day's session on another, free day of the week."""

    op: Literal["move"]
    to: Weekday


EditBody = Annotated[SwapBody | AddBody | RemoveBody | ChangeBody | MoveBody, Field(discriminator="op")]


class PlanRequest(PlanWish):
    """A new plan, please. It becomes the active one, unless `activate` is false."""

    activate: bool = True


class EditRequest(Body):
    """Edits to make in a plan, in order; each works on what the ones before it left."""

    edits: Annotated[tuple[EditBody, ...], Field(min_length=1, max_length=40)]

    def domain(self) -> tuple[Edit, ...]:
        """Return the edits as the domain engine has them."""
        adapter: TypeAdapter[Edit] = TypeAdapter(Edit)
        why = {"why": "changed by you"}
        return tuple(adapter.validate_python(edit.model_dump() | why) for edit in self.edits)


class RewriteRequest(Body):
    """A plan, whole, in place of the one that is there."""

    name: Annotated[Line, Field(max_length=80)]
    days: Annotated[tuple[DayBody, ...], Field(min_length=1, max_length=7)]

    def domain(self) -> EditedPlan:
        """Return it as the domain engine has it."""
        days = tuple(
            PlanDay(weekday=day.weekday, name=day.name, exercises=tuple(line.planned() for line in day.exercises))
            for day in self.days
        )
        return EditedPlan(name=self.name, days=days)


class ModifyRequest(Body):
    """A wish for change, in the user's words."""

    message: Message


class ChoiceRequest(Body):
    """Which edits of a proposal to take and which to leave, by place, from 0; `all` decides all that are pending."""

    all: Literal["accept", "reject"] | None = None
    accept: Annotated[tuple[Place, ...], Field(max_length=100)] = ()
    reject: Annotated[tuple[Place, ...], Field(max_length=100)] = ()


class RestoreRequest(Body):
    """The revision to have again."""

    revision: Annotated[int, Field(ge=1, le=1_000_000)]


class CoachRequest(Body):
    """A question to the coach."""

    message: Message


class PageQuery(Body):
    """A part of a list."""

    before: Annotated[str, Field(pattern=r"^[0-9]{1,16}~[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None
    """The `next` of the part before."""
    most: Annotated[int, Field(ge=1, le=100)] = 20
    archived: bool = False
    """Archived plans too."""


class RevisionsQuery(Body):
    """A part of a plan's revisions: the newest before a number."""

    before: Annotated[int, Field(ge=1, le=2_000_000_000)] = 2_000_000_000
    most: Annotated[int, Field(ge=1, le=100)] = 20


class MostQuery(Body):
    """How many, the newest first."""

    most: Annotated[int, Field(ge=1, le=100)] = 20


class DiffQuery(Body):
    """Two revisions to compare."""

    from_revision: Annotated[int, Field(ge=1, le=1_000_000)]
    to_revision: Annotated[int, Field(ge=1, le=1_000_000)]
