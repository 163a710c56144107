"""Wire: the compact JSON object that a model writes, and answers made of it.

    plan_creation    {"escalation","plan":{"name","goal","days":[{"day","name","exercises":[LINE,…]},…]},
                      "explanation","safety_notes":[…]}         plan is null only in an emergency
    the changes      {"escalation","edits":[{"do","why"},…],"explanation","safety_notes":[…]}
    coach_chat       {"escalation","reply"}

Keys stand in this order, without white space between tokens. Decoding is strict, and a WireError
tells all that is wrong at once. `notation` has the form of a LINE and of a "do".
"""

import json
import re
from functools import cache
from typing import Never, TypeVar, get_args

import orjson
from pydantic import ValidationError

from shared.coach.notation import (
    DO_PATTERN,
    LINE_PATTERN,
    Fault,
    Faults,
    read_do,
    read_line,
    write_do,
    write_line,
)
from shared.coach.plan import (
    Answer,
    ChatAnswer,
    Edit,
    EditsAnswer,
    PlanAnswer,
    PlanDay,
    PlannedExercise,
    WorkoutPlan,
)
from shared.coach.reasoning import strip_reasoning as strip_reasoning
from shared.coach.vocabulary import GOALS, WEEKDAYS, Escalation, PromptType
from shared.errors import Rejected

ESCALATIONS: tuple[Escalation, ...] = get_args(Escalation)
_CHANGE_KEYS = ("escalation", "edits", "explanation", "safety_notes")
_KEYS: dict[PromptType, tuple[str, ...]] = {
    "plan_creation": ("escalation", "plan", "explanation", "safety_notes"),
    "plan_modification": _CHANGE_KEYS,
    "safety_adjustment": _CHANGE_KEYS,
    "progress_adaptation": _CHANGE_KEYS,
    "coach_chat": ("escalation", "reply"),
}
_A = TypeVar("_A", PlanAnswer, EditsAnswer, ChatAnswer)
_Word = TypeVar("_Word", bound=str)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MOST_DAYS, _MOST_LINES, _MOST_EDITS, _MOST_NOTES = 7, 12, 100, 8


