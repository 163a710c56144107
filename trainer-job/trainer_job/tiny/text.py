"""Text: what the tiny base is made from: a coach's papers, not answers to prompts.

    outline   who somebody is, a message, and the frame of a week for it: its goal, its days and their names
    opening   the same with a menu, and the first day or two of the week in full
    week      who somebody is, a menu, sometimes in a few words what they asked for, and the whole week
    reading   a message, and in a few words what it asks for
    change    a plan, in a few words what was asked, and what was changed
    form      an answer, without the prompt that it answered

What is planned or changed is spelt as in an answer. A menu tells a pattern's exercises in the order in which the
week reaches for them, so that there is a rule to find: the next that was not used yet.

So the base learns to follow a message, to copy from a menu, to dose, and to spell, each by itself; no paper
holds a message and a whole plan for it. To do all that at once, for a prompt, is left to the student.
People and messages come from the train split of a run. Equal arguments give equal papers.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES
from shared.coach.menu import menu
from shared.coach.plan import PlanAnswer, PlanDay, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import GOALS
from shared.coach.wire import encode, plan_lines
from shared.errors import Rejected
from shared.prompt import render
from shared.records import Query

_T = TypeVar("_T")

_PLANNED: Final = '"plan":{'
_CHANGED: Final = '"edits":[{'
_DAYS: Final = (2, 3, 3, 4, 4, 5, 6)
_MINUTES: Final = (20, 25, 30, 35, 40, 45, 50, 60, 75, 90)
_MOST_MORE: Final = 2
"""So many names at most stand in a row of a menu beside those that are used."""
_NEAR: Final = 5
"""How far down the ranking a menu's other names come from."""
_MORE_FACTS: Final = 0.25
_STORED: Final = 0.5
"""How many weeks are for what the profile says."""
_OPENING_DAYS: Final = (1, 1, 2)
_STRAY_ROW: Final = 0.3
"""How many rows stand in a menu that the days have no use for."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document: what is given is read but not learned, so that no time goes into guessing it."""

    given: str
    written: str
    ends: bool = True
    """Whether all of it is there."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many papers of each kind a base reads."""

    outlines: int
    readings: int
    openings: int
    weeks: int
    changes: int
    forms: int


def papers(answered: Sequence[tuple[Query, str]], shares: Shares, seed: int) -> list[Paper]:
    """Return the papers made from some people's messages and their answers in the wire form."""
    if not answered:
        raise Rejected("the tiny base needs the messages of a run, and there are none")
    rng = Random(f"papers:{seed}")
    people = list({query.user_id: query.profile for query, _ in answered}.values())
    shuffled = rng.sample(answered, len(answered))
    plans = [query for query, answer in shuffled if query.prompt_type == "plan_creation" and _PLANNED in answer]
    others = [query for query, _ in shuffled if query.prompt_type != "plan_creation"]
    changed = [(query, answer) for query, answer in shuffled if query.plan is not None and _CHANGED in answer]
    asked = shares.readings // 2
    text = [
        *(_outline(query, rng) for query in _cycled(plans, shares.outlines)),
        *map(_reading, _cycled(plans, asked)),
        *map(_reading, _cycled(others, shares.readings - asked)),
        *(_opening(query, rng) for query in _cycled(plans, shares.openings)),
        *(_week(person, rng) for person in _cycled(people, shares.weeks)),
        *(_change(query, answer) for query, answer in changed[: shares.changes]),
        *(Paper("", answer) for _, answer in _cycled(shuffled, shares.forms)),
    ]
    return rng.sample(text, len(text))


def _cycled(items: Sequence[_T], count: int) -> Iterable[_T]:
    return (items[place % len(items)] for place in range(count if items else 0))


def _outline(query: Query, rng: Random) -> Paper:
    plan = make_plan(query.scenario.person(query.profile), rng.getrandbits(32))
    frame = _wired(plan, [day.model_copy(update={"exercises": ()}) for day in plan.days])
    given = [*_some_facts(query.profile, rng), f"Message: {query.request}", ""]
    return Paper("\n".join(given), f"Week: {frame}")


def _opening(query: Query, rng: Random) -> Paper:
    """Return the first days of a week; their menu can be short."""
    asked = query.scenario.person(query.profile)
    plan = make_plan(asked, rng.getrandbits(32))
    days = plan.days[: rng.choice(_OPENING_DAYS)]
    given = [*_some_facts(query.profile, rng), *_menu(asked, days, rng), f"Message: {query.request}", ""]
    return Paper("\n".join(given), f"Week: {_wired(plan, days).removesuffix(']}')}", ends=False)


