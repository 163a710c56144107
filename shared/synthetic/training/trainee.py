"""Trainee: how a person responds to training, and how that shows from session to session.

traits     drawn once: talent, attendance, response, deloads      most improve, some stall, a few decline
condition  moves with what is done: fitness grows with each session, fatigue with each week
           without a lighter one, and a gap costs a little of the first and all of the second
"""

from dataclasses import dataclass
from random import Random

from shared.coach.profile import UserProfile
from shared.coach.vocabulary import Experience

_GAIN_A_WEEK: dict[Experience, float] = {"beginner": 0.019, "intermediate": 0.009, "advanced": 0.004}
_STALLED, _DECLINING = 0.18, 0.09
_LOSS_A_WEEK = 0.007
_DELOADS: dict[Experience, float] = {"beginner": 0.35, "intermediate": 0.65, "advanced": 0.85}
_FATIGUE_A_WEEK = 0.003
_MOST_FATIGUE = 0.015
_DETRAINED_A_DAY = 0.0012
_DAYS_WITHOUT_LOSS = 9


@dataclass(frozen=True, slots=True)
class Traits:
    """What stays the same about somebody over a log."""

    talent: float
    """Factor on the strength that is average for the person's measures."""
    adherence: float
    """Share of the planned sessions that are done, gaps apart."""
    gain_a_week: float
    """Growth of strength at full attendance; negative for who declines."""
    deload_every: int | None
    """Weeks from one lighter week to the next."""
    deload_phase: int
    """Weeks since the last one when the log begins."""
    pace: float
    """Factor on the time that a session takes."""
    logs_days: float
    """Share of the days on which food and sleep are logged."""


def draw_traits(rng: Random, person: UserProfile) -> Traits:
    """Return a person's traits; who comes seldom stalls more often."""
    adherence = 0.5 + 0.5 * rng.betavariate(2.4, 1.5)
    deload_every = rng.choice((4, 5, 6)) if rng.random() < _DELOADS[person.experience] else None
    return Traits(
        talent=min(max(rng.gauss(1.0, 0.11), 0.7), 1.35),
        adherence=adherence,
        gain_a_week=_draw_gain(rng, person, adherence),
        deload_every=deload_every,
        deload_phase=rng.randrange(deload_every or 1),
        pace=rng.uniform(0.95, 1.15),
        logs_days=min(max(rng.gauss(0.71, 0.11), 0.4), 0.95),
    )


def _draw_gain(rng: Random, person: UserProfile, adherence: float) -> float:
    misses = 1.3 - adherence
    roll = rng.random() / (2 * misses)
    if roll < _DECLINING:
        return -_LOSS_A_WEEK * rng.uniform(0.6, 1.4)
    if roll < _DECLINING + _STALLED:
        return rng.uniform(-0.0005, 0.0008)
    gain = _GAIN_A_WEEK[person.experience] * rng.lognormvariate(0.0, 0.3)
    if person.age >= 60:
        gain *= 0.75
    return gain * (0.7 if person.goal == "fat_loss" else 1.0)


class Condition:
    """A trainee's fitness and fatigue, moved on by each session."""

    def __init__(self, traits: Traits, sessions_a_week: int) -> None:
        self.fitness = 1.0
        """Factor on the strength at the start of the log."""
        self.deloading = False
        """Whether the session that was begun last is in a lighter week."""
        self._gain = traits.gain_a_week / sessions_a_week
        self._deload_every = traits.deload_every
        self._deload_phase = traits.deload_phase
        self._last_day: int | None = None
        self._rested_on = 0

    def start(self, day: int) -> float:
        """Begin a session on a day, counted from the start of the log; return the factor on the strength there."""
        if self._last_day is not None and (away := day - self._last_day) > _DAYS_WITHOUT_LOSS:
            self.fitness *= 1 - _DETRAINED_A_DAY * (away - _DAYS_WITHOUT_LOSS)
            self._rested_on = day
        self.deloading = self._is_deload(day // 7)
        if self.deloading:
            self._rested_on = day
        self._last_day = day
        fatigue = min(_FATIGUE_A_WEEK * (day - self._rested_on) / 7, _MOST_FATIGUE)
        return self.fitness * (1 - fatigue)

    def finish(self) -> None:
        """End a session: it has made the trainee a little fitter, or more worn out."""
        self.fitness *= 1 + self._gain

    def _is_deload(self, week: int) -> bool:
        every = self._deload_every
        return every is not None and (week + self._deload_phase) % every == every - 1
