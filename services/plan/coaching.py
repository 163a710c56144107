"""Coaching: a request into an answer, by a model where one can, told piece by piece.

    warning sign?            triage answers; no model is asked
    model, up to twice       the second time with what was wrong with the first answer
    otherwise                the rule-based coach, marked as such

A plan is told day by day as the model writes it: each day is read and held against the person's limits before it
is told. Where the model fails after that, a `Discarded` takes back what was told. A chat's reply is told
sentence by sentence. Whoever stops listening closes the generator, and with it the connection to the model.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from services.plan.answers import Judgement, Request, Writer, alarmed, coached, judged
from services.plan.model_client import ModelFailed
from services.plan.ports import Answering, Ask, Model, Priority, Turn
from services.plan.unfolding import Unfolding, unfold_reply
from shared.coach.checker import RULES, check_plan
from shared.coach.person_grammar import person_grammar
from shared.coach.plan import Answer, PlanDay, WorkoutPlan
from shared.coach.profile import UserProfile
from shared.coach.rambling import rambling
from shared.coach.unsafe_text import unsafe_phrases
from shared.coach.vocabulary import Escalation, PromptType
from shared.coach.wire import WireError
from shared.prompt import render

TRIES: Final = 2
MOST_FINDINGS: Final = 8
_SENTENCE_ENDS: Final = (". ", "! ", "? ", "\n")
_UNREADABLE: Final = ("unparseable", "empty", "answer:")
_OF_A_WEEK: Final = frozenset({"recovery", "weekly_volume", "days_match", "weekday_order", "variety", "goal_match"})
_OF_A_DAY: Final = frozenset(RULES) - _OF_A_WEEK
"""Rules that one day alone can break."""


@dataclass(frozen=True, slots=True)
class DayWritten:
    """A day of the plan is there, and is right for the person."""

    day: PlanDay


@dataclass(frozen=True, slots=True)
class Said:
    """More of a chat's reply."""

    words: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """What was told so far does not count: the model failed, or what it went on to write was wrong."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole answer; the last of all."""

    answer: Answer
    writer: Writer


Happening = DayWritten | Said | Discarded | Finished


