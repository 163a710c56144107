import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from functools import cache

import pytest

from shared.coach.catalogue import CONDITIONS, EQUIPMENT, EXERCISES, MEDICATIONS
from shared.coach.checker import check_plan
from shared.coach.editing import apply_edits
from shared.coach.plan import Move
from shared.coach.restrictions import restrictions_for
from shared.coach.vocabulary import PROMPT_TYPES, WEEKDAYS
from shared.frozen import json_line
from shared.records import Correspondence, Query
from shared.run_config import RunConfig
from shared.synthetic.messages.compose import compose, messages
from shared.synthetic.messages.phrases import PHRASES
from shared.synthetic.messages.scenarios import FLARES, HURTS
from shared.synthetic.messages.shares import SHARES
from shared.synthetic.people.draw import draw_profile
from shared.synthetic.training.simulate import simulate
from tests.logs import as_read

CONFIG = RunConfig(name="messages", seed=11, as_of_date=date(2026, 2, 1), users=200, shards=1)
QUESTIONS = ("question.", "motivation.", "out_of_scope_medical.")


def correspondence(index: int) -> Correspondence:
    person = draw_profile(CONFIG, index)
    return compose(CONFIG, index, person, as_read(simulate(CONFIG, index, person)))


@cache
def queries() -> tuple[Query, ...]:
    return tuple(query for index in range(CONFIG.users) for query in correspondence(index).queries())


def with_intent(intent: str) -> list[Query]:
    found = [query for query in queries() if query.scenario.intent == intent]
    assert found
    return found


def test_200_people_at_the_default_rates_send_exactly_800_messages() -> None:
    counts = Counter(query.prompt_type for query in queries())
    assert counts == dict(zip(PROMPT_TYPES, (200, 160, 160, 160, 120), strict=True))


@pytest.mark.parametrize("per_thousand", [0, 1, 333, 600, 800, 1000, 2500])
def test_people_add_up_to_the_rate_without_rounding_errors(per_thousand: int) -> None:
    assert sum(messages(per_thousand, index) for index in range(1000)) == per_thousand


def test_query_ids_are_unique() -> None:
    assert len({query.query_id for query in queries()}) == len(queries())


def test_at_least_40_templates_stand_behind_every_type() -> None:
    sections: dict[str, list[str]] = {
        kind: [f"frame.{kind}", *(intent for intent, _ in SHARES[kind] if intent in PHRASES)] for kind in PROMPT_TYPES
    }
    sections["safety_adjustment"] += PHRASES.names("dangerous.")
    sections["coach_chat"] += [name for prefix in QUESTIONS for name in PHRASES.names(prefix)]
    counts = {kind: sum(len(PHRASES.lines(name)) for name in names) for kind, names in sections.items()}
    assert {kind: count for kind, count in counts.items() if count < 40} == {}


def test_nearly_no_message_is_sent_twice() -> None:
    assert len({query.request for query in queries()}) >= 0.97 * len(queries())


def test_messages_are_written_in_many_styles() -> None:
    texts = [query.request for query in queries()]
    shares = {
        "lower case": sum(text == text.lower() for text in texts),
        "no full stop": sum(text[-1] not in ".!?)" for text in texts),
        "letters": sum("regards" in text or "Dear" in text or "Good day" in text for text in texts),
        "shorthand": sum(bool(re.search(r"\b(pls|u|w/|&)( |$)", text)) for text in texts),
        "slips": sum(bool(re.search(r"sesion|wich |wiht|strenght|plese|excercise|\bwek\b", text)) for text in texts),
        "pounds": sum(" lb" in text for text in texts),
        "small talk": sum(":)" in text or "Cheers" in text or "by the way" in text for text in texts),
    }
    assert {style: count for style, count in shares.items() if count < 8} == {}
    assert max(map(len, texts)) > 4 * min(map(len, texts))


def test_no_message_has_a_hole_or_a_stray_mark() -> None:
    wrong = [q.request for q in queries() if re.search(r"[<>{}|]|  | [.,;]|\.\.|None", q.request)]
    assert wrong == []


def test_what_differs_from_the_profile_stands_in_the_words() -> None:
    numbers = dict(enumerate(("no", "one", "two", "three", "four", "five", "six")))
    for query in queries():
        scenario, words = query.scenario, query.request.lower()
        if scenario.days_per_week is not None:
            assert str(scenario.days_per_week) in words or numbers[scenario.days_per_week] in words
        if scenario.session_minutes is not None:
            assert str(scenario.session_minutes) in words


def test_equipment_medication_and_exercise_are_named_in_every_style_that_spells_right() -> None:
    for query in queries():
        scenario, words = query.scenario, query.request.lower().replace("wieght", "weight")
        if scenario.equipment is not None:
            assert all(EQUIPMENT[kind].name.lower() in words for kind in scenario.equipment) or "w/" in words
        if scenario.new_medication is not None:
            assert MEDICATIONS[scenario.new_medication].name.lower().split()[-1] in words
        if scenario.intent in ("swap", "plateau"):
            assert EXERCISES[scenario.exercise or ""].name.lower() in words.replace("&", "and")


def test_the_exercise_to_swap_is_in_the_plan() -> None:
    for query in with_intent("swap"):
        assert query.plan is not None
        assert query.scenario.exercise in {line.exercise for day in query.plan.days for line in day.exercises}