class WireError(Rejected):
    """An answer that cannot be read; `faults` lists all that is wrong with it."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{where}: {message}" for where, message in faults))
        self.faults = faults


def encode(answer: Answer) -> str:
    """Spell an answer; raises Rejected where it names an exercise the catalogue does not have."""
    fields: dict[str, object] = {"escalation": answer.escalation}
    match answer.kind:
        case "chat":
            fields["reply"] = answer.reply
        case "plan":
            fields["plan"] = _plan_fields(answer.plan)
        case "edits":
            fields["edits"] = [{"do": write_do(edit), "why": edit.why} for edit in answer.edits]
    if answer.kind != "chat":
        fields |= {"explanation": answer.explanation, "safety_notes": answer.safety_notes}
    return orjson.dumps(fields).decode()


def plan_lines(plan: WorkoutPlan) -> str:
    """Return a plan as text, one day a line, for prompts."""
    return "\n".join(f"{day.weekday} {day.name}: {', '.join(map(write_line, day.exercises))}" for day in plan.days)


def _plan_fields(plan: WorkoutPlan | None) -> dict[str, object] | None:
    if plan is None:
        return None
    days = [
        {"day": day.weekday, "name": day.name, "exercises": [write_line(line) for line in day.exercises]}
        for day in plan.days
    ]
    return {"name": plan.name, "goal": plan.goal, "days": days}


def decode(text: str, prompt_type: PromptType) -> Answer:
    """Read an answer; raises WireError with every fault."""
    faults = Faults()
    fields = _object(_parse(text), _KEYS[prompt_type], "answer", faults)
    escalation = _choice(fields, "escalation", ESCALATIONS, "", faults)
    if prompt_type == "coach_chat":
        values: dict[str, object] = {"reply": _text(fields, "reply", 2000, "", faults)}
        return _built(ChatAnswer, values | {"escalation": escalation}, faults)
    values = {
        "escalation": escalation,
        "explanation": _text(fields, "explanation", 1200, "", faults),
        "safety_notes": _notes(fields, faults),
    }
    if prompt_type == "plan_creation":
        return _built(PlanAnswer, values | {"plan": _plan(fields, escalation, faults)}, faults)
    return _built(EditsAnswer, values | {"edits": _edits(fields, faults)}, faults)


def _built(model: type[_A], values: dict[str, object], faults: Faults) -> _A:
    if faults:
        raise WireError(tuple(faults))
    try:
        return model(**values)
    except ValidationError as exc:
        raise WireError(tuple(Fault(".".join(map(str, e["loc"])), e["msg"]) for e in exc.errors())) from exc


def _parse(text: str) -> object:
    """Return what a text holds as JSON; raises WireError where it is none."""
    try:
        value: object = _DECODER.decode(text)
        text.encode()
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as exc:
        message = f"not a JSON object: {exc.msg} at character {exc.pos} of {len(text)}"
        raise WireError((Fault("answer", message),)) from exc
    except RecursionError as exc:
        raise WireError((Fault("answer", "nested too deeply"),)) from exc
    except UnicodeEncodeError as exc:
        raise WireError((Fault("answer", "holds half of a surrogate pair, which is no character"),)) from exc
    except ValueError as exc:
        raise WireError((Fault("answer", str(exc)[:200]),)) from exc
    return value


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not a number in JSON")


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("an object repeats a key")
    return fields


_DECODER = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_unrepeated)


def _object(value: object, keys: tuple[str, ...], where: str, faults: Faults) -> dict[str, object]:
    """Return a value as an object with exactly these keys, noting those that lack or are too many."""
    if not isinstance(value, dict):
        faults.note(where, f"must be an object with the keys {', '.join(keys)}, not {_kind(value)}")
        return {}
    if tuple(value) == keys:
        return value
    for key in value:
        if key not in keys:
            faults.note(where, f"unknown key {str(key)[:40]!r}; allowed are {', '.join(keys)}")
    for key in keys:
        if key not in value:
            faults.note(where, f"the key {key!r} is missing")
    return value


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")


def _choice(fields: dict[str, object], key: str, allowed: tuple[_Word, ...], where: str, faults: Faults) -> _Word:
    """Return one of some words; where it is none of them, the first, having noted the fault."""
    value = fields.get(key)
    if value in allowed:
        return value
    if key in fields:
        faults.note(where + key, f"is {str(value)[:40]!r}; allowed are {', '.join(allowed)}")
    return allowed[0]


def _text(fields: dict[str, object], key: str, most: int, where: str, faults: Faults) -> str:
    return _checked_text(fields[key], most, where + key, faults) if key in fields else ""


def _checked_text(value: object, most: int, where: str, faults: Faults) -> str:
    if not isinstance(value, str):
        faults.note(where, f"must be text, not {_kind(value)}")
        return ""
    if not value.strip() or len(value) > most:
        faults.note(where, f"has {len(value.strip())} characters; allowed is 1 to {most}")
    if not value.isprintable() and _CONTROL.search(value):
        faults.note(where, "holds a control character; allowed are printable ones and line breaks")
    return value


def _list(fields: dict[str, object], key: str, least: int, most: int, where: str, faults: Faults) -> list[object]:
    value = fields.get(key, [])
    if not isinstance(value, list):
        faults.note(where + key, f"must be a list, not {_kind(value)}")
        return []
    if key in fields and not least <= len(value) <= most:
        faults.note(where + key, f"has {len(value)} entries; allowed is {least} to {most}")
    return value[:most]


def _notes(fields: dict[str, object], faults: Faults) -> tuple[str, ...]:
    notes = _list(fields, "safety_notes", 0, _MOST_NOTES, "", faults)
    return tuple(_checked_text(note, 300, f"safety_notes[{i}]", faults) for i, note in enumerate(notes))


def _plan(fields: dict[str, object], escalation: str, faults: Faults) -> WorkoutPlan | None:
    if fields.get("plan") is None:
        if "plan" in fields and escalation != "emergency":
            faults.note("plan", "may be null only where escalation is emergency")
        return None
    found = len(faults)
    plan = _object(fields["plan"], ("name", "goal", "days"), "plan", faults)
    name = _text(plan, "name", 80, "plan.", faults)
    goal = _choice(plan, "goal", GOALS, "plan.", faults)
    days = _list(plan, "days", 1, _MOST_DAYS, "plan.", faults)
    read = [_day(day, f"plan.days[{i}]", faults) for i, day in enumerate(days)]
    if len(faults) > found:
        return None
    return WorkoutPlan.model_construct(name=name, goal=goal, days=tuple(read))


def _day(value: object, where: str, faults: Faults) -> PlanDay:
    day = _object(value, ("day", "name", "exercises"), where, faults)
    where = f"{where}."
    weekday = _choice(day, "day", WEEKDAYS, where, faults)
    name = _text(day, "name", 40, where, faults)
    lines = _list(day, "exercises", 1, _MOST_LINES, where, faults)
    read = [_line(line, f"{where}exercises[{i}]", faults) for i, line in enumerate(lines)]
    return PlanDay.model_construct(weekday=weekday, name=name, exercises=tuple(line for line in read if line))


def _line(value: object, where: str, faults: Faults) -> PlannedExercise | None:
    if not isinstance(value, str):
        faults.note(where, f"must be text, not {_kind(value)}")
        return None
    return read_line(value, where, faults)


def _edits(fields: dict[str, object], faults: Faults) -> tuple[Edit, ...]:
    edits = _list(fields, "edits", 0, _MOST_EDITS, "", faults)
    read = [_edit(edit, f"edits[{i}]", faults) for i, edit in enumerate(edits)]
    return tuple(edit for edit in read if edit)


def _edit(value: object, where: str, faults: Faults) -> Edit | None:
    found = len(faults)
    edit = _object(value, ("do", "why"), where, faults)
    do, why = _text(edit, "do", 200, f"{where}.", faults), _text(edit, "why", 240, f"{where}.", faults)
    if len(faults) > found and not do:
        return None
    return read_do(do, why[:240] or "-", f"{where}.do", faults)


def _strict_object(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(items: object, least: int, most: int) -> dict[str, object]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


@cache
def answer_schema(prompt_type: PromptType) -> dict[str, object]:
    """Return the JSON schema of the wire form: every key required, none besides. Not to be changed."""
    text: dict[str, object] = {"type": "string"}
    escalation = {"type": "string", "enum": list(ESCALATIONS)}
    if prompt_type == "coach_chat":
        return _strict_object(escalation=escalation, reply=text)
    rest = {"explanation": text, "safety_notes": _array(text, 0, _MOST_NOTES)}
    if prompt_type != "plan_creation":
        edit = _strict_object(do={"type": "string", "pattern": f"^{DO_PATTERN}$"}, why=text)
        return _strict_object(escalation=escalation, edits=_array(edit, 0, _MOST_EDITS), **rest)
    line = {"type": "string", "pattern": f"^{LINE_PATTERN}$"}
    day = _strict_object(
        day={"type": "string", "enum": list(WEEKDAYS)}, name=text, exercises=_array(line, 1, _MOST_LINES)
    )
    days = _array(day, 1, _MOST_DAYS)
    plan = _strict_object(name=text, goal={"type": "string", "enum": list(GOALS)}, days=days)
    return _strict_object(escalation=escalation, plan={"anyOf": [plan, {"type": "null"}]}, **rest)
