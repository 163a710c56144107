from pathlib import Path
from random import Random

import pytest

from shared.errors import Rejected
from shared.grammar import Grammar, sentences


def grammar(tmp_path: Path, text: str) -> Grammar:
    file = tmp_path / "phrases.txt"
    file.write_text(text, "utf-8")
    return Grammar.read(file)


def said(spoken: Grammar, section: str, **values: str) -> set[str]:
    return {spoken.say(section, Random(seed), values) for seed in range(200)}


def test_every_choice_and_line_is_said_and_nothing_else(tmp_path: Path) -> None:
    spoken = grammar(tmp_path, "# greetings\n[hi]\n{hello|hi {all|you}}!\ngood day.\n")
    assert said(spoken, "hi") == {"Hello!", "Hi all!", "Hi you!", "Good day."}


def test_slots_take_values_first_and_sections_otherwise(tmp_path: Path) -> None:
    spoken = grammar(tmp_path, "[a]\n<name> likes <food>\n[food]\nrice\n")
    assert said(spoken, "a", name="Kim") == {"Kim likes rice"}
    assert said(spoken, "a", name="Kim", food="tea") == {"Kim likes tea"}


def test_an_empty_choice_leaves_no_double_blank_and_no_blank_before_a_stop(tmp_path: Path) -> None:
    assert said(grammar(tmp_path, "[a]\nyes {please|} now {today|}.\n"), "a") == {
        "Yes please now today.", "Yes please now.", "Yes now today.", "Yes now.",
    }  # fmt: skip


def test_a_phrase_keeps_its_small_letter(tmp_path: Path) -> None:
    assert grammar(tmp_path, "[a]\nknee pain\n").phrase("a", Random(1), {}) == "knee pain"


def test_sentences_start_with_a_capital() -> None:
    assert sentences("one. two! three? four, five") == "One. Two! Three? Four, five"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a]\nyes {no\n", "phrases.txt:2: a brace is not closed"),
        ("[a]\nyes} no\n", "phrases.txt:2: '}' without an open brace"),
        ("[a]\nyes | no\n", "phrases.txt:2: '|' without an open brace"),
        ("[a]\na -> b\n", "phrases.txt:2: a stray < or >"),
        ("hello\n", "phrases.txt:1: a line before the first"),
    ],
)
def test_a_malformed_line_is_refused_by_file_and_number(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(Rejected, match=problem.replace("|", r"\|")):
        grammar(tmp_path, text)


def test_a_line_whose_value_is_not_there_is_not_said(tmp_path: Path) -> None:
    spoken = grammar(tmp_path, "[hi]\nyou did <sets> sets.\nwell done{, <sets> sets|}.\n")
    assert said(spoken, "hi") == {"Well done."}
    assert said(spoken, "hi", sets="9") == {"You did 9 sets.", "Well done, 9 sets.", "Well done."}
    with pytest.raises(KeyError):
        grammar(tmp_path, "[hi]\nyou did <sets> sets.\n").say("hi", Random(1), {})
