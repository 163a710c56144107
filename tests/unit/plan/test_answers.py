import pytest

from services.plan.answers import alarmed, coached
from shared.coach.checker import check_plan
from shared.coach.plan import ChatAnswer, EditsAnswer, PlanAnswer
from tests.people import random_person
from tests.unit.plan.asking import change, chat, creation

QUESTIONS = (
    "How long should I rest between sets?",
    "How much protein do I need?",
    "Is creatine worth it?",
    "I have no motivation today",
    "Do I need a deload?",
    "Can you prescribe me something?",
    "How do I get my first pull-up?",
    "Is cardio bad for my gains?",
)
WISHES = ("make it harder", "I only have 25 minutes per session", "my knee hurts", "too tired")


@pytest.mark.parametrize("words", QUESTIONS)
def test_somebody_without_a_log_is_answered_too(words: str) -> None:
    """The coach has lines that quote a log; they are not for somebody who has none."""
    replies = {coached(chat(words)) for _ in range(60)}
    assert all(isinstance(reply, ChatAnswer) and reply.reply for reply in replies)
    assert len(replies) > 5


@pytest.mark.parametrize("seed", range(40))
def test_anybody_gets_a_plan_that_is_right_for_them(seed: int) -> None:
    who = random_person(seed)
    answer = coached(creation(who=who))
    assert isinstance(answer, PlanAnswer)
    assert answer.plan is not None
    assert check_plan(answer.plan, who) == ()


@pytest.mark.parametrize("words", WISHES)
@pytest.mark.parametrize("seed", range(8))
def test_anybodys_wish_without_a_log_is_answered(words: str, seed: int) -> None:
    answer = coached(change(words, random_person(seed)))
    assert isinstance(answer, EditsAnswer)
    assert answer.explanation


def test_what_is_no_warning_sign_raises_no_alarm() -> None:
    assert alarmed(chat("Chest day was great, I am dying to go again")) is None
    assert alarmed(chat("I feel a sharp chest pain when I run")) is not None
