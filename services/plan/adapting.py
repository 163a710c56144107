"""Adapting: what the log says about next week, as signals that a person can read and a coach can act on.

    adherence   sessions done of those planned
    effort      RIR, and where it is going, against what the plan asks for
    lifts       estimated one-repetition maxima over the log
    sleep       hours, against the person's own target
    weight      change, against the goal

Each signal says what was seen, what follows, and why. The gravest one that asks for a change decides what is
asked of the coach; the others go along as guidance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from shared.coach.catalogue import EXERCISES
from shared.coach.effort import is_counted
from shared.coach.plan import WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.scenario import Intent, Scenario
from shared.coach.training_log import LiftTrend, TrainingSummary
from shared.frozen import Frozen
from shared.log_summary import LogSummary, RirTrend

LOW_ADHERENCE: Final = 0.6
GOOD_ADHERENCE: Final = 0.8
MISSED_FROM: Final = 2
SHORT_SLEEP_H: Final = 1.0
"""So much below a person's own target, on average, is too little to recover on."""
LITTLE_SLEEP_H: Final = 6.0
EASY_RIR: Final = 1.5
"""So much more in reserve than the plan asks for means that it is too easy."""
HARD_RIR: Final = 1.0
FALLING_RIR: Final = 1.0
"""So much less in reserve than some weeks ago, and less than the plan asks for, is fatigue that builds up."""
QUICK_LOSS_SHARE: Final = 0.01
"""Of the body weight a week; more than that is not only fat."""
SLOW_KG_A_WEEK: Final = 0.1

Topic = Literal["adherence", "effort", "lifts", "sleep", "weight"]