class _Wrong(Exception):
    """A day or a sentence that must not be told."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        super().__init__("; ".join(findings))
        self.findings = findings


def coach(request: Request, model: Model | None, priority: Priority = "interactive") -> Generator[Happening]:
    """Yield an answer as it comes to be; the last is `Finished`."""
    alarm = alarmed(request)
    if alarm is not None:
        yield Finished(alarm, Writer(kind="triage"))
        return
    if model is None:
        yield Finished(coached(request), Writer(kind="rule_based", reason="no_model"))
        return
    yield from _asked(request, model, priority)


def _asked(request: Request, model: Model, priority: Priority) -> Generator[Happening]:
    reason = "unfit"
    attempt: _Attempt | None = None
    for _ in range(TRIES):
        attempt = _Attempt(request, model, _ask(request, priority, attempt))
        with closing(attempt.tell()) as told:
            yield from told
        if attempt.finished is not None:
            yield attempt.finished
            return
        reason = attempt.reason
        if attempt.told:
            yield Discarded(reason, attempt.message)
        if not attempt.can_be_mended:
            break
    yield Finished(coached(request), Writer(kind="rule_based", reason=reason))


class _Attempt:
    """One try of a model to answer."""

    def __init__(self, request: Request, model: Model, ask: Ask) -> None:
        self._request = request
        self._model = model
        self._ask = ask
        self.text = ""
        self.told = False
        self.finished: Finished | None = None
        self.findings: tuple[str, ...] = ()
        self.reason = "invalid"
        self.message = ""
        self.can_be_mended = True

    def tell(self) -> Generator[Happening]:
        """Ask, and yield what may be told of the answer; afterwards `finished` or `reason` says how it went."""
        try:
            with self._model.ask(self._ask) as answering:
                yield from self._follow(answering)
                version = answering.version
        except ModelFailed as exc:
            self.reason, self.message, self.can_be_mended = exc.reason, str(exc), False
            return
        except _Wrong as exc:
            self._note(exc.findings)
            return
        self._judge(judged(self._request, self.text), version)

    def _follow(self, answering: Answering) -> Iterator[Happening]:
        follow = {"plan_creation": self._days, "coach_chat": self._sentences}.get(self._request.prompt_type)
        pieces = iter(answering)
        if follow is None:
            self.text = "".join(pieces)
            return
        for happening in follow(pieces):
            self.told = True
            yield happening

    def _days(self, pieces: Iterator[str]) -> Iterator[Happening]:
        unfolding, person = Unfolding(), self._request.person
        for piece in pieces:
            self.text += piece
            try:
                for day in unfolding.feed(piece):
                    _check_day(day, person)
                    yield DayWritten(day)
            except WireError as exc:
                raise _Wrong(tuple(f"{where}: {message}" for where, message in exc.faults)) from exc

    def _sentences(self, pieces: Iterator[str]) -> Iterator[Happening]:
        told = 0
        for piece in pieces:
            self.text += piece
            reply = unfold_reply(self.text)
            end = max(reply.rfind(stop) + len(stop) for stop in _SENTENCE_ENDS)
            if end > max(told, 1):
                _check_words(reply[:end])
                yield Said(reply[told:end])
                told = end
        reply = unfold_reply(self.text)
        _check_words(reply)
        if circle := rambling(reply):
            raise _Wrong((f"rambling: comes over and over: {circle!r}",))
        if len(reply) > told:
            yield Said(reply[told:])

    def _judge(self, judgement: Judgement, version: str | None) -> None:
        if judgement.answer is None or judgement.findings:
            self._note(judgement.findings)
            return
        self.finished = Finished(judgement.answer, Writer(kind="model", model_version=version))

    def _note(self, findings: tuple[str, ...]) -> None:
        self.findings = findings
        self.reason = "invalid" if any(one.startswith(_UNREADABLE) for one in findings) else "unfit"
        self.message = "the answer was not right for this person, and is written again"


def _check_day(day: PlanDay, person: UserProfile) -> None:
    plan = WorkoutPlan(name="-", goal=person.goal, days=(day,))
    wrong = [one for one in check_plan(plan, person) if one.rule in _OF_A_DAY]
    if wrong:
        raise _Wrong(tuple(f"{one.rule}: {one.where}: {one.message}" for one in wrong))


def _check_words(words: str) -> None:
    found = unsafe_phrases(words)
    if found:
        raise _Wrong(tuple(f"unsafe_text: {flag}: {phrase!r}" for flag, phrase in found.items()))


def _ask(request: Request, priority: Priority, failed: _Attempt | None) -> Ask:
    """Return what the model is asked; after a failed attempt also what was wrong with that."""
    prompt = render(request.prompt_type, request.profile, request.words, request.plan, request.summary)
    turns = [Turn(role="user", content=prompt.user)]
    if failed is not None and failed.text:
        wrong = "\n".join(f"- {finding}" for finding in failed.findings[:MOST_FINDINGS])
        again = f"That is wrong:\n{wrong}\nAnswer again, whole, with this put right."
        turns += [Turn(role="assistant", content=failed.text), Turn(role="user", content=again)]
    return Ask(
        system=prompt.system,
        turns=tuple(turns),
        prompt_type=request.prompt_type,
        user_id=request.user_id,
        request_id=request.request_id,
        grammar=grammar_for(request.prompt_type, request.person, request.plan, request.scenario.escalation),
        priority=priority,
    )


@lru_cache(maxsize=256)
def grammar_for(prompt_type: PromptType, person: UserProfile, plan: WorkoutPlan | None, least: Escalation) -> str:
    """Return the grammar of a right answer; one person asks several times in a row."""
    return person_grammar(prompt_type, person, plan, least)
