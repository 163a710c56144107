"""Mending: a draft made right again for its person, with as few changes as a careful coach would make.

First everything unsafe or impossible goes; then each finding of the checker has its remedy. Remedies can
upset one another (a longer rest makes a session too long), so they take turns until nothing is found.
"""

from collections.abc import Callable

from shared.coach.checker import Finding, check_plan
from shared.coach.choices import SLOTS, Slot
from shared.coach.draft import Draft, DraftDay, DraftLine
from shared.coach.effort import HARD_SETS, Group
from shared.coach.focus import promise
from shared.coach.limits import DAY_EXERCISES, TRAINED_GROUPS
from shared.coach.profile import UserProfile

_ROUNDS = 12
_CARRIED_REASONS = frozenset({"time", "days"})
_MANY_FORBIDDEN = 12
_KEPT_FORBIDDEN = 4
"""Where kit or health takes most of a plan away, so many a day are replaced, and the others dropped."""
_SHORTEST_STEADY_MIN = 5
_NEW_LINE_S = 150
_LONGEST_STEADY_MIN = 40
_GROUP_SLOTS: dict[Group, tuple[Slot, ...]] = {
    "push": ("press", "overhead", "arms_push"),
    "pull": ("row", "pulldown", "arms_pull"),
    "legs": ("squat", "hinge", "hips"),
    "core": ("core", "trunk"),
    "cardio": ("easy_cardio",),
    "mobility": ("mobility",),
}
_FILLERS: tuple[Slot, ...] = ("easy_cardio", "mobility", "core", "hips", "row", "press")


def make_safe(draft: Draft, reason: str) -> None:
    """Replace or drop what the person may or can no longer do, and bring every number into its bounds."""
    allowed = draft.limits.restrictions.allowed
    forbidden = [(day, line) for day, line in draft.lines() if line.effort.id not in allowed]
    many = len(forbidden) > _MANY_FORBIDDEN
    replaced: dict[str, int] = {}
    for day, line in forbidden:
        replaced[day.weekday] = replaced.get(day.weekday, 0) + 1
        if many and replaced[day.weekday] > _KEPT_FORBIDDEN and _can_go(draft, day, line):
            draft.drop(day, line, reason)
        elif not draft.swap(day, line, reason):
            _replace_anyhow(draft, day, line, reason)
    for day, line in draft.lines():
        draft.fit_numbers(day, line, reason)


def _can_go(draft: Draft, day: DraftDay, line: DraftLine) -> bool:
    """Return whether a day and the week stay long and whole enough without a line."""
    group = line.effort.group
    return (
        len(day.lines) > DAY_EXERCISES[0]
        and day.seconds - line.seconds >= draft.limits.shortest_s
        and draft.tally.groups[group] - line.sets >= draft.limits.floor.get(group, 0)
    )


def _replace_anyhow(draft: Draft, day: DraftDay, line: DraftLine, reason: str) -> None:
    for slot in _FILLERS:
        if len(day.lines) > DAY_EXERCISES[0] or draft.swap(day, line, reason, slot):
            break
    if line.effort.id not in draft.limits.restrictions.allowed:
        draft.drop(day, line, reason)


def mend(draft: Draft, person: UserProfile, reason: str) -> None:
    """Apply remedies until the checker finds nothing, or none helps any more."""
    for _ in range(_ROUNDS):
        findings = check_plan(draft.plan(), person)
        if not findings:
            return
        for finding in findings:
            remedy = _REMEDIES.get(finding.rule)
            if remedy is not None:
                remedy(draft, finding, _reason(finding.rule, reason))


def _reason(rule: str, reason: str) -> str:
    """Return the reason of a remedy: that of the whole change only where the one follows from the other."""
    if reason in _CARRIED_REASONS:
        return reason
    return "cap" if reason == "safe" and rule == "session_time" else "balance"


def _day(draft: Draft, finding: Finding) -> DraftDay:
    return next(day for day in draft.days if day.to == finding.where[:3])


def _shorten(draft: Draft, finding: Finding, reason: str) -> None:
    shorten(draft, _day(draft, finding), draft.limits.longest_s, reason)


