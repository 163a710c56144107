"""Examples: answers are learned, prompts are not, and nothing is cut."""

import pytest
from trainer_job.examples import IGNORED, read_examples

from shared.errors import Rejected
from tests.unit.trainer_job.tiny import chat, tokenizer

WORDS = tokenizer()
ANSWER = '{"escalation":"none","reply":"Rest."}'


def test_the_answer_and_its_end_are_learned_and_nothing_else() -> None:
    example = read_examples([chat(ANSWER)], WORDS, 200, "train").kept[0]
    learned = [label for label in example.labels if label != IGNORED]
    assert WORDS.decode(learned) == ANSWER + WORDS.eos_token
    assert example.ids[-len(learned) :] == learned


def test_a_record_longer_than_the_context_is_counted_and_left_out_whole() -> None:
    examples = read_examples(
        [chat(ANSWER, "short"), chat(ANSWER.replace("Rest", "Rest " * 200), "long")], WORDS, 120, "x"
    )
    assert [one.record_id for one in examples.kept] == ["short"]
    assert examples.too_long == ["long"]


def test_a_split_without_a_record_that_fits_is_refused_with_the_reason() -> None:
    with pytest.raises(Rejected, match="the split val is empty"):
        read_examples([], WORDS, 100, "val")
    with pytest.raises(Rejected, match="all 1 records are longer than 5 tokens"):
        read_examples([chat(ANSWER)], WORDS, 5, "val")


@pytest.mark.parametrize("line", [b"{", b"{}", b"[]", b'{"messages": []}', b'{"messages": 3, "record_id": "a"}'])
def test_a_line_that_is_no_chat_record_is_refused_by_its_number(line: bytes) -> None:
    with pytest.raises(Rejected, match="train, line 2"):
        read_examples([chat(ANSWER), line], WORDS, 100, "train")


def test_any_text_can_be_spelt_and_read_back() -> None:
    text = 'Back Squat 3x10@2/90","Плие — 👟 \t "x" \\ 3x999min@9/9'
    assert WORDS.decode(WORDS(text)["input_ids"]) == text


def test_what_belongs_together_is_one_token() -> None:
    assert len(WORDS("Goblet Squat")["input_ids"]) == 1
    assert len(WORDS('","exercises":["')["input_ids"]) == 1
