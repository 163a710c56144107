"""Words that go round in circles are noticed; what a coach says is none of them."""

import pytest

from shared.coach.rambling import rambling


@pytest.mark.parametrize(
    "text",
    [
        "keep 5 to 6 to 6 to 6 to 6 to 6 to 6 days",
        "rest for 666666666666 seconds",
        "Add a set, add a set, add a set, add a set.",
        "the less the less the less the less",
    ],
)
def test_circles_are_noticed(text: str) -> None:
    assert rambling(text)


@pytest.mark.parametrize(
    "text",
    [
        "Rest two to three minutes after heavy sets, and one to two after the others.",
        "Week 1: 3 x 10, week 2: 3 x 10, week 3: 3 x 12, week 4: rest.",
        "No, no, no: pain is no part of it.",
        "---------- and ........ are no words; 100000 kcal are a number.",
    ],
)
def test_speech_is_not(text: str) -> None:
    assert rambling(text) is None
