"""Training: what the synthetic people did, read out of their logs without building models of them.

A log holds hundreds of sets, and only a few numbers of each person are wanted: parsing the JSON
alone is several times faster than validating what our own code wrote.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import median
from typing import TypedDict

import orjson

from shared.coach.vocabulary import GOALS, Goal
from shared.measures import distribution, histogram, quantiles
from shared.reports import Training

ADHERENCE_EDGES = tuple(i / 20 for i in range(21))
CHANGE_EDGES_PCT = tuple(range(-20, 42, 2))
MIN_TIMES_TRAINED = 4
"""Sessions with a lift before the change of its estimated maximum means anything."""
LIFTS = 3
PER_MILLE = 1000
TENTHS = 10


_Sets = list[tuple[float, int, int]]
"""Load in kg, repetitions and RIR of each."""
_Lifts = dict[str, list[_Sets]]


class _Exercise(TypedDict):
    exercise: str
    sets: _Sets


class _Session(TypedDict):
    exercises: list[_Exercise]


class _Plan(TypedDict):
    goal: Goal


class _Log(TypedDict):
    plan: _Plan
    planned_sessions: int
    sessions: list[_Session]
    daily: list[dict[str, float]]
    weighings: list[dict[str, float]]


def describe_training(logs: Iterator[bytes]) -> Training:
    """Return what a stream of PersonLog lines has in common."""
    tally = _Tally()
    for line in logs:
        tally.add(orjson.loads(line))
    n = tally.sets.total()
    changes = quantiles(tally.changes, (0.5,))
    return Training(
        n=n,
        sets_per_person=distribution(tally.sets),
        sessions_per_person=distribution(tally.sessions),
        adherence=histogram(tally.adherence, ADHERENCE_EDGES, PER_MILLE),
        mean_adherence=distribution(tally.adherence, PER_MILLE).mean,
        e1rm_change_pct=histogram(tally.changes, CHANGE_EDGES_PCT, TENTHS),
        median_e1rm_change_pct=changes[0] / TENTHS if changes else 0.0,
        weight_change_kg={goal: distribution(tally.weights[goal], TENTHS) for goal in GOALS},
        sleep_h=distribution(tally.sleep, TENTHS),
        kcal=distribution(tally.kcal),
    )


class _Tally:
    """Counts over the logs: adherence in thousandths; kg, percent and hours in tenths."""

    def __init__(self) -> None:
        self.sets: Counter[int] = Counter()
        self.sessions: Counter[int] = Counter()
        self.adherence: Counter[int] = Counter()
        self.changes: Counter[int] = Counter()
        self.weights: defaultdict[Goal, Counter[int]] = defaultdict(Counter)
        self.sleep: Counter[int] = Counter()
        self.kcal: Counter[int] = Counter()

    def add(self, log: _Log) -> None:
        """Count a person's log."""
        sessions = log["sessions"]
        count, lifts = _lifts(sessions)
        self.sets[count] += 1
        self.sessions[len(sessions)] += 1
        if log["planned_sessions"]:
            self.adherence[round(len(sessions) / log["planned_sessions"] * PER_MILLE)] += 1
        change = _e1rm_change_pct(lifts)
        if change is not None:
            self.changes[round(change * TENTHS)] += 1
        self._add_body(log)

    def _add_body(self, log: _Log) -> None:
        weighings, daily = log["weighings"], log["daily"]
        if len(weighings) > 1:
            change = weighings[-1]["weight_kg"] - weighings[0]["weight_kg"]
            self.weights[log["plan"]["goal"]][round(change * TENTHS)] += 1
        if daily:
            self.sleep[round(sum(day["sleep_h"] for day in daily) / len(daily) * TENTHS)] += 1
            self.kcal[round(sum(day["kcal"] for day in daily) / len(daily))] += 1


def _lifts(sessions: list[_Session]) -> tuple[int, _Lifts]:
    """Return how many sets there were of everything, and those of each exercise with a weight, by session."""
    count = 0
    lifts: _Lifts = defaultdict(list)
    for session in sessions:
        for done in session["exercises"]:
            sets = done["sets"]
            count += len(sets)
            if sets and sets[0][0]:
                lifts[done["exercise"]].append(sets)
    return count, lifts


def _e1rm_change_pct(lifts: _Lifts) -> float | None:
    """Return the median change over the loaded lifts trained most; None where none was trained enough."""
    most = sorted(lifts.values(), key=len, reverse=True)[:LIFTS]
    often = [times for times in most if len(times) >= MIN_TIMES_TRAINED]
    changes = [_best_e1rm(times[-1]) / _best_e1rm(times[0]) - 1 for times in often]
    return median(changes) * 100 if changes else None


def _best_e1rm(sets: _Sets) -> float:
    """Return the highest estimated one-repetition maximum in kg (Epley, reserve counted as done)."""
    return max(load * (1 + (reps + rir) / 30) for load, reps, rir in sets)