def shorten(draft: Draft, day: DraftDay, longest_s: float, reason: str) -> None:
    """Make a session fit a time: less steady cardio, then fewer exercises, fewer sets, and less rest."""
    for line in day.lines:
        if line.effort.kind == "steady" and day.seconds > longest_s:
            spare = int((day.seconds - longest_s) // 60) + 1
            draft.set_number(line, "reps", max(_SHORTEST_STEADY_MIN, line.reps - spare), reason)
    for line in reversed(tuple(day.lines)):
        too_long_s = day.seconds - longest_s
        if too_long_s > line.set_seconds and _can_go(draft, day, line) and not _carries_name(day, line):
            draft.drop(day, line, reason)
    while day.seconds > longest_s:
        by_sets = sorted(day.lines, key=lambda line: -line.sets)
        if not any(draft.lower_sets(day, line, reason) for line in by_sets):
            break
    if day.seconds > longest_s:
        _squeeze(draft, day, longest_s, reason)


def _carries_name(day: DraftDay, line: DraftLine) -> bool:
    """Return whether a day would lose what it is named after with this line."""
    groups = promise(day.name).groups
    if line.effort.group not in groups:
        return False
    same = [other for other in day.lines if other.effort.group == line.effort.group]
    return len(same) == 1


def _squeeze(draft: Draft, day: DraftDay, longest_s: float, reason: str) -> None:
    """Last resorts, the mildest first: rest, repetitions, sets below the week's least, exercises."""
    for field in ("rest", "reps"):
        for line in day.lines:
            if day.seconds > longest_s:
                bounds = draft.bounds(line)
                draft.set_number(line, field, bounds.rest_s[0] if field == "rest" else bounds.reps[0], reason)
    for line in sorted(day.lines, key=lambda line: -line.sets):
        while day.seconds > longest_s and line.sets > 1:
            draft.set_sets(day, line, line.sets - 1, reason)
    for line in reversed(tuple(day.lines)):
        if day.seconds > longest_s and len(day.lines) > DAY_EXERCISES[0]:
            draft.drop(day, line, reason)


def _prolong(draft: Draft, finding: Finding, reason: str) -> None:
    """Fill a session that has become too short: more sets, then steady cardio, then more exercises."""
    day, shortest_s = _day(draft, finding), draft.limits.shortest_s
    for line in sorted(day.lines, key=lambda line: line.sets):
        if day.seconds < shortest_s and line.effort.counted and line.sets < 4:
            draft.raise_sets(day, line, reason)
    _prolong_steady(draft, day, shortest_s, reason)
    while day.seconds < shortest_s:
        grown = any(draft.raise_sets(day, line, reason) for line in day.lines if line.effort.counted)
        if not grown and not any(draft.add(day, slot, 3, reason) for slot in _FILLERS):
            return


def _prolong_steady(draft: Draft, day: DraftDay, shortest_s: float, reason: str) -> None:
    if day.seconds >= shortest_s:
        return
    line = next((line for line in day.lines if line.effort.kind == "steady"), None)
    line = line or draft.add(day, "easy_cardio", 1, reason)
    if line is not None and line.effort.kind == "steady":
        missing = int((shortest_s - day.seconds) // 60) + 1
        if missing > 0:
            draft.set_number(line, "reps", min(line.reps + missing, _LONGEST_STEADY_MIN), reason)


def _fix_volume(draft: Draft, finding: Finding, reason: str) -> None:
    group = next((group for group in TRAINED_GROUPS if group == finding.where), None)
    if group is None:
        _lower_muscle(draft, finding.where, reason)
    else:
        _raise_group(draft, group, reason)


def _lower_muscle(draft: Draft, muscle: str, reason: str) -> None:
    """Take sets from whatever trains a muscle, the most sets first, until the week is below its most."""
    training = [(day, line) for day, line in draft.lines() if muscle in dict(line.effort.volume)]
    for day, line in sorted(training, key=lambda one: -one[1].sets):
        if draft.tally.excess(muscle) > 0 and line.sets > 1:
            draft.set_sets(day, line, line.sets - 1, reason)


def _raise_group(draft: Draft, group: Group, reason: str) -> None:
    """Give a group its least: more sets, then a new exercise, making time for it where there is none."""
    least = draft.limits.floor[group]
    for make_time in (False, True):
        for day, line in [(day, line) for day, line in draft.lines() if line.effort.group == group]:
            while draft.tally.groups[group] < least and _raise(draft, day, line, make_time, reason):
                pass
        for day in sorted(draft.days, key=lambda day: day.seconds):
            missing = least - draft.tally.groups[group]
            if missing > 0 and _suits(day, group, missing):
                if make_time:
                    _make_time(draft, day, _NEW_LINE_S, group, reason)
                    _make_place(draft, day, group, reason)
                any(draft.add(day, slot, min(3, missing), reason) for slot in _GROUP_SLOTS[group])


def _raise(draft: Draft, day: DraftDay, line: DraftLine, make_time: bool, reason: str) -> bool:
    if make_time:
        _make_time(draft, day, line.set_seconds, line.effort.group, reason)
    return draft.raise_sets(day, line, reason)


def _suits(day: DraftDay, group: Group, sets: int) -> bool:
    """Return whether a day keeps what its name promises with some more sets of a group."""
    groups = promise(day.name).groups
    if not groups or group in groups or group == "core":
        return True
    named = sum(line.sets for line in day.lines if line.effort.group in groups)
    others = sum(line.sets for line in day.lines if line.effort.group in {"push", "pull", "legs"} - groups)
    return named >= 0.6 * (named + others + min(sets, 3))


def _make_time(draft: Draft, day: DraftDay, seconds: float, group: Group, reason: str) -> None:
    """Free some time of a day from what is not of a group."""
    longest_s = draft.limits.longest_s - seconds
    for line in [line for line in day.lines if line.effort.group != group]:
        if line.effort.kind == "steady" and day.seconds > longest_s:
            spare = int((day.seconds - longest_s) // 60) + 1
            draft.set_number(line, "reps", max(_SHORTEST_STEADY_MIN, line.reps - spare), reason)
        while day.seconds > longest_s and draft.lower_sets(day, line, reason):
            pass
        if day.seconds > longest_s and _can_go(draft, day, line) and not _carries_name(day, line):
            draft.drop(day, line, reason)


def _make_place(draft: Draft, day: DraftDay, group: Group, reason: str) -> None:
    """Let the last exercise go that a full day can spare."""
    for line in reversed(tuple(day.lines)):
        if len(day.lines) >= DAY_EXERCISES[1] and line.effort.group != group and not _carries_name(day, line):
            if _can_go(draft, day, line):
                draft.drop(day, line, reason)


def _let_recover(draft: Draft, finding: Finding, reason: str) -> None:
    """Train a muscle less hard on one of two days running: the one where that takes less."""
    muscle = finding.message.partition(":")[0]
    weekdays = finding.where.split(" / ")
    pair = [
        (day, [line for line in day.lines if muscle in line.effort.hard]) for day in draft.days if day.to in weekdays
    ]
    day, lines = min(pair, key=lambda one: sum(line.sets for line in one[1]))
    while sum(line.sets for line in lines) >= HARD_SETS:
        most = max(lines, key=lambda line: line.sets)
        if most.sets > 1:
            draft.set_sets(day, most, most.sets - 1, reason)
        else:
            draft.drop(day, most, reason)
            lines.remove(most)


def _fill_day(draft: Draft, finding: Finding, reason: str) -> None:
    """Bring a day back to the least or the most exercises."""
    day = _day(draft, finding)
    while len(day.lines) > DAY_EXERCISES[1]:
        draft.drop(day, day.lines[-1], reason)
    while len(day.lines) < DAY_EXERCISES[0]:
        if not any(draft.add(day, slot, 2, reason) for slot in ("mobility", "core", *_FILLERS)):
            return


def _keep_promise(draft: Draft, finding: Finding, reason: str) -> None:
    """Give a day what its name says: more of it, and less of what it does not say."""
    day = _day(draft, finding)
    groups = promise(day.name).groups
    named = [line for line in day.lines if line.effort.group in groups]
    for line in named:
        draft.raise_sets(day, line, reason)
    for slot in SLOTS:
        if SLOTS[slot][0] in groups and sum(line.sets for line in day.lines if line.effort.group in groups) < 6:
            draft.add(day, slot, 2, reason)
    for line in [line for line in day.lines if line.effort.group in {"push", "pull", "legs"} - groups]:
        if line.sets > 1:
            draft.set_sets(day, line, line.sets - 1, reason)
        elif len(day.lines) > DAY_EXERCISES[0]:
            draft.drop(day, line, reason)


def _vary(draft: Draft, finding: Finding, reason: str) -> None:
    """Replace an exercise that stands on several days."""
    seen: set[str] = set()
    for day, line in draft.lines():
        if line.effort.id in seen and draft.swap(day, line, reason):
            return
        seen.add(line.effort.id)
    for day in draft.days:
        if any(draft.add(day, slot, 1, reason) for slot in _FILLERS):
            return


_REMEDIES: dict[str, Callable[[Draft, Finding, str], None]] = {
    "session_time": _shorten,
    "session_too_short": _prolong,
    "weekly_volume": _fix_volume,
    "recovery": _let_recover,
    "exercises_per_day": _fill_day,
    "day_name": _keep_promise,
    "variety": _vary,
}
