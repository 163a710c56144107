"""Aliases: which version a name leads to, in one document an environment, moved by model-served events.

The document is moved by compare-and-set, and only to where the registry's pointer of the environment is: an event
that comes late, twice, or after a rollback finds that the pointer names another version, and moves nothing. Rollback
is promotion of an older version, and needs nothing here.
"""

from collections.abc import Callable

from pydantic import Field

from services.inference_router.routing import Canary, Routes, Target
from shared.documents import Data, Documents, update
from shared.events import Environment, ModelServed
from shared.frozen import Frozen

KEPT_VERSIONS = 3
"""As many as the agent keeps loaded."""


class Served(Frozen):
    """A version that a server holds."""

    version: str
    backend: str
    model: str

    def target(self) -> Target:
        """Return it as a target."""
        return Target(self.version, self.backend.rstrip("/"), self.model)


class Share(Frozen):
    """A version that gets a share of the users."""

    served: Served
    percent: float = Field(gt=0, le=100)

    def canary(self) -> Canary:
        """Return it as a canary."""
        return Canary(self.served.target(), self.percent)


class Aliases(Frozen):
    """The document."""

    student: Served | None = None
    canary: Share | None = None
    shadow: Share | None = None
    versions: tuple[Served, ...] = ()
    """What servers hold, newest last."""

    def routes(self, teacher: Target | None) -> Routes:
        """Return where names lead."""
        return Routes(
            student=self.student.target() if self.student else None,
            canary=self.canary.canary() if self.canary else None,
            shadow=self.shadow.canary() if self.shadow else None,
            teacher=teacher,
            versions={one.version: one.target() for one in self.versions},
        )


def path(environment: Environment) -> str:
    """Return where an environment's aliases are."""
    return f"aliases/{environment}"


def read(documents: Documents, environment: Environment) -> Aliases:
    """Return an environment's aliases, which may be none."""
    found = documents.get(path(environment))
    return Aliases.model_validate(found.data) if found else Aliases()


def move(documents: Documents, event: ModelServed, is_current: bool) -> Aliases:
    """Note that a server holds a version; `is_current` says whether the registry wants it to answer now."""

    def change(aliases: Aliases) -> Aliases:
        held = holding(aliases, event)
        return led_to(held, event) if is_current else held

    return _change(documents, event.environment, change)


def set_shadow(documents: Documents, environment: Environment, version: str | None, percent: float) -> Aliases:
    """Have a version that a server holds asked beside the served one, or none; raises KeyError for another one."""

    def change(aliases: Aliases) -> Aliases:
        held = {one.version: one for one in aliases.versions}
        shadow = Share(served=held[version], percent=percent) if version else None
        return aliases.model_copy(update={"shadow": shadow})

    return _change(documents, environment, change)


def holding(aliases: Aliases, event: ModelServed) -> Aliases:
    """Return the aliases with a version among those held; what a name leads to is never dropped."""
    new = Served(version=event.version, backend=event.backend, model=event.adapter)
    named = {one.version for one in (aliases.student, aliases.canary and aliases.canary.served) if one}
    others = [one for one in aliases.versions if one.version != event.version]
    kept = [one for one in others if one.version in named or one in others[-(KEPT_VERSIONS - 1) :]]
    return aliases.model_copy(update={"versions": (*kept, new)})


def led_to(aliases: Aliases, event: ModelServed) -> Aliases:
    """Return the aliases with `student`, or for a share of the users `student-canary`, leading to a version."""
    served = Served(version=event.version, backend=event.backend, model=event.adapter)
    if event.percent == 100:
        return aliases.model_copy(update={"student": served, "canary": None})
    return aliases.model_copy(update={"canary": Share(served=served, percent=event.percent)})


def _change(documents: Documents, environment: Environment, change: Callable[[Aliases], Aliases]) -> Aliases:
    def changed(data: Data) -> Data:
        return change(Aliases.model_validate(data)).model_dump(mode="json")

    return Aliases.model_validate(update(documents, path(environment), changed))
