"""Deps: what the plan service works with, and the one typed way for its views to get at it."""

from dataclasses import dataclass
from typing import cast

import flask

from services.plan.jobs import Jobs
from services.plan.ports import Model, People
from services.plan.proposals import Proposals
from services.plan.repository import Plans
from shared.bus import Bus
from shared.database import Database
from shared.http import DEPS
from shared.receipts import Receipts


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything from outside, and the tables."""

    database: Database
    people: People
    model: Model | None
    """None where no router is named: then the rule-based coach answers, and says so."""
    bus: Bus
    plans: Plans
    proposals: Proposals
    jobs: Jobs
    receipts: Receipts


def made(database: Database, people: People, model: Model | None, bus: Bus) -> Deps:
    """Return the dependencies around a database."""
    plans = Plans(database)
    return Deps(
        database, people, model, bus, plans, Proposals(database, plans), Jobs(database), Receipts(database, "plan")
    )


def deps() -> Deps:
    """Return what the app of this request works with."""
    return cast(Deps, flask.current_app.extensions[DEPS])
