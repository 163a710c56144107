"""Records: what is copied from answers into a dataset is what its models say, to the byte."""

from typing import get_type_hints

import orjson
import pytest

from functions.dataset.answers import Answer, Call
from functions.dataset.build import example, record
from shared.frozen import Frozen, json_line
from shared.records import ChatExample, DatasetRecord, TeacherCall, TeacherResponse
from tests.datasets import teacher_answer

ANSWER = teacher_answer("Zwölf Sätze, ☺")


@pytest.mark.parametrize(("copied", "model"), [(record(ANSWER, "val"), DatasetRecord), (example(ANSWER), ChatExample)])
def test_what_is_copied_is_a_line_of_the_model(copied: dict[str, object], model: type[Frozen]) -> None:
    line = orjson.dumps(copied)
    assert json_line(model.model_validate_json(line)) == line


def test_every_field_of_an_answer_is_one_that_the_teacher_writes() -> None:
    assert set(get_type_hints(Answer)) == set(TeacherResponse.model_fields) - {"cache_key"}
    assert set(get_type_hints(Call)) == set(TeacherCall.model_fields)
