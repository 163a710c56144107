"""Catalogue: the exercises, equipment, conditions and medications that everything else speaks of.

Read from `data/` once, at import, in file order. A malformed file raises Rejected naming the
file, the entry and the field, so that a wrong word in a rule cannot quietly protect nobody.
"""

import csv
import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from shared.coach.vocabulary import Experience, Severity, Sex
from shared.errors import Rejected
from shared.frozen import Frozen

Pattern = Literal[
    "squat", "lunge", "hinge", "bridge", "knee_extension", "knee_flexion", "calf",
    "horizontal_push", "vertical_push", "horizontal_pull", "vertical_pull",
    "shoulder_isolation", "elbow_flexion", "elbow_extension",
    "core_stability", "core_flexion", "core_rotation", "carry",
    "hip_abduction", "hip_adduction", "cardio", "mobility",
]  # fmt: skip
Muscle = Literal[
    "chest", "lats", "upper_back", "front_delts", "side_delts", "rear_delts", "biceps", "triceps", "forearms",
    "abs", "obliques", "lower_back", "glutes", "quads", "hamstrings", "calves", "adductors", "abductors",
    "hip_flexors", "heart", "mobility",
]  # fmt: skip
Unit = Literal["reps", "seconds", "minutes"]
Load = Literal[
    "none", "bodyweight", "band", "dumbbell", "kettlebell", "barbell", "machine", "cable", "medicine_ball",
    "plate",
]  # fmt: skip
Position = Literal[
    "standing", "seated", "supine", "prone", "side", "kneeling", "quadruped", "hanging", "inverted", "plank"
]

DATA: Final = Path(__file__).parent / "data"


def _listed(text: object) -> object:
    return tuple(text.split(";")) if isinstance(text, str) and text else text or ()


def _alternatives(text: object) -> object:
    if not isinstance(text, str) or not text:
        return ((),)
    return tuple(tuple(one.split("+")) for one in text.split("|"))


def _empty_is_none(text: object) -> object:
    return text or None


Muscles = Annotated[tuple[Muscle, ...], BeforeValidator(_listed)]


