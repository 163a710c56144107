"""Adjusting: the rule-based coach's answer to a wish for change, as edits with reasons.

Each intent has its own moves; whatever they leave wrong is mended after them, so that the plan that
results has no findings for the person. A warning sign and what is no wish for change get no edits.
"""

from collections.abc import Callable, Iterator
from itertools import combinations
from random import Random

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, MEDICATIONS
from shared.coach.changes import edits_of
from shared.coach.draft import Draft, DraftDay, DraftLine
from shared.coach.effort import EFFORTS
from shared.coach.limits import TRAINED_GROUPS
from shared.coach.mending import make_safe, mend, shorten
from shared.coach.plan import Edit, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.reasons import Voice
from shared.coach.scenario import Intent, Scenario
from shared.coach.vocabulary import WEEKDAYS

_MORE_VOLUME_SHARE = 0.15
_SHORTER_SHARE = 0.9
"""A session that already fits becomes this much shorter when shorter ones are asked for."""
_REST_STEP_S = 15
_NEW_LINE_S = 120
_ENOUGH_SETS = 9
"""Sets a week of a group beyond which a day is worth no more for it."""


def propose_edits(plan: WorkoutPlan, person: UserProfile, scenario: Scenario, variant: int = 0) -> tuple[Edit, ...]:
    """Return edits after which the plan does what was asked and suits the person, the scenario taken in."""
    moves = _MOVES.get(scenario.intent)
    if moves is None or scenario.escalation == "emergency":
        return ()
    chance = Random(f"{person.user_id}:edits:{scenario.intent}:{variant}").random
    draft = Draft(plan, person, chance)
    reason = _REASONS[scenario.intent]
    moves(draft, scenario, reason)
    make_safe(draft, reason)
    mend(draft, person, reason)
    return edits_of(draft, Voice(_cause(scenario, person), chance))


def _cause(scenario: Scenario, person: UserProfile) -> str:
    """Return what the change is for, as it stands in the middle of a sentence."""
    match scenario.intent:
        case "new_medication" if scenario.new_medication is not None:
            return f"your {MEDICATIONS[scenario.new_medication].name}"
        case "new_issue" | "flare_up" | "new_medication" | "dangerous_request" if scenario.new_issues:
            return f"your {CONDITIONS[scenario.new_issues[0].id].name}"
        case "other_equipment":
            return _kit(person)
        case "fewer_days" | "missed_sessions":
            return f"{person.days_per_week} days a week"
        case "shorter":
            return f"{person.session_minutes} minutes"
        case "plateau" | "improving" if scenario.exercise in EFFORTS:
            return EFFORTS[scenario.exercise].exercise.name
    return "your health"


def _kit(person: UserProfile) -> str:
    names = [EQUIPMENT[kind].name for kind in person.equipment[:2]]
    return f"just {' and '.join(names)}" if names else "no equipment"


def _working(draft: Draft) -> Iterator[tuple[DraftDay, DraftLine]]:
    return ((day, line) for day, line in draft.lines() if line.effort.counted)