class Signal(Frozen):
    """Something in the log that matters for next week."""

    topic: Topic
    seen: str
    """What the log says, with its numbers."""
    suggestion: str
    """What to do about it."""
    why: str
    intent: Intent | None = None
    """The change of the plan that it asks for, if any."""
    exercise: str | None = None


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What to ask of a coach for next week, and what to tell the person."""

    scenario: Scenario | None
    """None where the plan can stay as it is."""
    words: str
    """The request, as the person would put it."""
    signals: tuple[Signal, ...]


def adapt(plan: WorkoutPlan, person: UserProfile, summary: LogSummary | None) -> Adaptation:
    """Return what the log asks for; without a log, nothing."""
    if summary is None or summary.planned_sessions == 0:
        return Adaptation(None, "", ())
    signals = (*_adherence(summary), *_sleep(person, summary), *_effort(plan, summary), *_lifts(summary))
    signals += tuple(_weight(person, summary))
    leading = min(
        (one for one in signals if one.intent is not None), key=lambda one: _GRAVITY.index(one.intent), default=None
    )
    if leading is None or leading.intent is None:
        return Adaptation(None, "", signals)
    wanted = _days_wanted(plan, summary) if leading.intent == "missed_sessions" else None
    scenario = Scenario(
        prompt_type="plan_modification" if leading.intent == "harder" else "progress_adaptation",
        intent=leading.intent,
        exercise=leading.exercise,
        days_per_week=wanted,
    )
    return Adaptation(scenario, _words(leading, wanted), signals)


_GRAVITY: Final[tuple[Intent | None, ...]] = ("fatigue", "missed_sessions", "plateau", "improving", "harder")


def _adherence(summary: TrainingSummary) -> Iterator[Signal]:
    done, planned = summary.done_sessions, summary.planned_sessions
    share = done / planned
    seen = f"{done} of {planned} planned sessions done ({share:.0%})"
    if share < LOW_ADHERENCE and planned - done >= MISSED_FROM:
        yield Signal(
            topic="adherence",
            seen=seen,
            suggestion="Ease back in: fewer or lighter sessions than planned until they all get done.",
            why="A week that is done brings more than a bigger one that is not.",
            intent="missed_sessions",
        )
    elif share >= GOOD_ADHERENCE:
        yield Signal(
            topic="adherence",
            seen=seen,
            suggestion="Keep your days as they are.",
            why="You manage the week as it is planned, so there is no reason to change its days.",
        )
    else:
        yield Signal(
            topic="adherence",
            seen=seen,
            suggestion="Keep the plan, and try to put the sessions on days that rarely fall through.",
            why="With most sessions done the plan still works; missing more would call for a smaller one.",
        )


def _sleep(person: UserProfile, summary: TrainingSummary) -> Iterator[Signal]:
    slept = summary.avg_sleep_h
    if slept is None:
        return
    seen = f"{slept:g} h of sleep on average; your target is {person.sleep_target_h:g} h"
    if slept < LITTLE_SLEEP_H or person.sleep_target_h - slept >= SHORT_SLEEP_H:
        yield Signal(
            topic="sleep",
            seen=seen,
            suggestion="Take a lighter week and put sleep first.",
            why="Muscles recover in sleep; hard training on too little of it adds fatigue instead of strength.",
            intent="fatigue",
        )
    else:
        yield Signal(topic="sleep", seen=seen, suggestion="Nothing to change.", why="That is enough to recover on.")


def _effort(plan: WorkoutPlan, summary: LogSummary) -> Iterator[Signal]:
    asked = _mean_rir(plan)
    if summary.avg_rir is None or asked is None:
        return
    moved = summary.rir_trend or RirTrend(first=summary.avg_rir, last=summary.avg_rir)
    went = f", lately {moved.last:g} after {moved.first:g}" if summary.rir_trend else ""
    seen = f"average RIR {summary.avg_rir:g}{went}; the plan asks for about {asked:.1f}"
    share = summary.done_sessions / summary.planned_sessions
    if moved.last - asked >= EASY_RIR and share >= GOOD_ADHERENCE:
        yield Signal(
            topic="effort",
            seen=seen,
            suggestion="Make it a little harder: closer to failure, or a set more on the main lifts.",
            why="Sets that end far from failure stop being a reason for the body to change.",
            intent="harder",
        )
    elif moved.first - moved.last >= FALLING_RIR and moved.last < asked:
        yield Signal(
            topic="effort",
            seen=seen,
            suggestion="Take a lighter week, and stop your sets where the plan says.",
            why="The same plan leaves less and less in reserve: fatigue builds up faster than you recover.",
            intent="fatigue",
        )
    elif asked - moved.last >= HARD_RIR:
        yield Signal(
            topic="effort",
            seen=seen,
            suggestion="Stop your sets a little earlier, and take a lighter week.",
            why="Going closer to failure than planned, set after set, costs more recovery than it brings.",
            intent="fatigue",
        )
    else:
        yield Signal(topic="effort", seen=seen, suggestion="Nothing to change.", why="Effort is where it should be.")


def _mean_rir(plan: WorkoutPlan) -> float | None:
    counted = [line for day in plan.days for line in day.exercises if is_counted(line.exercise)]
    sets = sum(line.sets for line in counted)
    return sum(line.sets * line.rir for line in counted) / sets if sets else None


def _lifts(summary: TrainingSummary) -> Iterator[Signal]:
    for lift in summary.lifts:
        name = EXERCISES[lift.exercise].name if lift.exercise in EXERCISES else lift.exercise
        seen = f"{name}: estimated maximum {lift.first_e1rm_kg:g} to {lift.last_e1rm_kg:g} kg"
        yield _lift_signal(lift, name, seen)


def _lift_signal(lift: LiftTrend, name: str, seen: str) -> Signal:
    if lift.trend == "improving":
        return Signal(
            topic="lifts",
            seen=seen,
            suggestion=f"Take the next step on {name}.",
            why="It goes up, so the training works, and the body is ready for a little more.",
            intent="improving",
            exercise=lift.exercise,
        )
    return Signal(
        topic="lifts",
        seen=seen,
        suggestion=f"Give {name} other numbers, or a variation for a while.",
        why="It has not gone up over the log; more of the same rarely gets a lift going again."
        if lift.trend == "plateau"
        else "It went down over the log; a change of stimulus and fresher muscles turn that round.",
        intent="plateau",
        exercise=lift.exercise,
    )


def _weight(person: UserProfile, summary: TrainingSummary) -> Iterator[Signal]:
    change = summary.weight_change_kg
    if change is None:
        return
    weekly = change / max(1, summary.weeks)
    seen = f"weight {change:+g} kg in {summary.weeks} weeks ({weekly:+.1f} kg a week)"
    if -weekly > QUICK_LOSS_SHARE * person.weight_kg:
        advice = ("Eat a little more.", "Losing more than one percent a week takes muscle as well as fat.")
    elif person.goal == "fat_loss" and weekly > -SLOW_KG_A_WEEK:
        advice = ("Eat a little less, or walk a little more.", "For losing fat, weight should go down slowly.")
    elif person.goal == "muscle_gain" and weekly < SLOW_KG_A_WEEK:
        advice = ("Eat a little more, protein above all.", "Muscle is built from food; weight should go up slowly.")
    else:
        advice = ("Nothing to change.", "That suits your goal.")
    yield Signal(topic="weight", seen=seen, suggestion=advice[0], why=advice[1])


def _days_wanted(plan: WorkoutPlan, summary: TrainingSummary) -> int | None:
    """Return how many days a week got done, where that is fewer than planned and still a plan."""
    days = round(summary.done_sessions / max(1, summary.weeks))
    return max(2, days) if 2 <= max(2, days) < len(plan.days) else None


def _words(leading: Signal, days: int | None) -> str:
    match leading.intent:
        case "missed_sessions":
            fewer = f" Make it {days} days a week." if days else ""
            return f"Adapt my plan for next week: {leading.seen}.{fewer} Please ease me back in."
        case "fatigue":
            return f"Adapt my plan for next week: {leading.seen}. I need a lighter week to recover."
        case "improving":
            return f"Adapt my plan for next week: {leading.seen}. What is the next step?"
        case "plateau":
            return f"Adapt my plan for next week: {leading.seen}. It is stuck, please change that."
    return f"Adapt my plan for next week: {leading.seen}. It has become too easy, make it a little harder."
