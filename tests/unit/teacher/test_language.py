"""Language: what the coach says and what people ask must read as if people had written it."""

import re
from datetime import date
from functools import cache

import pytest

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, MEDICATIONS
from shared.coach.plan import ChatAnswer, EditsAnswer
from shared.coach.rule_based import answer
from shared.coach.wire import decode
from shared.records import Query
from shared.run_config import RunConfig
from shared.synthetic.messages.compose import compose
from shared.synthetic.people.draw import draw_profile
from shared.synthetic.training.simulate import simulate
from tests.logs import as_read

CONFIG = RunConfig(name="language", seed=71, as_of_date=date(2026, 2, 1), users=130, shards=1)

FAULTS = {
    "a doubled word": r"\b([a-z]+) \1\b",
    "two determiners in a row": r"\b(?:an?|the|my|your|our|his|her|their) (?:an?|the|my|your)\b",
    "two spaces": r"  ",
    "a space before punctuation": r" [.,;:!?](?![-\w)])",
    "an unfilled slot": r"[<>{}|]|\b(?-i:None)\b",
    "punctuation in a row": r",,|;;|\.\.|,\.|[,;]:",
    "a vowel after a": r"\b(?-i:a) (?=[aeiou])(?!eu|one\b|once\b|uni(?!m|n)|use|usual|urin|ut)",
    "a consonant after an": r"\ban (?=[bcdfgjklmnpqrstvwxyz])(?!sglt2|ssri|snri|mri|ecg)",
}
COACH_ONLY = {
    "a sentence that starts low": r"(?:^|[.!?] )[a-z]",
    "a sentence without a subject": r"(?:^|[.!?] )(?:It|This) (?:makes|hides|slows|can tear|contains)\b",
}
FAULTS_IN_ANY_CASE = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in FAULTS.items()}


def faults(text: str) -> list[str]:
    return [name for name, pattern in FAULTS_IN_ANY_CASE.items() if pattern.search(text)]


def coach_faults(text: str) -> list[str]:
    return faults(text) + [name for name, pattern in COACH_ONLY.items() if re.search(pattern, text)]


@cache
def conversations() -> tuple[tuple[Query, str], ...]:
    people = ((index, draw_profile(CONFIG, index)) for index in range(CONFIG.users))
    told = (compose(CONFIG, i, one, as_read(simulate(CONFIG, i, one))) for i, one in people)
    return tuple((query, answer(query)) for one in told for query in one.queries())


def texts(query: Query, said: str) -> tuple[str, ...]:
    """Return the full sentences of an answer: what is explained, and what to mind."""
    decoded = decode(said, query.prompt_type)
    if isinstance(decoded, ChatAnswer):
        return (decoded.reply,)
    return (decoded.explanation, *decoded.safety_notes)


@pytest.mark.parametrize(
    "text",
    [
        "Provoked with your an opioid painkiller.",
        "Because of the the pain.",
        "It makes drowsy.",
        "A  gap.",
        "Wait , please.",
        "Take an band.",
        "Take a elastic band.",
        "For <goal> now.",
        "Stop. then go.",
    ],
)
def test_a_known_fault_is_found(text: str) -> None:
    assert coach_faults(text)


@pytest.mark.parametrize("text", ["Use a usual weight.", "Take an SSRI.", "A one-sided row.", "An hour a day."])
def test_a_clean_sentence_has_no_fault(text: str) -> None:
    assert coach_faults(text) == []


def test_everything_the_coach_explains_is_clean_and_ends_with_a_full_stop() -> None:
    said = [text for query, answered in conversations() for text in texts(query, answered)]
    assert len(said) > 1000
    assert [(text, found) for text in said if (found := coach_faults(text))] == []
    assert [text for text in said if text[-1] not in ".?!"] == []


def test_every_reason_for_a_change_is_clean_and_starts_with_a_capital() -> None:
    decoded = [decode(answered, query.prompt_type) for query, answered in conversations()]
    reasons = [edit.why for one in decoded if isinstance(one, EditsAnswer) for edit in one.edits]
    assert len(reasons) > 1000
    assert [(why, found) for why in reasons if (found := coach_faults(why))] == []


def test_what_people_ask_has_no_doubled_words_or_unfilled_slots() -> None:
    asked = [query.request for query, _ in conversations()]
    assert len(asked) > 400
    assert [(text, found) for text in asked if (found := faults(text))] == []


def test_every_note_in_the_catalogue_is_a_sentence_that_stands_alone() -> None:
    notes = [rule.note for one in (*CONDITIONS.values(), *MEDICATIONS.values()) for rule in one.rules]
    assert [(note, found) for note in notes if (found := coach_faults(note))] == []
    assert [note for note in notes if note[-1] != "." or note.startswith(("It ", "This can"))] == []


def test_equipment_is_named_with_an_article_in_what_the_coach_says() -> None:
    bare = [one.name for one in EQUIPMENT.values() if not one.name.endswith("s")]
    needle = re.compile(rf"(?:just|need is|works with|sticks to|which is) (?:{'|'.join(map(re.escape, bare))})\b")
    said = [text for query, answered in conversations() for text in texts(query, answered)]
    assert [text for text in said if needle.search(text)] == []