def _nothing(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Leave it to making safe and mending."""


def _harder(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Closer to failure, a set more on the main lifts, or else more reps or less rest."""
    changed = [draft.set_number(line, "rir", line.rir - 1, reason) for _, line in _working(draft)]
    for day in draft.days:
        changed.extend(draft.raise_sets(day, line, reason) for line in day.lines[:2] if line.effort.counted)
    if not any(changed):
        for _, line in _working(draft):
            if not draft.set_number(line, "reps", line.reps + _reps_step(line), reason):
                draft.set_number(line, "rest", line.rest_s - _REST_STEP_S, reason)


def _easier(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Further from failure, and a set less where the week can spare it."""
    for day in draft.days:
        lowered = 0
        for line in day.lines:
            if line.effort.counted:
                draft.set_number(line, "rir", line.rir + 1, reason)
                if lowered < 2 and draft.lower_sets(day, line, reason, least=2):
                    lowered += 1
    _ease_reps(draft, reason)


def _ease_reps(draft: Draft, reason: str) -> None:
    """Where nothing could become easier yet, do fewer repetitions or rest longer."""
    if not any(line.reasons for _, line in draft.lines()):
        for _, line in _working(draft):
            draft.set_number(line, "reps", line.reps - _reps_step(line), reason)


def _reps_step(line: DraftLine) -> int:
    return 5 if line.effort.exercise.unit == "seconds" else 1 if line.effort.kind == "heavy" else 2


def _more_volume(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Add about a seventh of the week's sets, making time for them where there is none."""
    before = _sets(draft)
    wanted = before + max(2, round(before * _MORE_VOLUME_SHARE))
    for make_time in (False, True):
        for day, line in list(_working(draft)):
            if _sets(draft) < wanted:
                if make_time:
                    _save_time(draft, day, line.set_seconds, reason)
                draft.raise_sets(day, line, reason)
    for day in draft.days:
        if _sets(draft) <= before:
            _save_time(draft, day, _NEW_LINE_S, reason)
            if draft.add(day, "core", 2, reason) is None:
                draft.add(day, "hips", 2, reason)


def _sets(draft: Draft) -> int:
    return sum(line.sets for _, line in _working(draft))


def _save_time(draft: Draft, day: DraftDay, seconds: float, reason: str) -> None:
    """Rest less and ride less, as far as that is needed and allowed."""
    longest_s = draft.limits.longest_s - seconds
    for line in day.lines:
        if line.effort.kind == "steady" and day.seconds > longest_s:
            draft.set_number(line, "reps", max(5, line.reps - 1 - int((day.seconds - longest_s) // 60)), reason)
    for line in day.lines:
        while day.seconds > longest_s and draft.set_number(line, "rest", line.rest_s - _REST_STEP_S, reason):
            pass


def _shorter(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Cut what is over the time; where nothing is, still take a little off the longest day."""
    make_safe(draft, reason)
    longest = max(draft.days, key=lambda day: day.seconds)
    target_s = draft.limits.longest_s
    if longest.seconds <= target_s:
        shorten(draft, longest, max(longest.seconds * _SHORTER_SHARE, draft.limits.shortest_s), reason)
    for day in draft.days:
        if day.seconds > target_s:
            shorten(draft, day, target_s, reason)


def _fewer_days(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Keep the days that together train most and leave most rest between them."""
    wanted = scenario.days_per_week
    if wanted is None or not 0 < wanted < len(draft.days):
        return
    kept = max(combinations(draft.days, wanted), key=_worth)
    for day in [day for day in draft.days if day not in kept]:
        draft.drop_day(day, reason)


def _worth(days: tuple[DraftDay, ...]) -> tuple[int, int]:
    """Return how much a choice of days trains of each group, evenly, and how far apart they lie."""
    sets = dict.fromkeys(TRAINED_GROUPS, 0)
    for day in days:
        for line in day.lines:
            if line.effort.group in sets:
                sets[line.effort.group] += line.sets
    places = sorted(WEEKDAYS.index(day.to) for day in days)
    gaps = [(later - earlier) % 7 or 7 for earlier, later in zip(places, (*places[1:], places[0]), strict=True)]
    return sum(min(count, _ENOUGH_SETS) for count in sets.values()), min(gaps)


def _swap(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Put something else wherever the exercise stands."""
    for day, line in list(draft.lines()):
        if line.effort.id == scenario.exercise and not draft.swap(day, line, reason):
            draft.swap(day, line, reason, "mobility")


def _move_day(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Move the day that the topic names, as "mon>wed"."""
    start, _, target = (scenario.topic or "").partition(">")
    to = next((day for day in WEEKDAYS if day == target), None)
    taken = {day.to for day in draft.days}
    for day in draft.days:
        if day.weekday == start and to is not None and to not in taken:
            draft.move_day(day, to, reason)


def _careful(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Make safe; where nothing has to change for that, stay a repetition further from failure."""
    make_safe(draft, reason)
    if not any(line.reasons for _, line in draft.lines()):
        eased = [draft.set_number(line, "rir", line.rir + 1, reason) for _, line in _working(draft)]
        if not any(eased):
            for day, line in _working(draft):
                if not draft.lower_sets(day, line, reason):
                    draft.set_number(line, "rest", line.rest_s + _REST_STEP_S, reason)


def _plateau(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Change the stimulus of the stalled lift: other numbers the first time in a week, a variation after."""
    stalled = [(day, line) for day, line in draft.lines() if line.effort.id == scenario.exercise]
    if not stalled:
        stalled = [next(iter(_working(draft)), (draft.days[0], draft.days[0].lines[0]))]
    for place, (day, line) in enumerate(stalled):
        if place > 0 and draft.swap(day, line, reason):
            continue
        changed = [
            draft.raise_sets(day, line, reason),
            draft.set_number(line, "rir", line.rir - 1, reason),
            draft.set_number(line, "reps", line.reps + (_reps_step(line) if draft.chance() < 0.5 else -1), reason),
        ]
        if not any(changed):
            draft.swap(day, line, reason)


def _improving(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Take the next step on the lift that improves, and on the first of each day."""
    for day in draft.days:
        for place, line in enumerate([line for line in day.lines if line.effort.counted]):
            if line.effort.id == scenario.exercise or place == 0:
                stepped = draft.set_number(line, "reps", line.reps + _reps_step(line), reason)
                if not stepped and not draft.raise_sets(day, line, reason):
                    draft.set_number(line, "rir", line.rir - 1, reason)
    if not any(line.reasons for _, line in draft.lines()):
        _harder(draft, scenario, reason)


def _fatigue(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Deload: a set less of everything that can spare it, and further from failure."""
    for day, line in _working(draft):
        draft.lower_sets(day, line, reason, least=2)
        draft.set_number(line, "rir", line.rir + 1, reason)
    _ease_reps(draft, reason)


def _missed_sessions(draft: Draft, scenario: Scenario, reason: str) -> None:
    """Ease back in: fewer days where that was asked for, and less of the first sessions' main work."""
    _fewer_days(draft, scenario, reason)
    for day in draft.days:
        for line in [line for line in day.lines if line.effort.counted][:3]:
            draft.set_number(line, "rir", line.rir + 1, reason)
            draft.lower_sets(day, line, reason, least=2)
    _ease_reps(draft, reason)


_REASONS: dict[Intent, str] = {
    "harder": "harder",
    "easier": "easier",
    "more_volume": "volume",
    "shorter": "time",
    "fewer_days": "days",
    "swap": "swap",
    "move_day": "move",
    "other_equipment": "kit",
    "new_issue": "safe",
    "new_medication": "safe",
    "flare_up": "safe",
    "dangerous_request": "safe",
    "plateau": "plateau",
    "improving": "progress",
    "fatigue": "deload",
    "missed_sessions": "return",
}
_MOVES: dict[Intent, Callable[[Draft, Scenario, str], None]] = {
    "harder": _harder,
    "easier": _easier,
    "more_volume": _more_volume,
    "shorter": _shorter,
    "fewer_days": _fewer_days,
    "swap": _swap,
    "move_day": _move_day,
    "other_equipment": _nothing,
    "new_issue": _careful,
    "new_medication": _careful,
    "flare_up": _careful,
    "dangerous_request": _nothing,
    "plateau": _plateau,
    "improving": _improving,
    "fatigue": _fatigue,
    "missed_sessions": _missed_sessions,
}
