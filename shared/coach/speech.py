"""Speech: what the rule-based coach says about a plan, a change or a question.

Composed of many small sentences with choices, so that a student learns to speak and not to recite.
Equal random numbers give equal words.
"""

import re
from collections.abc import Sequence
from random import Random
from typing import Final

from shared.coach.catalogue import CONDITIONS, DATA, EQUIPMENT, EXERCISES, MEDICATIONS
from shared.coach.effort import weekly_sets
from shared.coach.plan import Edit, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.restrictions import restrictions_for
from shared.coach.scenario import Scenario
from shared.coach.training_log import TrainingSummary
from shared.coach.vocabulary import Weekday
from shared.grammar import Grammar
from shared.records import Query

PHRASES: Final = Grammar.read(*(DATA / f"{name}_phrases.txt" for name in ("plan", "chat")))
CAUTIONS: Final[dict[str, tuple[str, ...]]] = {
    "protein": ("chronic_kidney_disease",),
    "training_day_food": ("chronic_kidney_disease", "type_1_diabetes"),
    "calorie_deficit": ("pregnancy", "postpartum"),
    "hydration": ("heart_failure", "chronic_kidney_disease"),
    "evening_coffee": ("pregnancy", "postpartum", "hypertension", "atrial_fibrillation", "anxiety"),
    "creatine": ("chronic_kidney_disease", "pregnancy", "postpartum", "heart_failure"),
    "caffeine": ("pregnancy", "postpartum", "hypertension", "atrial_fibrillation", "anxiety", "reflux"),
}
"""Conditions with which the usual answer to a question would be wrong."""
LIFE_PHASES: Final = ("pregnancy", "postpartum", "menopause")
MOST_NOTES: Final = 5
DAY_NAMES: Final[dict[Weekday, str]] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
LOW_SLEEP_H: Final = 6.6
LOW_ATTENDANCE: Final = 0.75
NORMAL_BMI: Final = 27
_ARTICLE: Final = re.compile("^(?:an?|the) ")

Values = dict[str, str]


def explain_plan(query: Query, person: UserProfile, plan: WorkoutPlan, rng: Random) -> str:
    """Return why a new plan is as it is."""
    scenario = query.scenario
    values = (
        _about(person)
        | _of_request(scenario, person, rng)
        | {
            "sets": str(weekly_sets(plan)),
            "first": EXERCISES[plan.days[0].exercises[0].exercise].name,
        }
    )
    careful = plan.goal == "fat_loss" and needs_caution("calorie_deficit", person)
    sections = ["plan.open", "plan.why.careful" if careful else f"plan.why.{plan.goal}"]
    if values["issues"]:
        sections.append("plan.limits")
    elif scenario.equipment is not None:
        sections.append("plan.equipment")
    else:
        sections.append(f"plan.level.{person.experience}")
    sections.append("plan.next")
    return _say([*_professional(scenario), *sections], rng, values)


def explain_edits(query: Query, person: UserProfile, edits: Sequence[Edit], rng: Random) -> str:
    """Return what was changed in a plan, or why nothing was."""
    scenario = query.scenario
    values = _about(person) | _of_log(query.summary) | _of_request(scenario, person, rng) | _of_edits(edits)
    if edits:
        counted = "edits.days" if _leaves_days_alone(query.plan, edits) and rng.random() < 0.5 else "edits.count"
        sections = [_reason(scenario), *rng.sample((counted, "edits.close"), 1 + (rng.random() < 0.5))]
    elif scenario.intent == "dangerous_request":
        sections = [_reason(scenario)]
    elif scenario.intent == "warning_sign":
        sections = []
    else:
        sections = ["edits.noted", "edits.none"] if "noted" in values else ["edits.none"]
    return _say([*sections, *_professional(scenario)], rng, values)


def reply(query: Query, person: UserProfile, rng: Random) -> str:
    """Return the answer to a question in a chat."""
    scenario, topic = query.scenario, query.scenario.topic or ""
    values = _about(person) | _of_log(query.summary) | _of_request(scenario, person, rng)
    match scenario.intent:
        case "warning_sign":
            sections = list(_professional(scenario))
        case "out_of_scope_medical":
            sections = [f"chat.oos.{topic}", "chat.oos.close"]
        case "motivation":
            sections = [f"chat.motivation.{topic}", _tie(person, query.summary, rng)]
        case _ if needs_caution(topic, person):
            sections = [f"caution.{topic}", "caution.close"]
        case _:
            sections = [f"chat.{topic}", _tie(person, query.summary, rng)]
    return _say(sections, rng, values)


def urgent(scenario: Scenario, rng: Random) -> str:
    """Return what to say first, and only, when somebody describes an emergency."""
    if scenario.topic == "suicidal":
        return _say(["emergency.suicidal", "emergency.suicidal.close"], rng, {})
    return _say(["emergency.open", f"emergency.{scenario.topic}", "emergency.close"], rng, {})


def urgent_notes(scenario: Scenario, rng: Random) -> tuple[str, ...]:
    """Return what to do while help is on the way."""
    section = "urgent.notes.suicidal" if scenario.topic == "suicidal" else "urgent.notes"
    return (PHRASES.say(section, rng, {}),)


def safety_notes(person: UserProfile, rng: Random) -> tuple[str, ...]:
    """Return what to mind in training, from the person's own limits, and one thing for everybody."""
    own = restrictions_for(person).notes[-MOST_NOTES:]
    return (*own, PHRASES.say("note.general", rng, {}))


