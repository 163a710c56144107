"""Generation: the same answer alone or in company, only what a grammar allows, and an end."""

import pytest
from trainer_job.generation import Ask, Sampling, Writer

from shared.errors import Rejected
from tests.unit.trainer_job.tiny import network, tokenizer

WORDS = tokenizer()
WRITER = Writer(network(WORDS), WORDS)
YES = 'start: "yes" | "yesterday"'


def prompt(text: str) -> tuple[int, ...]:
    return tuple(WORDS(f"<|user|>{text}<|assistant|>")["input_ids"])


@pytest.mark.parametrize("sampling", [Sampling(most_tokens=12), Sampling(1.0, seed=3, most_tokens=12)])
def test_an_answer_does_not_depend_on_its_company(sampling: Sampling) -> None:
    asks = [Ask(prompt("How? " * count)) for count in (1, 7, 3, 5)]
    together = [written.text for written in WRITER.write(asks, sampling)]
    assert together == [WRITER.write([ask], sampling)[0].text for ask in asks]


def test_another_seed_draws_another_answer_and_greed_knows_no_seed() -> None:
    ask = [Ask(prompt("How?"))]
    drawn = {WRITER.write(ask, Sampling(1.0, seed=seed, most_tokens=8))[0].text for seed in range(4)}
    greedy = {WRITER.write(ask, Sampling(0.0, seed=seed, most_tokens=8))[0].text for seed in range(4)}
    assert (len(drawn), len(greedy)) == (4, 1)


def test_each_answer_keeps_to_its_own_grammar() -> None:
    schema = '{"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"],"additionalProperties":false}'
    asks = [Ask(prompt("A"), YES), Ask(prompt("B"), schema), Ask(prompt("C C"), YES), Ask(prompt("D"))]
    texts = [written.text for written in WRITER.write(asks, Sampling(most_tokens=20))]
    assert texts[0] in {"yes", "yesterday"}
    assert texts[2] in {"yes", "yesterday"}
    assert texts[1] in {'{"a":true}', '{"a":false}'}


def test_an_answer_without_end_is_cut_and_told() -> None:
    written = WRITER.write([Ask(prompt("How?"), 'start: "a"*')], Sampling(most_tokens=5))[0]
    assert (written.tokens, written.finished) == (5, False) or written.finished


def test_a_grammar_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Rejected, match="grammar"):
        WRITER.write([Ask(prompt("How?"), "start: (")], Sampling())


def test_progress_counts_answers() -> None:
    counts: list[int] = []
    WRITER.write([Ask(prompt("How?"))] * 5, Sampling(most_tokens=2, batch=2), counts.append)
    assert counts == [2, 4, 5]
