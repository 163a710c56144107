"""Near duplicates: found when texts are almost the same, and not when they only look alike."""

import random

import pytest

from functions.dataset.near_duplicates import near_duplicates
from functions.teacher.sketch import sketch

WORDS = [f"word{number}" for number in range(500)]


def text(seed: int, words: int = 200) -> list[str]:
    return random.Random(seed).choices(WORDS, k=words)


def changed(words: list[str], changes: int) -> list[str]:
    rng = random.Random(99)
    places = set(rng.sample(range(len(words)), changes))
    return [f"new{place}" if place in places else word for place, word in enumerate(words)]


def test_the_same_text_is_a_duplicate_of_the_first() -> None:
    with near_duplicates(1.0) as index:
        assert index.original_of("a", sketch(" ".join(text(1)))) is None
        assert index.original_of("b", sketch(" ".join(text(1)).upper())) == "a"
        assert index.original_of("c", sketch(" ".join(text(1)))) == "a"


def test_a_text_with_one_word_changed_is_a_near_duplicate() -> None:
    found = 0
    for seed in range(50):
        with near_duplicates(0.9) as index:
            index.original_of("a", sketch(" ".join(text(seed))))
            found += index.original_of("b", sketch(" ".join(changed(text(seed), 1)))) == "a"
    assert found >= 45


@pytest.mark.parametrize("changes", [40, 100])
def test_a_text_with_many_words_changed_is_not(changes: int) -> None:
    with near_duplicates(0.9) as index:
        for seed in range(50):
            assert index.original_of(f"a{seed}", sketch(" ".join(text(seed)))) is None
            assert index.original_of(f"b{seed}", sketch(" ".join(changed(text(seed), changes)))) is None


def test_different_texts_are_never_duplicates() -> None:
    with near_duplicates(0.9) as index:
        assert [index.original_of(str(seed), sketch(" ".join(text(seed)))) for seed in range(300)] == [None] * 300


def test_a_duplicate_is_not_itself_an_original() -> None:
    with near_duplicates(0.9) as index:
        index.original_of("a", sketch(" ".join(text(1))))
        assert index.original_of("b", sketch(" ".join(changed(text(1), 1)))) == "a"
        assert index.original_of("c", sketch(" ".join(changed(text(1), 1)))) == "a"


def test_a_short_text_has_a_sketch_too() -> None:
    assert sketch("hello") == sketch("HELLO")
    assert sketch("hello") != sketch("goodbye")
    assert len(sketch("")) == 256
