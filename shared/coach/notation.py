"""Notation: one exercise line and one edit as a model spells them.

    line   <Name> <sets>x<reps>[s|min]@<rir>/<rest_s>       Goblet Squat 3x10@2/90 · Plank 3x40s@2/60
    do     swap DAY NAME > NAME · add DAY LINE · remove DAY [NAME] · move DAY > DAY
           sets|reps|rir|rest DAY [NAME] N                  without a name: all working sets of the day

Reading collects every fault instead of stopping at the first, so that whoever wrote the text can mend
it in one go; what cannot be read comes back as None.
"""

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from shared.coach.catalogue import EXERCISES, Exercise, find_exercise
from shared.coach.plan import Add, Change, Edit, Move, PlannedExercise, Remove, Swap, planned
from shared.coach.vocabulary import WEEKDAYS, Weekday
from shared.errors import Rejected

LINE_PATTERN = r"[A-Z][A-Za-z' -]* [1-6]x[0-9]{1,3}(s|min)?@[0-5]/[0-9]{1,3}"
DO_PATTERN = r"(swap|add|remove|sets|reps|rir|rest|move) (mon|tue|wed|thu|fri|sat|sun)( .+)?"

BOUNDS = {"sets": (1, 6), "reps": (1, 120), "rir": (0, 5), "rest": (0, 300)}
"""Lowest and highest value of each number of a line, for anybody."""

UNIT_SUFFIX = {"reps": "", "seconds": "s", "minutes": "min"}
"""What follows the number of a line, by what it counts."""
_LINE = re.compile(r"(.+?) ([0-9]{1,4})x([0-9]{1,4})(s|min)?@([0-9]{1,4})/([0-9]{1,4})")
_LINE_FORM = "a line is 'Name SETSxREPS@RIR/REST', such as 'Goblet Squat 3x10@2/90' or 'Plank 3x40s@2/60'"
_DO_FORMS = {
    "swap": "swap DAY NAME > NAME",
    "add": "add DAY NAME SETSxREPS@RIR/REST",
    "remove": "remove DAY NAME, or remove DAY",
    "move": "move DAY > DAY",
} | {op: f"{op} DAY NAME N, or {op} DAY N" for op in BOUNDS}
_MOST_SUGGESTIONS = 5
_MOST_USUAL_CHARS = 80
_WEEKDAY_OF: dict[str, Weekday] = {day: day for day in WEEKDAYS}
NAMED = {exercise.name: exercise for exercise in EXERCISES.values()}
"""Every exercise, by the name that a line spells."""


class Fault(NamedTuple):
    """What is wrong in a text, where, and what would be right."""

    where: str
    message: str


class Faults(list[Fault]):
    """The faults found so far; looking for similar names stops after a few, as it is slow."""

    def note(self, where: str, message: str) -> None:
        """Add a fault."""
        self.append(Fault(where, message))

    def malformed(self, where: str, op: str, argument: str) -> None:
        """Add the fault that what follows an edit's first word and day has the wrong form."""
        self.note(where, f"cannot read {argument[:80]!r}; the form is {_DO_FORMS[op]!r}")

    def unknown_exercise(self, where: str, name: str) -> None:
        """Add the fault that no exercise has this name, with the nearest ones that exist."""
        tried = sum(fault.message.startswith("unknown exercise") for fault in self)
        near = get_close_matches(name[:60].title(), NAMED, 3) if tried < _MOST_SUGGESTIONS else []
        hint = f"; did you mean {', '.join(near)}?" if near else "; use a name from the catalogue"
        self.note(where, f"unknown exercise {name[:60]!r}{hint}")


def write_line(line: PlannedExercise) -> str:
    """Spell a planned exercise; raises Rejected where the catalogue does not know it."""
    exercise = _known(line.exercise)
    return f"{exercise.name} {line.sets}x{line.reps}{UNIT_SUFFIX[exercise.unit]}@{line.rir}/{line.rest_s}"


def read_line(text: str, where: str, faults: Faults) -> PlannedExercise | None:
    """Read a line; a name counts whatever its case."""
    known = _known_line(text) if len(text) <= _MOST_USUAL_CHARS else None
    return known or _read_line(text, where, faults)


@lru_cache(maxsize=4096)
def _known_line(text: str) -> PlannedExercise | None:
    """Read a line without faults; plans repeat the same few thousand lines."""
    return _read_line(text, "", Faults())


def _read_line(text: str, where: str, faults: Faults) -> PlannedExercise | None:
    match = _LINE.fullmatch(text.strip())
    if match is None:
        faults.note(where, f"{text[:80]!r} is not a line; {_LINE_FORM}")
        return None
    name, sets, reps, suffix, rir, rest = match.groups()
    exercise = read_name(name, where, faults)
    numbers = {"sets": int(sets), "reps": int(reps), "rir": int(rir), "rest": int(rest)}
    fine = [_within(field, value, where, faults) for field, value in numbers.items()]
    if exercise is None or not _right_unit(exercise, suffix or "", where, faults) or not all(fine):
        return None
    return planned(exercise.id, *numbers.values())


