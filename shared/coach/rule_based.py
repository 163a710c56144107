"""Rule based: the coach that needs no model; free, deterministic, and right by construction.

It reads the scenario behind a message instead of its words, plans and edits with the domain engine,
and explains itself in varied words, so that a student can learn from it. The same query always gets
the same answer. It is the mock teacher, and what a student is compared with.
"""

from random import Random

from shared.coach.editing import propose_edits
from shared.coach.plan import Answer, ChatAnswer, EditsAnswer, PlanAnswer
from shared.coach.planner import make_plan
from shared.coach.profile import UserProfile
from shared.coach.speech import (
    explain_edits,
    explain_plan,
    needs_caution,
    reply,
    safety_notes,
    urgent,
    urgent_notes,
)
from shared.coach.wire import encode
from shared.errors import Rejected
from shared.records import Query


def answer(query: Query) -> str:
    """Return the coach's answer to a query, in the wire form."""
    rng = Random(f"mock:{query.query_id}")
    person = query.scenario.person(query.profile)
    if query.prompt_type == "coach_chat":
        return encode(_chat(query, person, rng))
    if query.scenario.escalation == "emergency":
        return encode(_emergency(query, rng))
    return encode(_plan(query, person, rng) if query.prompt_type == "plan_creation" else _edits(query, person, rng))


def _emergency(query: Query, rng: Random) -> Answer:
    said, notes = urgent(query.scenario, rng), urgent_notes(query.scenario, rng)
    if query.prompt_type == "plan_creation":
        return PlanAnswer(escalation="emergency", plan=None, explanation=said, safety_notes=notes)
    return EditsAnswer(escalation="emergency", edits=(), explanation=said, safety_notes=notes)


def _plan(query: Query, person: UserProfile, rng: Random) -> PlanAnswer:
    plan = make_plan(person, rng.getrandbits(32))
    return PlanAnswer(
        escalation=query.scenario.escalation,
        plan=plan,
        explanation=explain_plan(query, person, plan, rng),
        safety_notes=safety_notes(person, rng),
    )


def _edits(query: Query, person: UserProfile, rng: Random) -> EditsAnswer:
    if query.plan is None:
        raise Rejected(f"query {query.query_id}: a change needs a plan to change")
    edits = propose_edits(query.plan, person, query.scenario, rng.getrandbits(32))
    return EditsAnswer(
        escalation=query.scenario.escalation,
        edits=edits,
        explanation=explain_edits(query, person, edits, rng),
        safety_notes=safety_notes(person, rng),
    )


def _chat(query: Query, person: UserProfile, rng: Random) -> ChatAnswer:
    scenario = query.scenario
    if scenario.escalation == "emergency":
        return ChatAnswer(escalation="emergency", reply=urgent(scenario, rng))
    cautious = scenario.escalation == "none" and needs_caution(scenario.topic or "", person)
    escalation = "see_professional" if cautious else scenario.escalation
    return ChatAnswer(escalation=escalation, reply=reply(query, person, rng))
