"""Filters: what the dataset's settings refuse beyond the checker's own reasons."""

import pytest

from functions.dataset.filters import rejections
from shared.run_config import DatasetSettings
from tests.datasets import teacher_answer

SETTINGS = DatasetSettings(min_response_chars=40, max_response_chars=400, min_helpfulness=0.5)


def test_a_good_answer_passes() -> None:
    assert rejections(teacher_answer("x" * 200), SETTINGS) == ((), ())


@pytest.mark.parametrize(("length", "reason"), [(39, "too_short"), (401, "too_long")])
def test_lengths_are_bounded(length: int, reason: str) -> None:
    reasons, findings = rejections(teacher_answer("x" * length), SETTINGS)
    assert reasons == (reason,)
    assert str(length) in findings[0]


@pytest.mark.parametrize("length", [40, 400])
def test_the_bounds_themselves_pass(length: int) -> None:
    assert rejections(teacher_answer("x" * length), SETTINGS)[0] == ()


def test_an_unhelpful_answer_is_refused_after_the_checkers_reasons() -> None:
    reasons, _ = rejections(teacher_answer("x" * 200, rejections=("contraindicated",), helpfulness=0.4), SETTINGS)
    assert reasons == ("contraindicated", "unhelpful")
