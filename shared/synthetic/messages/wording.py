"""Wording: a scenario in the words of the person who has it.

All that is asked for stands in the words, so that who only reads them can answer. The same
random numbers give the same words.
"""

import re
from collections.abc import Callable
from random import Random
from typing import Final

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES, MEDICATIONS
from shared.coach.profile import HealthIssue
from shared.coach.scenario import Intent, Scenario
from shared.coach.vocabulary import Weekday
from shared.synthetic.messages.phrases import PHRASES
from shared.synthetic.messages.scenarios import Ground
from shared.synthetic.messages.styles import style

Values = dict[str, str]

DAY_NAMES: Final[dict[Weekday, str]] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven")
LB_PER_KG: Final = 2.20462
_ARTICLE: Final = re.compile("^an? ")


def word(ground: Ground, scenario: Scenario, rng: Random) -> str:
    """Return the message that a scenario becomes."""
    values = _VALUES[scenario.intent](ground, scenario, rng)
    text = PHRASES.say(_section(scenario), rng, values)
    return style(text, rng)


def _section(scenario: Scenario) -> str:
    match scenario.intent:
        case "training_question":
            return f"question.{scenario.topic}"
        case "dangerous_request":
            return f"dangerous.{scenario.topic}"
        case "out_of_scope_medical":
            return f"out_of_scope_medical.{scenario.topic}"
        case "motivation":
            return f"motivation.{scenario.topic}"
        case "warning_sign":
            return f"frame.{scenario.prompt_type}"
        case intent:
            return intent