def read_name(name: str, where: str, faults: Faults) -> Exercise | None:
    """Find an exercise by its name, whatever its case."""
    exercise = NAMED.get(name) or find_exercise(name)
    if exercise is None:
        faults.unknown_exercise(where, name)
    return exercise


def write_do(edit: Edit) -> str:
    """Spell what an edit does; raises Rejected where the catalogue does not know its exercise."""
    match edit.op:
        case "swap":
            return f"swap {edit.day} {_known(edit.exercise).name} > {_known(edit.new).name}"
        case "add":
            return f"add {edit.day} {write_line(edit.new)}"
        case "remove":
            return f"remove {edit.day}" + (f" {_known(edit.exercise).name}" if edit.exercise else "")
        case "move":
            return f"move {edit.day} > {edit.to}"
    name = f" {_known(edit.exercise).name}" if edit.exercise else ""
    return f"{edit.op} {edit.day}{name} {edit.value}"


def read_do(text: str, why: str, where: str, faults: Faults) -> Edit | None:
    """Read what an edit does, and join it with its reason."""
    op, _, rest = text.strip().partition(" ")
    if op not in _DO_FORMS:
        faults.note(where, f"unknown edit {op[:20]!r}; allowed are {', '.join(_DO_FORMS)}")
        return None
    word, _, argument = rest.partition(" ")
    day = _read_day(word, where, faults)
    if day is None:
        return None
    match op:
        case "swap":
            return _read_swap(day, argument, why, where, faults)
        case "add":
            line = read_line(argument, where, faults)
            return Add(day=day, why=why, new=line) if line else None
        case "remove":
            return _read_remove(day, argument, why, where, faults)
        case "move":
            return _read_move(day, argument, why, where, faults)
    return _read_change(op, day, argument, why, where, faults)


def _read_swap(day: Weekday, argument: str, why: str, where: str, faults: Faults) -> Swap | None:
    old, arrow, new = argument.partition(" > ")
    if not arrow:
        faults.malformed(where, "swap", argument)
        return None
    taken, put = read_name(old.strip(), where, faults), read_name(new.strip(), where, faults)
    return Swap(day=day, why=why, exercise=taken.id, new=put.id) if taken and put else None


def _read_remove(day: Weekday, argument: str, why: str, where: str, faults: Faults) -> Remove | None:
    if not argument:
        return Remove(day=day, why=why)
    exercise = read_name(argument.strip(), where, faults)
    return Remove(day=day, why=why, exercise=exercise.id) if exercise else None


def _read_move(day: Weekday, argument: str, why: str, where: str, faults: Faults) -> Move | None:
    if not argument.startswith("> "):
        faults.malformed(where, "move", argument)
        return None
    to = _read_day(argument[2:].strip(), where, faults)
    return Move(day=day, why=why, to=to) if to else None


def _read_change(op: str, day: Weekday, argument: str, why: str, where: str, faults: Faults) -> Change | None:
    name, _, number = argument.rpartition(" ")
    if not re.fullmatch(r"[0-9]{1,4}", number):
        faults.malformed(where, op, argument)
        return None
    exercise = read_name(name.strip(), where, faults) if name else None
    fine = _within(op, int(number), where, faults)
    if not fine or (name and exercise is None):
        return None
    fields = {"op": op, "day": day, "why": why, "exercise": exercise and exercise.id, "value": int(number)}
    return Change.model_validate(fields)


def _read_day(word: str, where: str, faults: Faults) -> Weekday | None:
    day = _WEEKDAY_OF.get(word)
    if day is None:
        faults.note(where, f"unknown day {word[:20]!r}; allowed are {', '.join(WEEKDAYS)}")
    return day


def _within(field: str, value: int, where: str, faults: Faults) -> bool:
    low, high = BOUNDS[field]
    if low <= value <= high:
        return True
    faults.note(where, f"{field} is {value}; allowed is {low} to {high}")
    return False


def _right_unit(exercise: Exercise, suffix: str, where: str, faults: Faults) -> bool:
    wanted = UNIT_SUFFIX[exercise.unit]
    if suffix == wanted:
        return True
    form = f"'40{wanted}'" if wanted else "a bare number"
    faults.note(where, f"{exercise.name} counts in {exercise.unit}: write {form}, not '40{suffix}'")
    return False


def _known(exercise_id: str) -> Exercise:
    try:
        return EXERCISES[exercise_id]
    except KeyError:
        raise Rejected(f"exercise {exercise_id!r} is not in the catalogue") from None
