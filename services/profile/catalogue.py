"""Catalogue: what there is to train with and to train around, as clients read it. It changes with a release only."""

from typing import Annotated, Literal

from flask import Blueprint
from pydantic import Field

from shared.bodies import Body, Slug
from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES, MEDICATIONS, Exercise, Muscle, Pattern, Unit
from shared.coach.vocabulary import GOALS, Experience, Goal
from shared.endpoints import Answer, endpoint
from shared.errors import InvalidFields, NotFound
from shared.frozen import Frozen

bp = Blueprint("catalog", __name__)
CACHED = {"Cache-Control": "public, max-age=3600"}
LEVELS: tuple[Experience, ...] = ("beginner", "intermediate", "advanced")


class ExerciseEntry(Frozen):
    """An exercise."""

    id: str
    name: str
    pattern: Pattern
    primary: tuple[Muscle, ...]
    secondary: tuple[Muscle, ...]
    equipment: tuple[tuple[str, ...], ...]
    """Alternatives, of each of which all is needed; one empty one where nothing is."""
    level: Experience
    unit: Unit


class ExercisePage(Frozen):
    """A page of exercises in the catalogue's order."""

    exercises: tuple[ExerciseEntry, ...]
    total: int
    """How many fit, on all pages."""
    next: str | None


class ExercisesQuery(Body):
    """Which exercises: those that fit all that is said."""

    muscle: Muscle | None = None
    pattern: Pattern | None = None
    level: Experience | None = None
    """The hardest that they may be."""
    equipment: Annotated[str | None, Field(pattern=r"^[a-z_]{1,40}(,[a-z_]{1,40}){0,59}$")] = None
    """What there is, separated by commas: only exercises that can be done with it; `none` is nothing."""
    q: Annotated[str | None, Field(min_length=1, max_length=60)] = None
    """A part of the name."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Slug | None = None


class Entry(Frozen):
    """Something with a name."""

    id: str
    name: str
    category: str


class Entries(Frozen):
    """A list of the catalogue."""

    entries: tuple[Entry, ...]


class ConditionsQuery(Body):
    """Which of conditions and injuries; both, where it is not said."""

    kind: Literal["condition", "injury"] | None = None


class Goals(Frozen):
    """What people train for."""

    goals: tuple[Goal, ...]


@bp.get("/v1/catalog/exercises")
@endpoint()
def list_exercises(query: ExercisesQuery) -> Answer[ExercisePage]:
    """List exercises that fit."""
    found = [one for one in EXERCISES.values() if _fits(one, query)]
    begin = 0
    if query.cursor is not None:
        ids = [one.id for one in found]
        if query.cursor not in ids:
            raise InvalidFields((("cursor", "is not one that was given"),))
        begin = ids.index(query.cursor) + 1
    shown = found[begin : begin + query.limit]
    more = len(found) > begin + query.limit
    page = ExercisePage(
        exercises=tuple(map(_entry, shown)), total=len(found), next=shown[-1].id if more and shown else None
    )
    return Answer(page, headers=CACHED)


@bp.get("/v1/catalog/exercises/<exercise>")
@endpoint(raises=(NotFound,))
def show_exercise(exercise: str) -> Answer[ExerciseEntry]:
    """Show an exercise."""
    found = EXERCISES.get(exercise)
    if found is None:
        raise NotFound("the catalogue has no such exercise")
    return Answer(_entry(found), headers=CACHED)


@bp.get("/v1/catalog/equipment")
@endpoint()
def list_equipment() -> Answer[Entries]:
    """List what one may have to train with."""
    entries = tuple(Entry(id=one.id, name=one.name, category=one.category) for one in EQUIPMENT.values())
    return Answer(Entries(entries=entries), headers=CACHED)


@bp.get("/v1/catalog/conditions")
@endpoint()
def list_conditions(query: ConditionsQuery) -> Answer[Entries]:
    """List conditions and injuries that plans know to be careful with."""
    entries = tuple(
        Entry(id=one.id, name=one.name, category=one.kind)
        for one in CONDITIONS.values()
        if query.kind in (None, one.kind)
    )
    return Answer(Entries(entries=entries), headers=CACHED)


@bp.get("/v1/catalog/medications")
@endpoint()
def list_medications() -> Answer[Entries]:
    """List medications that plans know to be careful with."""
    entries = tuple(Entry(id=one.id, name=one.name, category="medication") for one in MEDICATIONS.values())
    return Answer(Entries(entries=entries), headers=CACHED)


@bp.get("/v1/catalog/goals")
@endpoint()
def list_goals() -> Answer[Goals]:
    """List what people train for."""
    return Answer(Goals(goals=GOALS), headers=CACHED)


def _fits(one: Exercise, query: ExercisesQuery) -> bool:
    return (
        (query.muscle is None or query.muscle in one.primary)
        and (query.pattern is None or query.pattern == one.pattern)
        and (query.level is None or LEVELS.index(one.level) <= LEVELS.index(query.level))
        and (query.q is None or query.q.lower() in one.name.lower())
        and (query.equipment is None or any(set(needed) <= set(query.equipment.split(",")) for needed in one.equipment))
    )


def _entry(one: Exercise) -> ExerciseEntry:
    return ExerciseEntry(
        id=one.id,
        name=one.name,
        pattern=one.pattern,
        primary=one.primary,
        secondary=one.secondary,
        equipment=one.equipment,
        level=one.level,
        unit=one.unit,
    )
