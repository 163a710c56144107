"""Restoring: an earlier plan, had again by somebody whose health may have changed since."""

from services.plan.changing import REFUSED
from shared.coach.checker import check_plan
from shared.coach.plan import WorkoutPlan
from shared.coach.profile import UserProfile
from shared.errors import Conflict


def restored(now: WorkoutPlan, earlier: WorkoutPlan, person: UserProfile) -> WorkoutPlan:
    """Return an earlier plan; raises Conflict where it equals the present one, or would hurt by now."""
    if earlier == now:
        raise Conflict("the plan is the same as that revision already")
    hurting = [finding for finding in check_plan(earlier, person) if finding.rule in REFUSED]
    if hurting:
        raise Conflict("; ".join(f"{finding.where}: {finding.message}" for finding in hurting[:5]))
    return earlier
