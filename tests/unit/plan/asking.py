"""Requests and model texts for the tests of the plan service."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from services.plan import requests
from services.plan.answers import Request
from services.plan.model_client import ModelFailed, Reason
from services.plan.ports import Answering, Ask
from services.plan.requests import Known
from shared.coach.plan import ChatAnswer, EditsAnswer, PlanAnswer, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import UserProfile
from shared.coach.training_log import TrainingSummary
from shared.coach.wire import encode
from tests.people import person


def creation(words: str = "Make me a plan.", who: UserProfile | None = None, **fields: object) -> Request:
    who = who or person()
    return requests.creation(requests.PlanWish(message=words, **fields), Known(who, None, None), str(uuid4()))


def change(words: str, who: UserProfile | None = None, plan: WorkoutPlan | None = None) -> Request:
    who = who or person()
    return requests.change(words, Known(who, plan or make_plan(who), None), str(uuid4()))


def chat(words: str, who: UserProfile | None = None, summary: TrainingSummary | None = None) -> Request:
    return requests.chat(words, Known(who or person(), None, summary), str(uuid4()))


def plan_text(plan: WorkoutPlan, **changes: object) -> str:
    said = "This week trains everything evenly, with a day of rest after each session."
    return encode(PlanAnswer(escalation="none", plan=plan, explanation=said, **changes))


def edits_text(answer: EditsAnswer) -> str:
    return encode(answer)


def chat_text(reply: str) -> str:
    return encode(ChatAnswer(escalation="none", reply=reply))


def in_pieces(text: str, size: int = 7) -> tuple[str, ...]:
    return tuple(text[at : at + size] for at in range(0, len(text), size))


def faulty(plan: WorkoutPlan) -> str:
    """Return a text whose second day holds a set with no repetition in reserve and no rest."""
    fields = json.loads(plan_text(plan))
    lines = fields["plan"]["days"][1]["exercises"]
    lines[0] = re.sub(r"@\d/\d+", "@0/0", lines[0])
    return json.dumps(fields, separators=(",", ":"))


class Answer:
    """An answer that is there already."""

    def __init__(self, text: str, version: str, fails: ModelFailed | None) -> None:
        self.version: str | None = version
        self.truncated = False
        self._text = text
        self._fails = fails

    def __iter__(self) -> Iterator[str]:
        yield from in_pieces(self._text)
        if self._fails:
            raise self._fails


class FakeModel:
    """A model that gives these texts one after the other; `None` fails with a reason before the first word."""

    def __init__(self, *texts: str | None, reason: Reason = "busy", dies_after: bool = False) -> None:
        self._texts = list(texts)
        self._reason: Reason = reason
        self._dies_after = dies_after
        self.asks: list[Ask] = []
        self.open = 0
        self.meanwhile: Callable[[], None] = lambda: None

    @contextmanager
    def ask(self, ask: Ask) -> Iterator[Answering]:
        self.asks.append(ask)
        text = self._texts.pop(0)
        if text is None:
            raise ModelFailed(self._reason, "told to fail")
        self.meanwhile()
        self.open += 1
        try:
            yield Answer(text, "v1", ModelFailed("broken", "told to die") if self._dies_after else None)
        finally:
            self.open -= 1
