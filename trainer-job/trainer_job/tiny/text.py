"""Text: what the tiny base is made from: a coach's papers, not answers to prompts.

    outline   who somebody is, and the frame of a week for them: goal, days, minutes, what each day is called
    bare      who somebody is, and one session, its exercises known by heart
    reading   a message, and in a few words what it asks for
    week      who somebody is, a short menu, and a week that was planned for them, as lines
    session   the same with one day
    change    a plan, what was asked, and what was changed
    form      an answer in the wire form, without the prompt that it answered

The short ones come first: what they teach (to look up days, goal and minutes) is a few tokens of a week, too
few to be noticed there. So the base learns to follow, to copy from a menu, to dose, to read messages and to
spell the wire form, each by itself; to do all that at once, for a prompt, is left to the student.
People and messages come from the train split of a run. Equal arguments give equal papers.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES
from shared.coach.menu import menu
from shared.coach.notation import write_do, write_line
from shared.coach.plan import EditsAnswer, PlanDay
from shared.coach.planner import make_plan
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import GOALS
from shared.coach.wire import decode, plan_lines
from shared.errors import Rejected
from shared.prompt import render
from shared.records import Query

_T = TypeVar("_T")

_DAYS: Final = (2, 3, 3, 4, 4, 5, 6)
_MINUTES: Final = (20, 25, 30, 35, 40, 45, 50, 60, 75, 90)
_MOST_A_ROW: Final = 3
_NEAR: Final = 6
"""How far down the ranking a menu's other names come from."""
_MORE_FACTS: Final = 0.25
_REVISITED: Final = 6
"""One in so many short papers comes again among the long ones: what does not come again is forgotten."""
_STRAY_ROW: Final = 0.15
"""How many rows stand in a session's menu that the session has no use for."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document: what is given is read but not learned, so that no time goes into guessing it."""

    given: str
    written: str


@dataclass(frozen=True, slots=True)
class Shares:
    """How many papers of each kind a base reads."""

    outlines: int
    bare: int
    readings: int
    weeks: int
    sessions: int
    changes: int
    forms: int


def papers(answered: Sequence[tuple[Query, str]], shares: Shares, seed: int) -> list[Paper]:
    """Return the papers made from some people's messages and their answers in the wire form."""
    if not answered:
        raise Rejected("the tiny base needs the messages of a run, and there are none")
    rng = Random(f"papers:{seed}")
    people = list({query.user_id: query.profile for query, _ in answered}.values())
    shuffled = rng.sample(answered, len(answered))
    plans = [query for query, _ in shuffled if query.prompt_type == "plan_creation"]
    others = [query for query, _ in shuffled if query.prompt_type != "plan_creation"]
    changed = [(query, answer) for query, answer in shuffled if query.plan is not None and '"edits":[{' in answer]
    asked = shares.readings // 2
    short = [
        *(_outline(person, rng) for person in _cycled(people, shares.outlines)),
        *(_bare(person, rng) for person in _cycled(people, shares.bare)),
        *map(_reading, _cycled(plans, asked)),
        *map(_reading, _cycled(others, shares.readings - asked)),
    ]
    long = [
        *rng.sample(short, len(short) // _REVISITED),
        *(_week(person, rng) for person in _cycled(people, shares.weeks)),
        *(_session(person, rng) for person in _cycled(people, shares.sessions)),
        *(_change(query, answer) for query, answer in changed[: shares.changes]),
        *(Paper("", answer) for _, answer in shuffled[: shares.forms]),
    ]
    return [*rng.sample(short, len(short)), *rng.sample(long, len(long))]


def _cycled(items: Sequence[_T], count: int) -> Iterable[_T]:
    return (items[place % len(items)] for place in range(count if items else 0))


def _week(person: UserProfile, rng: Random) -> Paper:
    person = _varied(person, rng)
    plan = make_plan(person, rng.getrandbits(32))
    given = [*_facts(person), *_menu(person, plan.days, 1.0, rng), ""]
    return Paper("\n".join(given), f"Week: {plan.name}\n{plan_lines(plan)}")


def _session(person: UserProfile, rng: Random) -> Paper:
    person = _varied(person, rng)
    days = make_plan(person, rng.getrandbits(32)).days
    day = days[int(rng.random() * len(days))]
    facts = _facts(person)
    given = [*facts[:3], facts[-1], *_menu(person, (day,), _STRAY_ROW, rng), ""]
    return Paper("\n".join(given), f"Session: {_session_text(day)}")


def _outline(person: UserProfile, rng: Random) -> Paper:
    person = _varied(person, rng)
    plan = make_plan(person, rng.getrandbits(32))
    facts = _facts(person)
    given = [*facts[:3], *(fact for fact in facts[3:] if rng.random() < _MORE_FACTS), ""]
    frame = f"{plan.name}; {plan.goal}; {person.days_per_week} days; {person.session_minutes} minutes"
    days = (f"{day.weekday} {day.name}: {len(day.exercises)}" for day in plan.days)
    return Paper("\n".join(given), "\n".join([frame, *days]))


def _bare(person: UserProfile, rng: Random) -> Paper:
    person = _varied(person, rng)
    days = make_plan(person, rng.getrandbits(32)).days
    facts = _facts(person)
    written = f"Session: {person.session_minutes} minutes; {_session_text(days[int(rng.random() * len(days))])}"
    return Paper("\n".join([*facts[:3], facts[-1], ""]), written)


def _session_text(day: PlanDay) -> str:
    return f"{day.weekday} {day.name}: {', '.join(map(write_line, day.exercises))}"


def _reading(query: Query) -> Paper:
    facts = _facts(query.profile)
    return Paper("\n".join([*facts[1:3], f"Message: {query.request}", ""]), f"Asked: {_asked(query)}")


def _change(query: Query, answer: str) -> Paper:
    decoded, plan, facts = decode(answer, query.prompt_type), query.plan, _facts(query.profile)
    if plan is None or not isinstance(decoded, EditsAnswer):
        raise Rejected(f"query {query.query_id} changes no plan")
    given = [*facts[1:3], facts[-1], f"Plan: {plan.name}", plan_lines(plan), f"Asked: {_asked(query)}", ""]
    return Paper("\n".join(given), "\n".join(["Changes:", *(f"{write_do(one)}: {one.why}" for one in decoded.edits)]))


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


def _menu(person: UserProfile, days: Iterable[PlanDay], stray: float, rng: Random) -> list[str]:
    """Return a menu that holds all that the days use, and a few others that would have done as well."""
    used = {EXERCISES[line.exercise].name for day in days for line in day.exercises}
    rows = ["Menu:"]
    for label, names in menu(person, len(EXERCISES)):
        shown = {name for name in names if name in used}
        if not shown and rng.random() >= stray:
            continue
        others = [name for name in names[:_NEAR] if name not in used]
        most = rng.randint(1, _MOST_A_ROW)
        shown.update(rng.sample(others, min(len(others), max(0, most - len(shown)))))
        if shown:
            rows.append(f"{label}: {', '.join(name for name in names if name in shown)}")
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