def _nothing(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    return {}


def _aims(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    goal = scenario.goal or ground.person.goal
    return {"do_goal": PHRASES.phrase(f"do.{goal}", rng, {}), "aim": PHRASES.phrase(f"aim.{goal}", rng, {})}


def _new_plan(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    person = ground.person
    about = {
        "age": str(person.age),
        "height": _height(person.height_cm, rng),
        "weight": _weight(person.weight_kg, rng),
        "sex_word": PHRASES.phrase(f"sex_word.{person.sex}", rng, {}),
        "trained": PHRASES.phrase(f"trained.{person.experience}", rng, {}),
        "details": _details(scenario, rng),
    }
    return about | _aims(ground, scenario, rng)


def _details(scenario: Scenario, rng: Random) -> str:
    """Return a sentence for each thing that differs from the profile, in any order."""
    said: list[str] = []
    if scenario.days_per_week is not None:
        said.append(PHRASES.say("detail.days", rng, {"days": _number(scenario.days_per_week, rng)}))
    if scenario.session_minutes is not None:
        said.append(PHRASES.say("detail.minutes", rng, {"minutes": str(scenario.session_minutes)}))
    if scenario.equipment:
        said.append(PHRASES.say("detail.equipment", rng, {"equipment": _equipment(scenario.equipment, rng)}))
    elif scenario.equipment is not None:
        said.append(PHRASES.say("detail.no_equipment", rng, {}))
    for issue in scenario.new_issues:
        said.append(PHRASES.say("detail.issue", rng, {"told": _told(issue, rng)}))
    rng.shuffle(said)
    return " ".join(said)


def _shorter(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    return {"minutes": str(scenario.session_minutes)}


def _fewer_days(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    days = scenario.days_per_week or ground.person.days_per_week
    return {"days": _number(days, rng), "old_days": _number(ground.person.days_per_week, rng)}


def _swap(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    day = next(d for d in ground.plan.days if any(line.exercise == scenario.exercise for line in d.exercises))
    return {"exercise": _exercise(scenario, rng), "day": DAY_NAMES[day.weekday]}


def _move_day(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    day, to = (WEEKDAY_NAMES[one] for one in (scenario.topic or "").split(">"))
    return {"day": day, "to_day": to}


def _other_equipment(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    return {"equipment": _equipment(scenario.equipment or (), rng)}


def _new_issue(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    return {"told": _told(scenario.new_issues[0], rng)}


def _new_medication(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    medication = MEDICATIONS[scenario.new_medication or ""]
    text = medication.name
    if rng.random() < 0.5:
        text += f", {medication.doses[int(rng.random() * len(medication.doses))]},"
    for issue in scenario.new_issues:
        text += f" for {CONDITIONS[issue.id].name} ({issue.severity})"
    return {"medication": text.rstrip(",")}


def _issue_values(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    return _of_issue(scenario.new_issues[0], rng) if scenario.new_issues else {}


def _lift(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    summary = ground.summary
    trend = next((lift for lift in summary.lifts if lift.exercise == scenario.exercise), None)
    at_load = ""
    if trend is not None and rng.random() < 0.5:
        at_load = " " + PHRASES.phrase("at", rng, {"load": _weight(trend.last_e1rm_kg, rng)})
    return {"lift": _exercise(scenario, rng), "at_load": at_load, "weeks": str(summary.weeks)}


def _state(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    summary = ground.summary
    return {
        "weeks": str(summary.weeks),
        "sleep": f"{summary.avg_sleep_h or ground.person.sleep_target_h:g}",
        "done": str(summary.done_sessions),
        "planned": str(summary.planned_sessions),
        "missed": str(summary.planned_sessions - summary.done_sessions),
    }


def _question(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    kcal = {"kcal": str(ground.person.maintenance_kcal), "lift": _exercise(scenario, rng)}
    return kcal | _aims(ground, scenario, rng)


def _out_of_scope(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    taken = [MEDICATIONS[medication.id].name for medication in ground.person.medications]
    return {"medication_taken": f"my {taken[0]}" if taken else "my tablets"}


def _warning_sign(ground: Ground, scenario: Scenario, rng: Random) -> Values:
    urgency = "now" if scenario.escalation == "emergency" else "soon"
    sign = PHRASES.phrase(f"{urgency}.{scenario.topic}", rng, {})
    return {"sign": sign, "details": ""} | _aims(ground, scenario, rng)


_VALUES: Final[dict[Intent, Callable[[Ground, Scenario, Random], Values]]] = {
    "new_plan": _new_plan,
    "harder": _nothing,
    "easier": _nothing,
    "more_volume": _aims,
    "shorter": _shorter,
    "fewer_days": _fewer_days,
    "swap": _swap,
    "move_day": _move_day,
    "other_equipment": _other_equipment,
    "new_issue": _new_issue,
    "new_medication": _new_medication,
    "flare_up": _issue_values,
    "dangerous_request": _issue_values,
    "plateau": _lift,
    "improving": _lift,
    "fatigue": _state,
    "missed_sessions": _state,
    "training_question": _question,
    "motivation": _nothing,
    "out_of_scope_medical": _out_of_scope,
    "warning_sign": _warning_sign,
}
WEEKDAY_NAMES: Final[dict[str, str]] = {str(day): name for day, name in DAY_NAMES.items()}


def _told(issue: HealthIssue, rng: Random) -> str:
    """Return how somebody says that they have a condition or an injury, as a clause."""
    own = f"told.{issue.id}"
    section = own if own in PHRASES else f"told.{CONDITIONS[issue.id].kind}"
    return PHRASES.phrase(section, rng, _of_issue(issue, rng))


def _of_issue(issue: HealthIssue, rng: Random) -> Values:
    """Return an issue's name bare, with its article, and with article and severity."""
    named = CONDITIONS[issue.id].name
    bare = _ARTICLE.sub("", named)
    severity = PHRASES.phrase(f"severity.{issue.severity}", rng, {})
    bad = f"{severity} {bare}" if bare == named else f"a {severity} {bare}"
    return {"issue": bare, "issue_a": named, "bad_issue": bad, "severity": severity}


def _exercise(scenario: Scenario, rng: Random) -> str:
    name = EXERCISES[scenario.exercise or ""].name
    return name if rng.random() < 0.4 else name.lower()


def _equipment(kinds: tuple[str, ...], rng: Random) -> str:
    names = [EQUIPMENT[kind].name for kind in kinds]
    if not names:
        return ("my body weight", "my own body weight, no equipment", "body weight and some floor")[
            int(rng.random() * 3)
        ]
    return ", ".join(names) if rng.random() < 0.3 or len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _weight(kg: float, rng: Random) -> str:
    unit = rng.random()
    if unit < 0.3:
        return f"{kg * LB_PER_KG:.0f} lb"
    return f"{kg:.0f} kg" if unit < 0.8 else f"{kg:.0f}kg"


def _height(cm: float, rng: Random) -> str:
    if rng.random() < 0.7:
        return f"{cm:.0f} cm tall"
    feet, inches = divmod(round(cm / 2.54), 12)
    return f"{feet} ft {inches} tall"


def _number(count: int, rng: Random) -> str:
    return str(count) if rng.random() < 0.6 else NUMBERS[count]
