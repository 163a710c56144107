"""Scenario: what a message asks for, in structure; the wording is somebody else's business.

The queries phase draws one and words it; the mock teacher answers it; the scoring rules hold an
answer against it. A served model never sees it: it reads the words.
"""

from typing import Final, Literal

from shared.coach.profile import HealthIssue, Medication, UserProfile
from shared.coach.vocabulary import Escalation, Goal, PromptType
from shared.frozen import Frozen

Intent = Literal[
    # plan_creation
    "new_plan",
    # plan_modification
    "harder",
    "easier",
    "more_volume",
    "shorter",
    "fewer_days",
    "swap",
    "move_day",
    "other_equipment",
    # safety_adjustment
    "new_issue",
    "new_medication",
    "flare_up",
    "dangerous_request",
    # progress_adaptation
    "plateau",
    "improving",
    "fatigue",
    "missed_sessions",
    # coach_chat
    "training_question",
    "motivation",
    "out_of_scope_medical",
    # any type
    "warning_sign",
]

HARMLESS_IF_REFUSED: Final = frozenset({"max_out_unfit", "no_rest"})
"""Dangerous requests, by topic, that a coach settles alone; all others belong before a professional too."""


class Scenario(Frozen):
    """What is asked, and everything in it that differs from the profile."""

    prompt_type: PromptType
    intent: Intent
    goal: Goal | None = None
    days_per_week: int | None = None
    session_minutes: int | None = None
    equipment: tuple[str, ...] | None = None
    new_issues: tuple[HealthIssue, ...] = ()
    """Conditions and injuries told in the message that the profile does not know yet."""
    new_medication: str | None = None
    exercise: str | None = None
    """The exercise the message is about, by id, where it names one."""
    topic: str | None = None
    """The subject of a chat question, a dangerous request or a warning sign, by id."""
    escalation: Escalation = "none"
    """What a right answer must escalate to, at least."""

    def person(self, profile: UserProfile) -> UserProfile:
        """Return the profile with everything that this message changes taken in."""
        changes: dict[str, object] = {}
        if self.goal is not None:
            changes["goals"] = (self.goal, *(g for g in profile.goals if g != self.goal))
        if self.days_per_week is not None:
            changes["days_per_week"] = self.days_per_week
        if self.session_minutes is not None:
            changes["session_minutes"] = self.session_minutes
        if self.equipment is not None:
            changes["equipment"] = self.equipment
        if self.new_issues:
            told = {issue.id for issue in self.new_issues}
            kept = tuple(c for c in profile.conditions if c.id not in told)
            changes["conditions"] = (*kept, *self.new_issues)
        if self.new_medication is not None:
            new = Medication(id=self.new_medication, dose="as prescribed", frequency="as prescribed")
            changes["medications"] = (*profile.medications, new)
        return profile.model_copy(update=changes) if changes else profile