def needs_caution(topic: str, person: UserProfile) -> bool:
    """Return whether a question has another answer for this person than for most."""
    return any(issue.id in CAUTIONS.get(topic, ()) for issue in person.conditions)


def _say(sections: Sequence[str], rng: Random, values: Values) -> str:
    return " ".join([PHRASES.say(section, rng, values) for section in sections])


def _reason(scenario: Scenario) -> str:
    if scenario.intent == "new_issue" and scenario.new_issues[0].id in LIFE_PHASES:
        return "edits.life_phase"
    return f"edits.{scenario.intent}"


def _professional(scenario: Scenario) -> tuple[str, ...]:
    """Return the sections that send somebody to a doctor, where that is called for."""
    if scenario.escalation != "see_professional":
        return ()
    if scenario.intent == "warning_sign":
        return (f"professional.{scenario.topic}", "professional.until")
    return ("professional.danger",) if scenario.intent == "dangerous_request" else ("professional.issue",)


def _tie(person: UserProfile, summary: TrainingSummary | None, rng: Random) -> str:
    """Return a section that ties an answer to this person's goal, log or limits."""
    ties = [f"chat.tie.{person.goal}", "chat.tie.plain"]
    if person.injuries:
        ties.append("chat.tie.injuries")
    if summary is not None and (summary.avg_sleep_h or LOW_SLEEP_H) < LOW_SLEEP_H:
        ties.append("chat.tie.sleep")
    if summary is not None and summary.done_sessions < LOW_ATTENDANCE * summary.planned_sessions:
        ties.append("chat.tie.attendance")
    return ties[int(rng.random() * len(ties))]


def _about(person: UserProfile) -> Values:
    """Return what may be said about anybody."""
    issues = [_ARTICLE.sub("", CONDITIONS[issue.id].name) for issue in (*person.injuries, *person.conditions)]
    weight_kg = min(person.weight_kg, NORMAL_BMI * (person.height_cm / 100) ** 2)
    return {
        "goal": _goal(person),
        "days": _number(person.days_per_week),
        "minutes": str(person.session_minutes),
        "equipment": _listed([_with_article(EQUIPMENT[one].name) for one in person.equipment[:4]])
        or "your body weight",
        "issues": _listed(list(dict.fromkeys(issues))[:2]),
        "injuries": _listed(issues[: len(person.injuries)][:2]),
        "kcal": str(person.maintenance_kcal),
        "protein": f"{1.6 * weight_kg:.0f} to {2 * weight_kg:.0f}",
        "sleep": f"{person.sleep_target_h:g}",
        "slept": f"you aim for {person.sleep_target_h:g} h a night",
        "lift": "your main lifts",
    }


def _of_request(scenario: Scenario, person: UserProfile, rng: Random) -> Values:
    """Return what the message itself is about."""
    values: Values = {}
    if scenario.exercise is not None:
        values["exercise"] = values["lift"] = EXERCISES[scenario.exercise].name
    if scenario.new_issues:
        values["issues"] = _listed([_ARTICLE.sub("", CONDITIONS[issue.id].name) for issue in scenario.new_issues])
        values["noted"] = f"your {values['issues']}"
    if scenario.new_medication is not None:
        values["medication"] = values["noted"] = MEDICATIONS[scenario.new_medication].name
    if scenario.intent == "move_day" and scenario.topic:
        day, _, to_day = scenario.topic.partition(">")
        names: dict[str, str] = dict(DAY_NAMES.items())
        values |= {"day": names[day], "to_day": names[to_day]}
    if scenario.intent == "dangerous_request":
        values["danger"] = PHRASES.phrase(f"danger.{scenario.topic}", rng, {})
        values["alternative"] = PHRASES.say(f"instead.{scenario.topic}", rng, {"goal": _goal(person)})
    return values


def _of_edits(edits: Sequence[Edit]) -> Values:
    """Return how many changes there are, and on which days."""
    one = len(edits) == 1
    return {
        "changes": f"{_number(len(edits))} {'change' if one else 'changes'}",
        "reasons": "with its reason" if one else "each with its reason",
        "touched": _listed([DAY_NAMES[day] for day in dict.fromkeys(edit.day for edit in edits)]),
    }


def _leaves_days_alone(plan: WorkoutPlan | None, edits: Sequence[Edit]) -> bool:
    """Return whether edits keep all days where they are, and some of them as they were."""
    days = len(plan.days) if plan else 0
    whole_days = any(edit.op == "move" or (edit.op == "remove" and not edit.exercise) for edit in edits)
    return not whole_days and len({edit.day for edit in edits}) < days


def _of_log(summary: TrainingSummary | None) -> Values:
    if summary is None:
        return {}
    values = {
        "weeks": str(summary.weeks),
        "done": str(summary.done_sessions),
        "planned": str(summary.planned_sessions),
        "missed": str(summary.planned_sessions - summary.done_sessions),
        "sets": f"{summary.sets_per_week:.0f} a week",
    }
    if summary.lifts:
        values["lift"] = EXERCISES[summary.lifts[0].exercise].name
    if summary.avg_sleep_h is None:
        return values
    slept = f"{summary.avg_sleep_h:g}"
    return values | {"sleep": slept, "slept": f"your log shows about {slept} h a night"}


def _goal(person: UserProfile) -> str:
    return person.goal.replace("_", " ")


def _with_article(name: str) -> str:
    """Return the name of equipment as it stands in a sentence: "a kettlebell", "dumbbells"."""
    if name.endswith("s"):
        return name
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)
