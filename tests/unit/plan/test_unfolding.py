import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.plan.unfolding import Unfolding, unfold_reply
from shared.coach.planner import make_plan
from shared.coach.wire import WireError
from tests.people import person, random_person
from tests.unit.plan.asking import chat_text, in_pieces, plan_text


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_all_days_come_in_order_however_the_text_is_cut(seed: int, size: int) -> None:
    plan = make_plan(random_person(seed))
    unfolding = Unfolding()
    assert [day for piece in in_pieces(plan_text(plan), size) for day in unfolding.feed(piece)] == list(plan.days)


def test_a_day_comes_the_moment_it_is_closed() -> None:
    plan = make_plan(person())
    text = plan_text(plan)
    second = text.index('{"day":', text.index('{"day":') + 1)
    unfolding = Unfolding()
    assert list(unfolding.feed(text[: second - 2])) == []
    assert list(unfolding.feed(text[second - 2 : second])) == [plan.days[0]]


def test_brackets_and_quotes_in_names_are_no_structure() -> None:
    fields = json.loads(plan_text(make_plan(person())))
    fields["plan"]["name"] = 'A "plan" } ] {"day": \\'
    unfolding = Unfolding()
    assert len(list(unfolding.feed(json.dumps(fields)))) == 3


def test_a_day_elsewhere_is_none() -> None:
    unfolding = Unfolding()
    assert list(unfolding.feed('{"days":[{"day":"mon"}],"plan":{"extra":{"days":[{"day":"mon"}]}}}')) == []


def test_a_day_that_cannot_be_read_is_told_with_its_fault() -> None:
    text = plan_text(make_plan(person())).replace('"day":"tue"', '"day":"tuesday"')
    with pytest.raises(WireError, match="allowed are mon"):
        list(Unfolding().feed(text))


@pytest.mark.parametrize("text", ["", "}}}}", "]]]", '"""', '{"plan":{"days":[}', "\\", "{" * 3000])
def test_nonsense_has_no_days(text: str) -> None:
    assert list(Unfolding().feed(text)) == []


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80), st.integers(0, 200))
@settings(deadline=None)
def test_a_reply_grows_and_never_takes_back(reply: str, cut: int) -> None:
    text = chat_text(reply)
    assert reply.startswith(unfold_reply(text[:cut]))
    assert unfold_reply(text) == reply


def test_an_escape_is_not_cut_in_two() -> None:
    assert unfold_reply('{"escalation":"none","reply":"caf\\u00') == "caf"
    assert unfold_reply('{"escalation":"none","reply":"caf\\u00e9') == "café"
    assert unfold_reply('{"escalation":"none","reply":"a\\') == "a"
    assert unfold_reply('{"reply":"\\ud83d') == ""
