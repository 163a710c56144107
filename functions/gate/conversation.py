"""Conversation: a record as people read it, with its plan as a table and its edits as sentences."""

from dataclasses import dataclass

from shared.coach.catalogue import EXERCISES
from shared.coach.plan import (
    Add,
    Answer,
    Change,
    ChatAnswer,
    Edit,
    EditsAnswer,
    Move,
    PlanAnswer,
    PlannedExercise,
    Remove,
    Swap,
)
from shared.coach.wire import WireError, decode
from shared.records import DatasetRecord

UNITS = {"reps": "", "seconds": " s", "minutes": " min"}


@dataclass(frozen=True)
class Line:
    """One exercise of a day, as its row says it."""

    name: str
    sets: int
    reps: str
    rir: int
    rest_s: int


@dataclass(frozen=True)
class Conversation:
    """What was asked and what was answered."""

    record: DatasetRecord
    escalation: str = "none"
    text: str = ""
    """The reply or the explanation."""
    days: tuple[tuple[str, tuple[Line, ...]], ...] = ()
    edits: tuple[tuple[str, str], ...] = ()
    """What to do, and why."""
    notes: tuple[str, ...] = ()


def conversation(record: DatasetRecord) -> Conversation:
    """Return a record's conversation; of a response that cannot be read, only the response itself."""
    try:
        answer = decode(record.response, record.context.prompt_type)
    except WireError:
        return Conversation(record, text=record.response)
    return _read(record, answer)


def _read(record: DatasetRecord, answer: Answer) -> Conversation:
    match answer:
        case ChatAnswer():
            return Conversation(record, answer.escalation, answer.reply)
        case EditsAnswer():
            edits = tuple((_sentence(edit), edit.why) for edit in answer.edits)
            return Conversation(record, answer.escalation, answer.explanation, (), edits, answer.safety_notes)
        case PlanAnswer():
            days = answer.plan.days if answer.plan else ()
            rows = tuple((f"{day.weekday.title()} · {day.name}", tuple(map(_line, day.exercises))) for day in days)
            return Conversation(record, answer.escalation, answer.explanation, rows, (), answer.safety_notes)


def _name(exercise: str) -> str:
    return EXERCISES[exercise].name if exercise in EXERCISES else exercise


def _line(planned: PlannedExercise) -> Line:
    known = EXERCISES.get(planned.exercise)
    unit = UNITS[known.unit] if known else ""
    return Line(_name(planned.exercise), planned.sets, f"{planned.reps}{unit}", planned.rir, planned.rest_s)


def _sentence(edit: Edit) -> str:
    day = edit.day.title()
    match edit:
        case Swap():
            return f"{day}: {_name(edit.new)} instead of {_name(edit.exercise)}"
        case Add():
            new = _line(edit.new)
            return f"{day}: add {new.name}, {new.sets} × {new.reps}, RIR {new.rir}, rest {new.rest_s} s"
        case Remove():
            return f"{day}: leave out {_name(edit.exercise) if edit.exercise else 'the whole day'}"
        case Change():
            what = _name(edit.exercise) if edit.exercise else "all working sets"
            return f"{day}: {what}, {edit.op} to {edit.value}"
        case Move():
            return f"{day}: move to {edit.to.title()}"
