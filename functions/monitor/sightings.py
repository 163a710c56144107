"""Sightings: since when each thing has stood where it stands. Pure: the clock is an argument.

Nothing here asks when something last moved, which most things do not know of themselves. A thing has a mark,
which changes with every step that it takes; the first look that sees a mark notes when that was, and a mark
that is still the same after some time stands still. So looking twice notes and tells the same.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal, get_args

from pydantic import AwareDatetime, Field

from shared.frozen import Frozen

What = Literal["run", "dead-letter", "training", "promotion"]
KINDS: tuple[What, ...] = get_args(What)


class Waiting(Frozen):
    """A thing that ought to move on by itself, or by somebody's hand, and where it stands."""

    what: What
    id: str
    mark: str
    """Another one as soon as the thing has moved."""
    reason: str
    """What it waits for."""
    end_untold: bool = False
    """Of a training: its launcher says that it is over."""

    @property
    def key(self) -> str:
        """The name of its sighting."""
        return f"{self.what}/{self.id}"


class Sighting(Frozen):
    """Where a thing stood, and which look saw it there first."""

    mark: str
    since: AwareDatetime


class Sightings(Frozen):
    """Everything that waited at the last look."""

    looked_at: AwareDatetime | None = None
    seen: dict[str, Sighting] = Field(default_factory=dict)


def sighted(before: Sightings, waiting: Iterable[Waiting], now: datetime) -> Sightings:
    """Return what a look has seen; what does not wait any more is forgotten."""
    return Sightings(looked_at=now, seen={one.key: _sighting(before.seen, one, now) for one in waiting})


def overdue(sightings: Sightings, waiting: Iterable[Waiting], now: datetime, patience_s: float) -> list[Waiting]:
    """Return what has stood where it stands for at least that long."""
    patience = timedelta(seconds=patience_s)
    return [one for one in waiting if now - sightings.seen[one.key].since >= patience]


def _sighting(before: Mapping[str, Sighting], one: Waiting, now: datetime) -> Sighting:
    known = before.get(one.key)
    return known if known and known.mark == one.mark else Sighting(mark=one.mark, since=now)