@dataclass(frozen=True, slots=True)
class Exercise:
    """A movement and everything that rules, planners and simulators ask about it."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z' -]*[A-Za-z]$")]
    """Letters only, so that a line of the wire form can be told apart from its numbers."""
    pattern: Pattern
    primary: Annotated[Muscles, Field(min_length=1)]
    secondary: Muscles
    equipment: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_alternatives)]
    """Alternatives, of each of which all is needed; ((),) where nothing is."""
    level: Experience
    unit: Unit
    compound: bool
    unilateral: bool
    impact: Literal["none", "low", "high"]
    spinal_load: Literal["none", "low", "moderate", "high"]
    spinal_flexion: bool
    knee_flexion: Literal["none", "partial", "deep"]
    """Under load; a knee that bends freely in the air counts as partial at most."""
    overhead: bool
    position: Position
    balance: Literal["low", "moderate", "high"]
    wrist_load: bool
    isometric: bool
    intensity: Literal["low", "moderate", "high"]
    """What it asks of heart and lungs."""
    load: Load
    """What resists: `none` is a limb's own weight, `bodyweight` a good part of the body's."""
    load_ratio: Annotated[Annotated[float, Field(gt=0, le=4)] | None, BeforeValidator(_empty_is_none)]
    """1RM of an average man with a year or two of training, as a fraction of body weight: the number he
    would log, so of ONE dumbbell where each hand holds one. None where no weight is chosen."""
    seconds_per_rep: Annotated[float, Field(gt=0, le=60)]


class EquipmentKind(Frozen):
    """Something to train with."""

    id: str
    name: str
    category: Literal["home", "gym", "outdoor"]


Attributes = dict[str, tuple[str | bool, ...]]
"""Values by attribute of an exercise, such as {"impact": ("high",), "overhead": (True,)}."""


class Rule(Frozen):
    """What a condition (from a severity on) or a medication asks of training, and who says so."""

    from_: Annotated[Severity, Field(alias="from")] = "mild"
    avoid: Attributes = Field(default_factory=dict)
    """An exercise with any one of these is out."""
    avoid_together: tuple[Attributes, ...] = ()
    """An exercise that has one of every attribute of an entry is out."""
    min_rir: Annotated[int, Field(ge=0, le=4)] = 0
    min_reps: Annotated[int, Field(ge=1, le=12)] = 1
    min_rest_s: Annotated[int, Field(ge=0, le=120)] = 0
    max_session_minutes: Annotated[int | None, Field(ge=20, le=90)] = None
    see_professional: bool = False
    constraint: Annotated[str, Field(min_length=3, max_length=90)]
    """For prompts: a few words."""
    note: Annotated[str, Field(min_length=10, max_length=240)]
    """For people: one sentence."""
    reference: Annotated[str, Field(min_length=10)]
    """Organisation, title and year of the guideline it follows."""

    @model_validator(mode="after")
    def _speaks_of_real_attributes(self) -> "Rule":
        for attributes in (self.avoid, *self.avoid_together):
            for attribute, values in attributes.items():
                _check_values(attribute, values)
        return self


class Condition(Frozen):
    """A condition or an injury: who can have it, and what it asks of training."""

    id: str
    name: str
    """As it stands in the middle of a sentence."""
    kind: Literal["condition", "injury"]
    sexes: Annotated[tuple[Sex, ...], Field(min_length=1)] = ("female", "male", "other")
    min_age: int = 18
    max_age: int = 100
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


class MedicationClass(Frozen):
    """A medication or a class of them: what for, how it is taken, and what it asks of training."""

    id: str
    name: str
    treats: tuple[str, ...] = ()
    """Condition ids."""
    doses: Annotated[tuple[str, ...], Field(min_length=1)]
    frequency: Annotated[tuple[str, ...], Field(min_length=1)]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


def _legal_values() -> dict[str, tuple[str | bool, ...]]:
    """Return what each attribute of an exercise that a rule may speak of can be."""
    hints = get_type_hints(Exercise)
    legal: dict[str, tuple[str | bool, ...]] = {"primary": get_args(Muscle)}
    for field in fields(Exercise):
        if hints[field.name] is bool:
            legal[field.name] = (False, True)
        elif get_origin(hints[field.name]) is Literal:
            legal[field.name] = get_args(hints[field.name])
    return legal


LEGAL_VALUES: Final = _legal_values()


def _check_values(attribute: str, values: tuple[str | bool, ...]) -> None:
    legal = LEGAL_VALUES.get(attribute)
    if legal is None:
        raise ValueError(f"{attribute!r} is no attribute of an exercise; there are {', '.join(LEGAL_VALUES)}")
    wrong = [value for value in values if value not in legal]
    if wrong or not values:
        raise ValueError(f"{attribute} cannot be {wrong}; it is one of {', '.join(map(str, legal))}")


class _Entry(Protocol):
    @property
    def id(self) -> str: ...


_E = TypeVar("_E", bound=_Entry)


def read_yaml(path: Path) -> object:
    """Return what a YAML file holds, not yet checked."""
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a CSV or YAML file, not yet checked."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    rows = read_yaml(path)
    return rows if isinstance(rows, list) else []


def check_entries(rows: list[dict[str, Any]], kind: type[_E], source: str) -> dict[str, _E]:
    """Return rows as entries by id, in their order; Rejected names the entry and field that are wrong."""
    adapter: TypeAdapter[list[_E]] = TypeAdapter(list[kind])  # type: ignore[valid-type]
    try:
        entries = adapter.validate_python(rows)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        row, *where = first["loc"]
        entry = rows[row].get("id") if isinstance(row, int) and isinstance(rows[row], dict) else None
        place = f"{source}, entry {row} ({entry}), field {'.'.join(map(str, where)) or '-'}"
        raise Rejected(f"{place}: {first['msg']}; it is {str(first['input'])[:80]!r}") from error
    by_id = {entry.id: entry for entry in entries}
    if len(by_id) < len(entries):
        ids = [entry.id for entry in entries]
        raise Rejected(f"{source}: {next(i for i in ids if ids.count(i) > 1)!r} stands there twice")
    return by_id


def _read(name: str, kind: type[_E]) -> dict[str, _E]:
    return check_entries(read_rows(DATA / name), kind, name)


def check_links(
    exercises: dict[str, Exercise],
    equipment: dict[str, EquipmentKind],
    conditions: dict[str, Condition],
    medications: dict[str, MedicationClass],
) -> None:
    """Raise Rejected where an entry names equipment or a condition that does not exist."""
    for exercise in exercises.values():
        for missing in sorted({one for all_of in exercise.equipment for one in all_of} - set(equipment)):
            raise Rejected(f"exercises.csv, entry {exercise.id}, field equipment: there is no {missing!r}")
    for medication in medications.values():
        for missing in sorted(set(medication.treats) - set(conditions)):
            raise Rejected(f"medications.yaml, entry {medication.id}, field treats: there is no {missing!r}")


EXERCISES: Final = _read("exercises.csv", Exercise)
EQUIPMENT: Final = _read("equipment.yaml", EquipmentKind)
CONDITIONS: Final = _read("conditions.yaml", Condition)
MEDICATIONS: Final = _read("medications.yaml", MedicationClass)
check_links(EXERCISES, EQUIPMENT, CONDITIONS, MEDICATIONS)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "ches", "shes", "xes", "yes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _spelling(name: str) -> str:
    """Return what stays of a name whatever its case, hyphens, spaces and plurals."""
    return "".join(_singular(word) for word in re.findall(r"[a-z0-9]+", name.lower().replace("'", "")))


_BY_NAME: Final = {exercise.name: exercise for exercise in EXERCISES.values()}


@cache
def _by_spelling() -> dict[str, Exercise]:
    """Return the exercises by spelling; only who meets a name that is not spelt as in the catalogue needs it."""
    return {_spelling(name): exercise for exercise in EXERCISES.values() for name in (exercise.id, exercise.name)}


def find_exercise(name: str) -> Exercise | None:
    """Return the exercise of this name or id, however it is spelt: "push ups", "Push-Up", "push-up"."""
    return _BY_NAME.get(name) or _by_spelling().get(_spelling(name))
