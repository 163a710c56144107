"""Proposing: edits that a coach suggests, each taken or left by the user, and the plan that comes of it.

    open ─► decided      once no edit is pending; what was accepted is in the plan by then

Edits were written for one after the other, so one may lean on another: "sets mon Leg Press 4" needs "swap mon
Back Squat > Leg Press". Taking it alone is a Conflict that names what it leans on.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from services.plan.answers import Writer
from services.plan.changing import allowed
from shared.coach.editing import EditError, apply_edits
from shared.coach.plan import Edit, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import Escalation
from shared.errors import Conflict
from shared.frozen import Frozen

Decision = Literal["pending", "accepted", "rejected"]
ProposalStatus = Literal["open", "decided"]
ProposalKind = Literal["modification", "adaptation"]


class ProposedEdit(Frozen):
    """An edit, and what the user made of it."""

    edit: Edit
    decision: Decision = "pending"


class Proposal(Frozen):
    """What a coach suggests for a plan."""

    kind: ProposalKind
    request: str
    """What the user asked for, in their words; for an adaptation what their log says."""
    edits: tuple[ProposedEdit, ...]
    explanation: str
    safety_notes: tuple[str, ...]
    escalation: Escalation
    writer: Writer

    @property
    def pending(self) -> tuple[int, ...]:
        """The places of the edits that are not decided yet."""
        return tuple(place for place, one in enumerate(self.edits) if one.decision == "pending")


class Choice(Frozen):
    """What a user takes and leaves: places of edits, from 0."""

    accept: tuple[int, ...] = ()
    reject: tuple[int, ...] = ()


def whole(proposal: Proposal, decision: Literal["accepted", "rejected"]) -> Choice:
    """Return the choice of everything that is pending."""
    return Choice(accept=proposal.pending) if decision == "accepted" else Choice(reject=proposal.pending)


def decide(proposal: Proposal, choice: Choice, plan: WorkoutPlan, person: UserProfile) -> tuple[Proposal, WorkoutPlan]:
    """Return the proposal with the choice taken in, and the plan that comes of it.

    Raises Conflict for a place that does not exist, is chosen both ways or decided already, for an edit that the
    plan no longer fits, and where the result would hurt.
    """
    _check_choice(proposal, choice)
    accepted = sorted(set(choice.accept))
    after = _applied(plan, proposal.edits, accepted)
    if accepted:
        after = allowed(plan, after, person)
    decisions: dict[int, Decision] = {place: "accepted" for place in accepted}
    decisions |= {place: "rejected" for place in choice.reject}
    edits = tuple(
        one.model_copy(update={"decision": decisions.get(place, one.decision)})
        for place, one in enumerate(proposal.edits)
    )
    return proposal.model_copy(update={"edits": edits}), after


def _check_choice(proposal: Proposal, choice: Choice) -> None:
    both = set(choice.accept) & set(choice.reject)
    if both:
        raise Conflict(f"edits {_places(both)} are both accepted and rejected")
    chosen = {*choice.accept, *choice.reject}
    if not chosen:
        raise Conflict("nothing is accepted and nothing rejected")
    unknown = {place for place in chosen if not 0 <= place < len(proposal.edits)}
    if unknown:
        raise Conflict(f"there are no edits {_places(unknown)}; the proposal has {len(proposal.edits)}, from 0")
    decided = {place for place in chosen if proposal.edits[place].decision != "pending"}
    if decided:
        raise Conflict(f"edits {_places(decided)} are decided already")


def _applied(plan: WorkoutPlan, edits: Sequence[ProposedEdit], accepted: Sequence[int]) -> WorkoutPlan:
    try:
        return apply_edits(plan, [edits[place].edit for place in accepted])
    except EditError as exc:
        place = accepted[exc.index]
        skipped = [other for other in range(place) if edits[other].decision == "pending" and other not in accepted]
        leans = f"; it may lean on edits {_places(skipped)}, which are not accepted yet" if skipped else ""
        raise Conflict(f"edit {place} no longer fits the plan: {exc}{leans}") from exc


def _places(places: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(places)))