def test_plateaus_and_progress_agree_with_the_log() -> None:
    for intent, denied in (("plateau", "improving"), ("improving", "plateau")):
        for query in with_intent(intent):
            assert query.summary is not None
            trends = {lift.exercise: lift.trend for lift in query.summary.lifts}
            assert trends.get(query.scenario.exercise or "") != denied


def test_who_missed_sessions_has_missed_some() -> None:
    for query in with_intent("missed_sessions"):
        assert query.summary is not None
        assert query.summary.done_sessions < query.summary.planned_sessions


def test_a_new_issue_is_new_and_possible_for_the_person() -> None:
    for query in with_intent("new_issue"):
        person, (issue,) = query.profile, query.scenario.new_issues
        condition = CONDITIONS[issue.id]
        assert issue.id not in {known.id for known in (*person.injuries, *person.conditions)}
        assert person.sex in condition.sexes
        assert condition.min_age <= person.age <= condition.max_age


def test_a_new_medication_is_new_and_has_a_reason() -> None:
    for query in with_intent("new_medication"):
        person, medication = query.profile, query.scenario.new_medication or ""
        issues = (*person.injuries, *person.conditions, *query.scenario.new_issues)
        assert medication not in {taken.id for taken in person.medications}
        assert {issue.id for issue in issues} & set(MEDICATIONS[medication].treats)


def test_what_flares_up_is_known_and_gets_worse() -> None:
    order = ("mild", "moderate", "severe")
    for query in with_intent("flare_up"):
        person, (issue,) = query.profile, query.scenario.new_issues
        known = {one.id: one.severity for one in (*person.conditions, *person.injuries)}
        assert order.index(issue.severity) > order.index(known[issue.id])
        assert issue.id in FLARES or issue.id in {injury.id for injury in person.injuries}


def test_fewer_shorter_and_less_are_less_than_before() -> None:
    for query in with_intent("fewer_days"):
        assert 2 <= (query.scenario.days_per_week or 0) < query.profile.days_per_week
    for query in with_intent("shorter"):
        assert 20 <= (query.scenario.session_minutes or 0) < query.profile.session_minutes
    for query in with_intent("other_equipment"):
        assert set(query.scenario.equipment or ()) < set(query.profile.equipment)


def test_a_day_is_moved_to_a_free_one_that_leaves_the_plan_sound() -> None:
    for query in with_intent("move_day"):
        assert query.plan is not None
        day, to = (next(d for d in WEEKDAYS if d == one) for one in (query.scenario.topic or "").split(">"))
        moved = apply_edits(query.plan, (Move(day=day, to=to, why="asked for"),))
        assert check_plan(moved, query.profile) == ()


def test_constraints_take_in_what_the_message_tells() -> None:
    for query in queries():
        assert query.constraints == restrictions_for(query.scenario.person(query.profile)).constraints


def test_plan_and_summary_come_along_where_the_message_is_about_them() -> None:
    for query in queries():
        assert (query.plan is None) == (query.prompt_type in ("plan_creation", "coach_chat"))
        assert (query.summary is None) == (query.prompt_type == "plan_creation")


def test_warning_signs_are_four_to_six_percent_and_stand_in_every_type() -> None:
    more = [query for index in range(200, 500) for query in correspondence(index).queries()]
    signs = [query for query in more if query.scenario.intent == "warning_sign"]
    assert 0.04 <= len(signs) / len(more) <= 0.065
    assert {query.prompt_type for query in signs} == set(PROMPT_TYPES)


def test_every_intent_is_drawn() -> None:
    drawn = {query.scenario.intent for query in queries()}
    assert drawn == {intent for shares in SHARES.values() for intent, _ in shares}


def test_messages_survive_serialisation() -> None:
    for index in range(25):
        written = correspondence(index)
        assert Correspondence.model_validate_json(json_line(written)) == written


def test_only_a_message_about_the_plan_comes_with_it_and_only_a_first_one_without_a_log() -> None:
    with_plan = {query.prompt_type for query in queries() if query.plan is not None}
    without_log = {query.prompt_type for query in queries() if query.summary is None}
    assert with_plan == set(PROMPT_TYPES) - {"plan_creation", "coach_chat"}
    assert without_log == {"plan_creation"}


def digest() -> str:
    return hashlib.sha256(b"".join(json_line(correspondence(index)) for index in (3, 1, 4))).hexdigest()


def test_the_same_messages_are_composed_whatever_the_hash_seed() -> None:
    elsewhere = subprocess.run(
        [sys.executable, "-c", "from tests.unit.queries.test_compose import digest; print(digest())"],
        env=os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout.strip() == digest()


def test_conditions_named_in_the_code_and_the_phrases_exist() -> None:
    told = {name.removeprefix("told.") for name in PHRASES.names("told.")} - {"injury", "condition"}
    assert {*told, *FLARES, *HURTS} - set(CONDITIONS) == set()


def test_shares_of_intents_add_up_to_one() -> None:
    assert {kind: round(sum(share for _, share in shares), 6) for kind, shares in SHARES.items()} == dict.fromkeys(
        PROMPT_TYPES, 1.0
    )
