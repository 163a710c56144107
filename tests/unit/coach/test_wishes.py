from collections import Counter
from datetime import date

import pytest

from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue
from shared.coach.scenario import Scenario
from shared.coach.wishes import read_change, read_creation, read_question
from shared.run_config import RunConfig
from shared.synthetic.messages.compose import compose
from shared.synthetic.people.draw import draw_profile
from shared.synthetic.training.simulate import simulate
from tests.logs import as_read
from tests.people import person

CONFIG = RunConfig(name="wishes", seed=707, as_of_date=date(2026, 2, 1), users=150, shards=1)
PLAN = make_plan(person())


def said(words: str) -> Scenario:
    return read_change(words, person(), PLAN)


def test_most_messages_of_the_synthetic_people_are_understood_as_they_were_meant() -> None:
    right, asked = Counter[str](), Counter[str]()
    for index in range(CONFIG.users):
        who = draw_profile(CONFIG, index)
        for query in compose(CONFIG, index, who, as_read(simulate(CONFIG, index, who))).queries():
            if query.plan is not None:
                read = read_change(query.request, who, query.plan)
                asked[query.scenario.intent] += 1
                right[query.scenario.intent] += read.intent == query.scenario.intent
    # Warning signs come before dangers: who wants to train with a fever is told about the fever.
    asked.pop("dangerous_request")
    rates = {intent: right[intent] / count for intent, count in asked.items() if count >= 8}
    assert sum(right[intent] for intent in asked) / asked.total() >= 0.95
    assert min(rates.values()) >= 0.8, rates


def test_what_a_message_changes_is_read_with_its_numbers() -> None:
    assert said("I can only train two days a week from now on").days_per_week == 2
    assert said("sessions max 35 min now pls").session_minutes == 35
    assert said("The gym closed, I have dumbbells and a kettlebell").equipment == ("dumbbells", "kettlebell")
    assert said("I've been prescribed a beta blocker").new_medication == "beta_blocker"


def test_a_day_is_moved_from_training_to_a_free_one() -> None:
    taken = [day.weekday for day in PLAN.days]
    assert taken == ["tue", "thu", "sat"]
    assert said("Can you move Tuesday's session to Monday?").topic == "tue>mon"
    assert said("Move Tuesday to Thursday").intent != "move_day"


def test_an_exercise_counts_only_where_the_plan_has_it() -> None:
    name = PLAN.days[0].exercises[0].exercise.replace("-", " ")
    assert said(f"I hate the {name}, swap it").exercise == PLAN.days[0].exercises[0].exercise
    assert said("I hate the sled push, swap it").exercise is None


@pytest.mark.parametrize(
    ("words", "issue", "severity"),
    [
        ("My knee hurts", "knee_pain", "moderate"),
        ("I have slight back pain", "low_back_pain", "mild"),
        ("I was diagnosed with type 1 diabetes", "type_1_diabetes", "moderate"),
        ("I've got type 2 diabetes now", "type_2_diabetes", "moderate"),
        ("I'm pregnant", "pregnancy", "moderate"),
    ],
)
def test_ailments_are_found_by_the_words_of_every_day(words: str, issue: str, severity: str) -> None:
    read = said(words)
    assert read.new_issues == (HealthIssue(id=issue, severity=severity),)
    assert read.intent == "new_issue"


def test_a_known_ailment_that_acts_up_is_a_flare_up() -> None:
    who = person(conditions=(HealthIssue(id="migraine", severity="mild"),))
    assert read_change("my migraine is acting up again", who, PLAN).intent == "flare_up"


def test_what_is_not_understood_says_so() -> None:
    assert said("Colourless green ideas sleep furiously").intent == "training_question"
    assert read_question("What is the capital of France?", person())[1] is False


def test_a_wish_for_a_plan_says_days_minutes_and_health() -> None:
    read = read_creation("Build me a plan, 4 days a week, 40 minutes each, I have asthma", person())
    assert (read.days_per_week, read.session_minutes) == (4, 40)
    assert [issue.id for issue in read.new_issues] == ["asthma"]


def test_a_question_has_a_topic() -> None:
    read, understood = read_question("How much protein do I need a day?", person())
    assert understood
    assert (read.intent, read.topic) == ("training_question", "protein")
