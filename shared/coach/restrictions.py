"""Restrictions: which exercises a person may do, and within which bounds.

What a person has, is allowed by experience, and suffers from is compiled to bit masks over the
catalogue, bit i standing for its i-th exercise, so that a person costs a few ands. Raises Rejected,
with a did-you-mean, for equipment, conditions and medications that the catalogue does not know.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache, reduce
from itertools import compress
from operator import or_
from typing import Final

from shared.coach.catalogue import (
    CONDITIONS,
    EQUIPMENT,
    EXERCISES,
    MEDICATIONS,
    Attributes,
    Exercise,
    Rule,
)
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import Experience, Severity
from shared.errors import Rejected

LEVELS: Final[dict[Experience, tuple[Experience, ...]]] = {
    "beginner": ("beginner", "intermediate"),
    "intermediate": ("beginner", "intermediate", "advanced"),
    "advanced": ("beginner", "intermediate", "advanced"),
}
"""The levels of exercise that each experience may do."""

_SEVERITIES: Final[tuple[Severity, ...]] = ("mild", "moderate", "severe")
_IDS: Final = tuple(EXERCISES)
_PLACES: Final = {exercise_id: place for place, exercise_id in enumerate(_IDS)}
_EVERYTHING: Final = (1 << len(_IDS)) - 1
_ZERO_AND_ONE: Final = bytes.maketrans(b"01", b"\0\1")
"""From digits to numbers, false and true."""

_Issue = tuple[str, Severity]


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What a person may do; the strictest of everything that applies."""

    allowed: frozenset[str]
    """Exercise ids, for membership only; its order varies between processes."""
    mask: int
    """The same as bits, see `mask_of`."""
    min_rir: int
    min_reps: int
    """Of exercises counted in reps."""
    min_rest_s: int
    max_session_minutes: int | None
    see_professional: bool
    """A doctor or physiotherapist should agree first."""
    notes: tuple[str, ...]
    """One sentence each, for people; the most specific of each issue last."""
    constraints: tuple[str, ...]
    """One per issue or medication, in a few words: "knee pain (moderate): no deep knee flexion"."""

    @property
    def allowed_in_order(self) -> tuple[str, ...]:
        """What is allowed, in catalogue order."""
        return tuple(_in_order(self.mask))

    def __hash__(self) -> int:
        """Return a hash of what tells people apart, in a fraction of the time that all the fields take."""
        return hash((self.mask, self.constraints))


def restrictions_for(person: UserProfile) -> Restrictions:
    """Return what this person may do, by equipment, issues, medications and experience alone."""
    return _restrictions(person.equipment, _issues(person), _medications(person), person.experience)


def constraints_for(person: UserProfile) -> tuple[str, ...]:
    """Return `restrictions_for(person).constraints`, without finding out which exercises are left."""
    return tuple([source.constraint for source in _sources(_issues(person), _medications(person))])


def _issues(person: UserProfile) -> tuple[_Issue, ...]:
    return tuple([(issue.id, issue.severity) for issue in (*person.conditions, *person.injuries)])


def _medications(person: UserProfile) -> tuple[str, ...]:
    return tuple([medication.id for medication in person.medications])


def mask_of(exercise_ids: Iterable[str]) -> int:
    """Return exercises as bits of a number, bit i standing for the i-th of the catalogue."""
    return sum(1 << _PLACES[exercise_id] for exercise_id in exercise_ids)


def reasons_against(person: UserProfile, exercise_id: str) -> tuple[str, ...]:
    """Return why a person may not do an exercise, in words; nothing where they may."""
    exercise = EXERCISES.get(exercise_id)
    if exercise is None:
        return (f"{exercise_id} is not in the catalogue",)
    bit = mask_of((exercise_id,))
    reasons = []
    if not _usable(person.equipment) & bit:
        reasons.append(f"needs {_needed(exercise)}")
    if exercise.level not in LEVELS[person.experience]:
        reasons.append(f"is {exercise.level}, for more than a {person.experience}")
    for source in _sources(_issues(person), _medications(person)):
        reasons.extend(
            f"{source.label}: {rule.constraint}"
            for rule, forbidden in zip(source.rules, source.forbidden, strict=True)
            if forbidden & bit
        )
    return tuple(reasons)


