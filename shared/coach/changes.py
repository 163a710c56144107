"""Changes: what a draft did to its plan, as edits that can be applied in order, each with its reason.

Days that go come first, then the days that stay: swaps, numbers, additions, removals; moves come last. Where
all working sets of a day get the same number, one edit says so, and others name the exceptions.
"""

from collections.abc import Callable, Iterator

from shared.coach.draft import FIELDS, Draft, DraftDay, DraftLine, Field
from shared.coach.effort import EFFORTS, converted
from shared.coach.plan import Add, Change, Edit, Move, Remove, Swap, planned
from shared.coach.vocabulary import Weekday

Say = Callable[[str, dict[str, str]], str]
"""Words a reason, given its id and what it is about."""

_ATTRIBUTES: dict[Field, str] = {"sets": "sets", "reps": "reps", "rir": "rir", "rest": "rest_s"}
_SHORT_UNITS = {"reps": "reps", "seconds": "s", "minutes": "min"}


def edits_of(draft: Draft, say: Say) -> tuple[Edit, ...]:
    """Return the edits that make of the draft's plan what the draft is now."""
    edits: list[Edit] = [_remove(day.weekday, None, day.name, reason, say) for day, reason in draft.dropped]
    for day in draft.days:
        edits.extend(_swap(day.weekday, line, say) for line in day.lines if _is_swapped(line))
        edits.extend(_changes(day, say))
        edits.extend(_add(day.weekday, line, say) for line in day.lines if line.was is None)
        edits.extend(_removals(day, say))
    edits.extend(_move(day, reason, say) for day, reason in draft.moved)
    return tuple(edits)


def _remove(day: Weekday, exercise: str | None, name: str, reason: str, say: Say) -> Edit:
    why = say(reason, {"op": "remove", "name": name})
    return Remove(op="remove", day=day, why=why, exercise=exercise)


def _removals(day: DraftDay, say: Say) -> Iterator[Edit]:
    for line in day.gone:
        if line.was is not None:
            old = line.was.exercise
            yield _remove(day.weekday, old, EFFORTS[old].exercise.name, line.reasons["remove"], say)


def _move(day: DraftDay, reason: str, say: Say) -> Edit:
    why = say(reason, {"op": "move", "name": day.name})
    return Move(op="move", day=day.weekday, why=why, to=day.to)


def _is_swapped(line: DraftLine) -> bool:
    return line.was is not None and line.was.exercise != line.effort.id


def _swap(day: Weekday, line: DraftLine, say: Say) -> Edit:
    old = line.was.exercise if line.was else line.effort.id
    why = say(line.reasons["swap"], {"name": EFFORTS[old].exercise.name, "new": line.effort.exercise.name})
    return Swap(op="swap", day=day, why=why, exercise=old, new=line.effort.id)


def _add(day: Weekday, line: DraftLine, say: Say) -> Edit:
    new = planned(line.effort.id, line.sets, line.reps, line.rir, line.rest_s)
    why = say(line.reasons["add"], {"op": "add", "name": line.effort.exercise.name})
    return Add(op="add", day=day, why=why, new=new)


def _changes(day: DraftDay, say: Say) -> Iterator[Edit]:
    """Yield what brings a day's numbers to what they are, for all sets at once where that is shorter."""
    touched = [line for line in day.lines if line.was is not None and line.reasons]
    if not touched:
        return
    counted = [line for line in day.lines if line.was is not None and line.effort.counted]
    for field in FIELDS:
        changed = [line for line in touched if _is_changed(line, field)]
        if field != "reps" and len(changed) > 1:
            common = _most_common([_now(line, field) for line in counted])
            first = next((line for line in changed if line.effort.counted and _now(line, field) == common), None)
            others = [line for line in counted if _now(line, field) != common]
            others.extend(line for line in changed if not line.effort.counted)
            if first and 1 + len(others) < len(changed):
                yield _change(day.weekday, first, field, say, everything=True)
                changed = others
        for line in changed:
            yield _change(day.weekday, line, field, say)


def _is_changed(line: DraftLine, field: Field) -> bool:
    """Return whether a number differs; none does without a reason of its own, or a swap."""
    return (field in line.reasons or "swap" in line.reasons) and _before(line, field) != _now(line, field)


def _most_common(values: list[int]) -> int | None:
    return max(values, key=values.count) if values else None


def _change(day: Weekday, line: DraftLine, field: Field, say: Say, everything: bool = False) -> Edit:
    value = _now(line, field)
    reason = line.reasons.get(field) or line.reasons.get("swap") or "as it was"
    name = "every working set" if everything else line.effort.exercise.name
    about = {
        "name": name,
        "field": field,
        "before": _worded(line, field, _before(line, field)),
        "value": _worded(line, field, value),
    }
    exercise = None if everything else line.effort.id
    return Change(op=field, day=day, why=say(reason, about), exercise=exercise, value=value)


def _worded(line: DraftLine, field: Field, value: int) -> str:
    """Return a number with its unit, as people say it."""
    match field:
        case "sets":
            return "1 set" if value == 1 else f"{value} sets"
        case "reps":
            unit = _SHORT_UNITS[line.effort.exercise.unit]
            return "1 rep" if value == 1 and unit == "reps" else f"{value} {unit}"
        case "rest":
            return f"{value} s"
    return str(value)


def _now(line: DraftLine, field: Field) -> int:
    number: int = getattr(line, _ATTRIBUTES[field])
    return number


def _before(line: DraftLine, field: Field) -> int:
    """Return a number as it was, or as a swap left it."""
    was = line.was
    if was is None:
        return _now(line, field)
    if field == "reps":
        return converted(was.reps, EFFORTS[was.exercise].exercise, line.effort.exercise)
    number: int = getattr(was, _ATTRIBUTES[field])
    return number