def _week(person: UserProfile, rng: Random) -> Paper:
    """Return a week, for what the profile says or for what somebody asked instead."""
    asked = _varied(person, rng)
    plan = make_plan(asked, rng.getrandbits(32))
    stored = rng.random() < _STORED
    facts = _some_facts(asked if stored else person, rng)
    given = [*facts, *_menu(asked, plan.days, rng), *([] if stored else [_wish(asked)]), ""]
    return Paper("\n".join(given), f"Week: {_wired(plan, plan.days)}")


def _wired(plan: WorkoutPlan, days: Sequence[PlanDay]) -> str:
    """Return a plan with some days as it stands in an answer."""
    plan = plan.model_copy(update={"days": tuple(days)})
    answer = PlanAnswer(escalation="none", plan=plan, explanation="-", safety_notes=())
    return encode(answer).partition('"plan":')[2].partition(',"explanation":')[0]


def _wish(person: UserProfile) -> str:
    return f"Asked: plan creation; {person.goal}; {person.days_per_week} days; {person.session_minutes} minutes"


def _reading(query: Query) -> Paper:
    facts = _facts(query.profile)
    given = [*facts[1:3], f"Message: {query.request}", ""]
    return Paper("\n".join(given), f"Asked: {_asked(query)}")


def _change(query: Query, answer: str) -> Paper:
    if query.plan is None:
        raise Rejected(f"query {query.query_id} changes no plan")
    facts = _facts(query.profile)
    given = [*facts[1:3], facts[-1], f"Plan: {query.plan.name}", plan_lines(query.plan), f"Asked: {_asked(query)}", ""]
    edits = answer.partition('"edits":')[2].partition(',"explanation":')[0]
    return Paper("\n".join(given), f"Changes: {edits}")


def _varied(person: UserProfile, rng: Random) -> UserProfile:
    """Return the person with other wishes, so that few people make many different weeks."""
    changes: dict[str, object] = {}
    if rng.random() < 0.5:
        changes["days_per_week"] = rng.choice(_DAYS)
    if rng.random() < 0.5:
        changes["session_minutes"] = rng.choice(_MINUTES)
    if rng.random() < 0.4:
        goal = rng.choice(GOALS)
        changes["goals"] = (goal, *(other for other in person.goals if other != goal))
    return person.model_copy(update=changes)


def _facts(person: UserProfile) -> list[str]:
    """Return what a prompt tells of a person before the menu, a fact a line; the limits come last."""
    lines = render("plan_creation", person, "", None, None).user.split("\n")
    return lines[: lines.index("Menu:")]


def _some_facts(person: UserProfile, rng: Random) -> list[str]:
    """Return the facts that decide a plan, and some that the menu has already taken in."""
    facts = _facts(person)
    return [*facts[:3], *(fact for fact in facts[3:-1] if rng.random() < _MORE_FACTS), facts[-1]]


def _menu(person: UserProfile, days: Iterable[PlanDay], rng: Random) -> list[str]:
    """Return a menu with all that the days use, in their order, and a few others that would have done as well."""
    used = list(dict.fromkeys(EXERCISES[line.exercise].name for day in days for line in day.exercises))
    rows = ["Menu:"]
    for label, names in menu(person, len(EXERCISES)):
        shown = [name for name in used if name in names]
        if not shown and rng.random() >= _STRAY_ROW:
            continue
        others = [name for name in names[:_NEAR] if name not in used]
        shown += others[: rng.randint(0 if shown else 1, _MOST_MORE)]
        rows.append(f"{label}: {', '.join(shown)}")
    return rows


def _asked(query: Query) -> str:
    """Return what a message asks for, in a few words."""
    scenario = query.scenario
    person = scenario.person(query.profile)
    plan = query.prompt_type == "plan_creation"
    told: list[tuple[object, Callable[[], str]]] = [
        (plan, lambda: person.goal),
        (plan or scenario.days_per_week, lambda: f"{person.days_per_week} days"),
        (plan or scenario.session_minutes, lambda: f"{person.session_minutes} minutes"),
        (scenario.equipment is not None, lambda: _equipment(person.equipment)),
        (scenario.exercise, lambda: EXERCISES[str(scenario.exercise)].name),
        (scenario.topic, lambda: str(scenario.topic).replace("_", " ")),
    ]
    issues = (f"{CONDITIONS[issue.id].name} ({issue.severity})" for issue in scenario.new_issues)
    words = (scenario.prompt_type.replace("_", " "), scenario.intent.replace("_", " "))
    return "; ".join([*words, *(say() for holds, say in told if holds), *issues, scenario.escalation.replace("_", " ")])


def _equipment(kinds: Sequence[str]) -> str:
    return f"only {', '.join(EQUIPMENT[kind].name for kind in kinds) or 'body weight'}"
