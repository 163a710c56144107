import hashlib
import os
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import date
from functools import cache
from random import Random

import pytest

from shared.coach.catalogue import CONDITIONS, MEDICATIONS
from shared.coach.plan import ChatAnswer, EditsAnswer, PlanAnswer
from shared.coach.profile import HealthIssue
from shared.coach.rule_based import answer
from shared.coach.scenario import Scenario
from shared.coach.scoring import Verdict, score
from shared.coach.speech import CAUTIONS, explain_edits
from shared.coach.speech import PHRASES as SPEECH
from shared.coach.vocabulary import GOALS
from shared.coach.wire import decode
from shared.errors import Rejected
from shared.records import Query
from shared.run_config import RunConfig
from shared.synthetic.messages.compose import compose
from shared.synthetic.messages.phrases import PHRASES as MESSAGES
from shared.synthetic.people.draw import draw_profile
from shared.synthetic.training.simulate import simulate
from tests.logs import as_read

CONFIG = RunConfig(name="mock", seed=23, as_of_date=date(2026, 2, 1), users=300, shards=1)

CHAT = (
    ("question.", "training_question"),
    ("motivation.", "motivation"),
    ("out_of_scope_medical.", "out_of_scope_medical"),
)


def of_person(index: int) -> list[Query]:
    person = draw_profile(CONFIG, index)
    return list(compose(CONFIG, index, person, as_read(simulate(CONFIG, index, person))).queries())


@cache
def answers() -> tuple[tuple[Query, str], ...]:
    return tuple((query, answer(query)) for index in range(CONFIG.users) for query in of_person(index))


def judged(query: Query, text: str) -> Verdict:
    return score(query.prompt_type, query.scenario, query.profile, query.plan, text)


def chat(query: Query) -> ChatAnswer:
    said = decode(answer(query), "coach_chat")
    assert isinstance(said, ChatAnswer)
    return said


def test_every_answer_passes_scoring() -> None:
    failed = [
        (query.request, text[:300], verdict.rejections, verdict.findings, verdict.safety_flags)
        for query, text in answers()
        if not (verdict := judged(query, text)).scores.overall_pass or verdict.rejections or verdict.safety_flags
    ]
    assert failed == []


def test_99_percent_of_800_answers_are_distinct() -> None:
    texts = [text for _, text in answers()[:800]]
    assert len(set(texts)) >= 0.99 * len(texts)


def test_explanations_alone_are_nearly_all_distinct() -> None:
    said = [
        decoded.reply if isinstance(decoded, ChatAnswer) else decoded.explanation
        for query, text in answers()[:800]
        for decoded in [decode(text, query.prompt_type)]
    ]
    assert len(set(said)) >= 0.9 * len(said)


def test_escalation_is_at_least_what_the_scenario_calls_for_and_never_a_needless_emergency() -> None:
    for query, text in answers():
        escalation = decode(text, query.prompt_type).escalation
        wanted = query.scenario.escalation
        assert escalation == wanted or (wanted == "none" and escalation == "see_professional")


def test_an_emergency_gets_no_training_but_the_call_for_help() -> None:
    seen = set()
    for query, text in answers():
        if query.scenario.escalation == "emergency":
            decoded = decode(text, query.prompt_type)
            seen.add(query.prompt_type)
            assert "local emergency number" in text
            assert not (isinstance(decoded, PlanAnswer) and decoded.plan)
            assert not (isinstance(decoded, EditsAnswer) and decoded.edits)
    assert len(seen) >= 4


def test_out_of_scope_questions_are_sent_to_somebody_who_may_answer() -> None:
    asked = [(query, text) for query, text in answers() if query.scenario.intent == "out_of_scope_medical"]
    assert asked
    for _, text in asked:
        assert re.search("doctor|pharmacist|surgeon", text)
        assert not re.search(r"\d+ ?(mg|g|ml)\b", text)


def test_a_dangerous_request_is_refused_with_a_reason() -> None:
    asked = [text for query, text in answers() if query.scenario.intent == "dangerous_request"]
    assert asked
    assert all(re.search("will not|cannot|have to refuse|Please do not|leave that idea|but ", text) for text in asked)


def test_answers_read_like_clean_sentences() -> None:
    for query, text in answers():
        decoded = decode(text, query.prompt_type)
        said = decoded.reply if isinstance(decoded, ChatAnswer) else decoded.explanation
        assert not re.search(r"  | [.,;]|[<>{}|]|\.\.|,,|None|\b(\w+) \1\b", said), said
        assert said[0].isupper() or said[0].isdigit()
        assert said[-1] in ".?!"