@lru_cache(maxsize=256)
def _restrictions(
    equipment: tuple[str, ...],
    issues: tuple[_Issue, ...],
    medications: tuple[str, ...],
    experience: Experience,
) -> Restrictions:
    sources = tuple(_sources(issues, medications))
    rules = [rule for source in sources for rule in source.rules]
    mask = _usable(equipment) & _of_levels(experience)
    for source in sources:
        for forbidden in source.forbidden:
            mask &= ~forbidden
    caps = [rule.max_session_minutes for rule in rules if rule.max_session_minutes is not None]
    return Restrictions(
        allowed=frozenset(_in_order(mask)),
        mask=mask,
        min_rir=max([rule.min_rir for rule in rules], default=0),
        min_reps=max([rule.min_reps for rule in rules], default=1),
        min_rest_s=max([rule.min_rest_s for rule in rules], default=0),
        max_session_minutes=min(caps, default=None),
        see_professional=any([rule.see_professional for rule in rules]),
        notes=tuple(dict.fromkeys([rule.note for rule in rules])),
        constraints=tuple([source.constraint for source in sources]),
    )


def _in_order(mask: int) -> Iterator[str]:
    """Return the exercises of a mask in catalogue order."""
    return compress(_IDS, f"{mask:b}"[::-1].encode().translate(_ZERO_AND_ONE))


@dataclass(frozen=True, slots=True)
class _Source:
    """One thing that restricts, with its rules that apply and the exercises each forbids."""

    label: str
    rules: tuple[Rule, ...]
    forbidden: tuple[int, ...]
    constraint: str


def _source(label: str, rules: tuple[Rule, ...]) -> _Source:
    constraint = f"{label}: {'; '.join(rule.constraint for rule in rules)}"
    return _Source(label, rules, tuple(forbidden_by(rule) for rule in rules), constraint)


def _sources(issues: Iterable[_Issue], medications: Iterable[str]) -> Iterator[_Source]:
    for issue, severity in dict.fromkeys(issues):
        yield _issue_source(issue, severity)
    for medication in dict.fromkeys(medications):
        yield _medication_source(medication)


@cache
def _issue_source(issue: str, severity: Severity) -> _Source:
    condition = CONDITIONS.get(issue)
    if condition is None:
        raise _unknown("conditions or injuries", issue, CONDITIONS)
    reached = _SEVERITIES[: _SEVERITIES.index(severity) + 1]
    rules = tuple(rule for rule in condition.rules if rule.from_ in reached)
    return _source(f"{condition.name} ({severity})", rules)


@cache
def _medication_source(medication: str) -> _Source:
    known = MEDICATIONS.get(medication)
    if known is None:
        raise _unknown("medications", medication, MEDICATIONS)
    return _source(known.name, known.rules)


def _unknown(field: str, word: str, known: Collection[str]) -> Rejected:
    near = get_close_matches(word, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return Rejected(f"{field}: {word!r} is not in the catalogue{hint}")


@lru_cache(maxsize=1024)
def _usable(equipment: tuple[str, ...]) -> int:
    """Return the exercises that can be done with some equipment."""
    for one in equipment:
        if one not in EQUIPMENT:
            raise _unknown("equipment", one, EQUIPMENT)
    owned = frozenset(equipment)
    mask = 0
    for needed, exercises in _by_needed().items():
        if needed <= owned:
            mask |= exercises
    return mask


@cache
def _by_needed() -> dict[frozenset[str], int]:
    """Return the exercises that each set of equipment makes possible by itself."""
    masks: dict[frozenset[str], int] = {}
    for bit, exercise in _bits():
        for alternative in exercise.equipment:
            needed = frozenset(alternative)
            masks[needed] = masks.get(needed, 0) | bit
    return masks


def _bits() -> Iterator[tuple[int, Exercise]]:
    return ((1 << index, exercise) for index, exercise in enumerate(EXERCISES.values()))


@cache
def _of_levels(experience: Experience) -> int:
    return sum(bit for bit, exercise in _bits() if exercise.level in LEVELS[experience])


def forbidden_by(rule: Rule) -> int:
    """Return the exercises that a rule rules out: any of `avoid`, or all of one of `avoid_together`."""
    mask = 0
    for attribute, values in rule.avoid.items():
        mask |= _with({attribute: values})
    for together in rule.avoid_together:
        mask |= _with(together)
    return mask


def _with(attributes: Attributes) -> int:
    """Return the exercises that have one of the values of every attribute."""
    mask = _EVERYTHING
    for attribute, values in attributes.items():
        mask &= reduce(or_, [_with_value(attribute, value) for value in values])
    return mask


@cache
def _with_value(attribute: str, value: str | bool) -> int:
    if attribute == "primary":
        return sum(bit for bit, exercise in _bits() if value in exercise.primary)
    return sum(bit for bit, exercise in _bits() if getattr(exercise, attribute) == value)


def _needed(exercise: Exercise) -> str:
    """Return what an exercise needs in words: "barbell and plates with squat rack, or Smith machine"."""
    return ", or ".join(" with ".join(EQUIPMENT[one].name for one in all_of) for all_of in exercise.equipment)
