"""Simulate: a person's plan and the weeks they trained by it, up to the day before as_of_date.

Loads fit the exercise and the person, repetitions and RIR fit the load and the strength of the day
(Epley), and strength moves with what was done. As with profiles, only the run's seed and the
person's number decide; the same person has the same log whoever else is in the run.
"""

from datetime import timedelta
from random import Random

from shared.coach.effort import WARM_UP_S
from shared.coach.planner import make_plan
from shared.coach.profile import UserProfile
from shared.coach.training_log import LoggedExercise, PersonLog, Session
from shared.run_config import RunConfig
from shared.synthetic.training.attendance import dates, draw_attended, planned_days
from shared.synthetic.training.body import draw_daily, draw_kg_a_week, draw_weighings
from shared.synthetic.training.sets import Line, do, prepare
from shared.synthetic.training.trainee import Condition, draw_traits

_FORM_SD = 0.01
_CHANGEOVER_S = 45
"""From one exercise to the next."""


Trained = tuple[int, tuple[LoggedExercise, ...]]
"""The minutes that a session took, and its exercises."""


def _train(rng: Random, lines: list[Line], condition: Condition, pace: float, n: int) -> Trained:
    """Return what became of the session on day `n`, and let it take its effect."""
    today = condition.start(n) * rng.gauss(1.0, _FORM_SD)
    fitness, deload = condition.fitness, condition.deloading
    seconds = float(WARM_UP_S + _CHANGEOVER_S * (len(lines) - 1))
    exercises = []
    for line in lines:
        sets, total = do(line, rng.random(), fitness, today, deload)
        exercises.append(LoggedExercise(line.exercise, sets))
        seconds += total * line.seconds + len(sets) * line.rest_s
    condition.finish()
    return round(seconds * pace / 60), tuple(exercises)


def simulate(config: RunConfig, index: int, person: UserProfile) -> PersonLog:
    """Return the log of the person with this number in the run."""
    rng = Random(f"{config.seed}:workouts:{index}")
    plan = make_plan(person, variant=index)
    days = dates(config.as_of_date - timedelta(days=config.lookback_days), config.lookback_days)
    traits = draw_traits(rng, person)
    planned = planned_days(plan.days, days[0], len(days))
    attended = draw_attended(rng, planned, len(days), traits.adherence)
    lines = prepare(rng, person, traits.talent, plan.days)
    condition = Condition(traits, len(plan.days))
    kg_a_week = draw_kg_a_week(rng, person)
    return PersonLog(
        user_id=person.user_id,
        plan=plan,
        planned_sessions=len(planned),
        sessions=tuple(
            [
                Session(days[n], day.name, *_train(rng, lines[day.weekday], condition, traits.pace, n))
                for n, day in attended
            ]
        ),
        daily=draw_daily(rng, person, days, kg_a_week, traits.logs_days),
        weighings=draw_weighings(rng, person, days, kg_a_week),
    )