def test_explanations_speak_of_the_goal_and_the_days() -> None:
    for query, text in answers():
        decoded = decode(text, query.prompt_type)
        if isinstance(decoded, PlanAnswer) and decoded.plan is not None:
            assert decoded.plan.goal.replace("_", " ") in decoded.explanation.lower()
            assert f"{len(decoded.plan.days)}" in decoded.explanation or re.search(
                "two|three|four|five|six", decoded.explanation.lower()
            )


def test_medication_that_is_asked_about_is_named() -> None:
    for query, text in answers():
        if query.scenario.intent == "new_medication":
            assert MEDICATIONS[query.scenario.new_medication or ""].name.lower() in text.lower()


def test_the_teacher_has_an_answer_to_every_topic_that_people_ask_about() -> None:
    sections = {
        "question.": "chat.",
        "motivation.": "chat.motivation.",
        "out_of_scope_medical.": "chat.oos.",
        "now.": "emergency.",
        "soon.": "professional.",
        "dangerous.": "danger.",
    }
    missing = [
        name
        for asked, answered in sections.items()
        for name in MESSAGES.names(asked)
        if f"{answered}{name.removeprefix(asked)}" not in SPEECH
    ]
    missing += [name for name in MESSAGES.names("dangerous.") if name.replace("dangerous", "instead", 1) not in SPEECH]
    assert missing == []
    assert len(MESSAGES.names("question.")) >= 25


@pytest.mark.parametrize(("topic", "condition"), [(topic, one) for topic, ids in CAUTIONS.items() for one in ids])
def test_who_has_a_condition_that_changes_the_answer_is_sent_to_a_professional(topic: str, condition: str) -> None:
    assert condition in CONDITIONS
    query = next(query for query, _ in answers() if query.prompt_type == "coach_chat")
    person = query.profile.model_copy(update={"conditions": (HealthIssue(id=condition),)})
    scenario = Scenario(prompt_type="coach_chat", intent="training_question", topic=topic, exercise="back-squat")
    said = chat(replace(query, profile=person, scenario=scenario))
    assert said.escalation == "see_professional"
    assert re.search("doctor|midwife|dietitian", said.reply)


def test_chat_uses_the_numbers_of_the_person() -> None:
    query = next(query for query, _ in answers() if query.prompt_type == "coach_chat")
    person = query.profile.model_copy(
        update={"conditions": (), "injuries": (), "weight_kg": 70.0, "height_cm": 180.0, "maintenance_kcal": 2345}
    )
    for topic, number in (("protein", "112 to 140 g"), ("calorie_deficit", "2345 kcal")):
        scenario = Scenario(prompt_type="coach_chat", intent="training_question", topic=topic, exercise="back-squat")
        assert number in chat(replace(query, profile=person, scenario=scenario)).reply


def test_answers_to_one_question_differ_between_people() -> None:
    by_topic: dict[str, list[str]] = defaultdict(list)
    for query, text in answers():
        if query.scenario.intent == "training_question":
            by_topic[query.scenario.topic or ""].append(text)
    assert all(len(set(texts)) == len(texts) for texts in by_topic.values())


def test_a_change_without_a_plan_is_refused() -> None:
    query = next(query for query, _ in answers() if query.scenario.intent == "harder")
    with pytest.raises(Rejected, match="needs a plan"):
        answer(replace(query, plan=None))


def test_every_topic_is_answered_in_every_wording() -> None:
    query = next(query for query, _ in answers() if query.prompt_type == "coach_chat")
    topics = [(intent, name.partition(".")[2]) for prefix, intent in CHAT for name in MESSAGES.names(prefix)]
    for intent, topic in topics:
        exercise = "back-squat" if intent == "training_question" else None
        scenario = Scenario.model_construct(prompt_type="coach_chat", intent=intent, topic=topic, exercise=exercise)
        for number, goal in enumerate(GOALS * 10):
            person = query.profile.model_copy(update={"goals": (goal,)})
            asked = replace(query, profile=person, scenario=scenario, query_id=f"{topic}-{number}")
            assert len(chat(asked).reply) > 60


def test_every_change_is_explained_in_every_wording_even_if_nothing_changed() -> None:
    by_intent = {query.scenario.intent: query for query, _ in answers() if query.plan is not None}
    assert len(by_intent) == 17
    for query in by_intent.values():
        person = query.scenario.person(query.profile)
        assert all(explain_edits(query, person, (), Random(seed)) for seed in range(40))


def digest() -> str:
    text = "".join(answer(query) for index in (5, 2, 9) for query in of_person(index))
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_same_answers_are_given_whatever_the_hash_seed() -> None:
    elsewhere = subprocess.run(
        [sys.executable, "-c", "from tests.unit.teacher.test_mock_teacher import digest; print(digest())"],
        env=os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout.strip() == digest()
