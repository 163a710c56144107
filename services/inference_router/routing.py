"""Routing: from the name a client asks for to the model that answers.

    student         what is served; for a share of the users the canary, if there is one
    student-canary  the canary, or what is served where there is none
    teacher         another endpoint; for admins and tests
    <version>       a version that a backend still holds, for comparisons

A user is a canary's by a hash of the user alone: whoever is among the first 5 percent is also among the first 20,
so that raising the share moves nobody back.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.inference_router.api_errors import ApiError

STUDENT = "student"
CANARY = "student-canary"
TEACHER = "teacher"
POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """A model as its server knows it."""

    version: str
    backend: str
    """The server's address, without /v1."""
    model: str
    """What the server calls the model: an adapter's name."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A version that answers a share of the users, or is asked beside the served one (`shadow`)."""

    target: Target
    percent: float


@dataclass(frozen=True, slots=True)
class Routes:
    """Everything that names lead to, as it was at one moment."""

    student: Target | None = None
    canary: Canary | None = None
    shadow: Canary | None = None
    teacher: Target | None = None
    versions: Mapping[str, Target] = field(default_factory=dict)

    def resolve(self, name: str, user: str, admin: bool) -> Target:
        """Return the model that answers a user; raises ApiError: 404 an unknown name, 403, 503 nothing is served."""
        if name == TEACHER:
            return self._teacher(admin)
        if name in self.versions:
            return self.versions[name]
        if name not in (STUDENT, CANARY):
            raise ApiError(404, "model_not_found", f"there is no model {name[:100]!r}; /v1/models lists them", "model")
        if self.canary and (name == CANARY or chosen(user, self.canary.percent)):
            return self.canary.target
        if self.student is None:
            raise ApiError(503, "no_model_served", "no student has been promoted yet", retry_after_s=30)
        return self.student

    def shadowed(self, name: str, user: str) -> Target | None:
        """Return the model that is to be asked as well, without anybody waiting for it."""
        wanted = name == STUDENT and self.shadow and chosen(user, self.shadow.percent)
        return self.shadow.target if wanted and self.shadow else None

    def all_versions(self) -> set[str]:
        """Return the versions that a name leads to."""
        named = (self.student, self.canary and self.canary.target, self.shadow and self.shadow.target)
        return {one.version for one in named if one} | set(self.versions)

    def names(self, admin: bool) -> dict[str, Target]:
        """Return what a caller may ask for."""
        found = dict(self.versions)
        if self.student:
            found |= {STUDENT: self.student, CANARY: self.canary.target if self.canary else self.student}
        if self.teacher and admin:
            found[TEACHER] = self.teacher
        return found

    def _teacher(self, admin: bool) -> Target:
        if not admin:
            raise ApiError(403, "not_allowed", "the teacher answers admins and tests only", "model")
        if self.teacher is None:
            raise ApiError(404, "model_not_found", "no teacher is set up here", "model")
        return self.teacher


def chosen(user: str, percent: float) -> bool:
    """Return whether a user is among the first `percent` of a hundred."""
    digest = hashlib.sha256(b"canary\0" + user.encode()).digest()
    return int.from_bytes(digest[:8], "big") % POINTS < percent * POINTS / 100
