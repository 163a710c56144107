"""Answers: what a person is told in reply to a request, who wrote it, and whether it may be told.

    Writer     a model version, the rule-based coach (and why no model), or triage
    judged     the findings against a model's text; none where a careful coach could hand it out
    coached    the rule-based coach's answer, which needs no judging

All pure: the same request gets the same words.
"""

from dataclasses import dataclass
from typing import Final, Literal

from shared.coach.checker import check_plan
from shared.coach.plan import Answer, ChatAnswer, EditsAnswer, PlanAnswer, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import UserProfile, slice_tags
from shared.coach.reasoning import strip_reasoning
from shared.coach.restrictions import constraints_for
from shared.coach.rule_based import answer as rule_based_answer
from shared.coach.scenario import Scenario
from shared.coach.scoring import score
from shared.coach.training_log import TrainingSummary
from shared.coach.triage import triage
from shared.coach.vocabulary import PromptType
from shared.coach.wire import decode
from shared.frozen import Frozen
from shared.records import Query

RULE_BASED: Final = "rule-based-coach"
NOT_UNDERSTOOD: Final = (
    "I could not tell from these words what to change, so nothing is changed. Say it in one sentence, such as "
    "'make it harder', 'only 3 days a week', 'swap the Back Squat', 'move Monday to Tuesday' or 'my knee hurts'."
)
NO_ANSWER: Final = (
    "I cannot answer that well right now. Your plan stays as it is; ask me about sets, reps, rest, food, sleep or "
    "recovery, or try again in a few minutes. With anything that worries you about your health, see a doctor."
)
_URGENT_NOTE: Final = "No training until this has been looked at."
_UNDECIDABLE: Final = ("no_change", "request_not_followed")
"""What cannot be held against an answer when it is not known what was asked."""

WriterKind = Literal["model", "rule_based", "triage", "user"]


class Writer(Frozen):
    """Who wrote something, for the person to see."""

    kind: WriterKind
    model_version: str | None = None
    reason: str | None = None
    """Why it was not a model, where one would have been asked: "unreachable", "unsafe", ..."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks their coach, with all that the coach knows of them."""

    request_id: str
    user_id: str
    prompt_type: PromptType
    words: str
    scenario: Scenario
    understood: bool
    """Whether the scenario says what is wanted, or only that something is."""
    profile: UserProfile
    plan: WorkoutPlan | None
    summary: TrainingSummary | None

    @property
    def person(self) -> UserProfile:
        """The person with everything that the request changes."""
        return self.scenario.person(self.profile)

    def query(self) -> Query:
        """Return the request as the domain engine knows it."""
        return Query(
            query_id=self.request_id,
            user_id=self.user_id,
            prompt_type=self.prompt_type,
            request=self.words,
            scenario=self.scenario,
            profile=self.profile,
            plan=self.plan,
            summary=self.summary,
            slice_tags=slice_tags(self.profile),
            constraints=constraints_for(self.person),
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """A model's text, read and judged."""

    answer: Answer | None
    findings: tuple[str, ...]
    """What is wrong with it, in words that its writer can mend it by."""
    rejections: tuple[str, ...]


def judged(request: Request, text: str) -> Judgement:
    """Judge a text that a model wrote in answer to a request; what the plan had wrong before does not count."""
    verdict = score(request.prompt_type, request.scenario, request.profile, request.plan, strip_reasoning(text))
    before = _findings_before(request)
    findings = tuple(one for one in verdict.findings if one not in before and not _undecidable(request, one))
    rules = {one.partition(":")[0] for one in findings}
    return Judgement(verdict.answer, findings, tuple(one for one in verdict.rejections if one in rules))


def _findings_before(request: Request) -> set[str]:
    if request.plan is None or request.prompt_type == "plan_creation":
        return set()
    found = check_plan(request.plan, request.person)
    return {f"{one.rule}: {one.where}: {one.message}" for one in found if one.rule != "contraindicated"}


def _undecidable(request: Request, finding: str) -> bool:
    return not request.understood and finding.startswith(_UNDECIDABLE)


def alarmed(request: Request) -> Answer | None:
    """Return the answer to a warning sign, before anybody else is asked; None where there is none."""
    found = triage(request.words)
    if found.escalation == "none":
        return None
    said, notes = found.sentence, (_URGENT_NOTE,)
    if request.prompt_type == "coach_chat":
        return ChatAnswer(escalation=found.escalation, reply=said)
    if request.prompt_type != "plan_creation":
        return EditsAnswer(escalation=found.escalation, edits=(), explanation=said, safety_notes=notes)
    if found.escalation == "emergency":
        return PlanAnswer(escalation="emergency", plan=None, explanation=said, safety_notes=notes)
    return PlanAnswer(escalation=found.escalation, plan=make_plan(request.person), explanation=said, safety_notes=notes)


def coached(request: Request) -> Answer:
    """Return the rule-based coach's answer."""
    if request.understood or request.prompt_type == "plan_creation":
        return decode(rule_based_answer(request.query()), request.prompt_type)
    if request.prompt_type == "coach_chat":
        return ChatAnswer(escalation="none", reply=NO_ANSWER)
    return EditsAnswer(escalation="none", edits=(), explanation=NOT_UNDERSTOOD)
