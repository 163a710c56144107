"""The person's grammar: what a right coach writes can be spelt, and what is forbidden cannot."""

from dataclasses import replace
from random import Random

import pytest
from llguidance import LLMatcher, LLTokenizer

from shared.coach.catalogue import EXERCISES
from shared.coach.checker import check_plan
from shared.coach.editing import apply_edits, propose_edits
from shared.coach.limits import DAY_EXERCISES
from shared.coach.person_grammar import person_grammar
from shared.coach.plan import ChatAnswer, EditsAnswer, PlanAnswer, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import UserProfile
from shared.coach.restrictions import restrictions_for
from shared.coach.scenario import Scenario
from shared.coach.vocabulary import Escalation, PromptType
from shared.coach.wire import decode, encode
from tests.people import person, random_person

GRAMMARS = LLTokenizer("byte")
QUOTE = ord('"')


def spells(
    text: str, prompt_type: PromptType, who: UserProfile, plan: WorkoutPlan | None = None, least: Escalation = "none"
) -> bool:
    matcher = LLMatcher(GRAMMARS, person_grammar(prompt_type, who, plan, least))
    assert not matcher.is_error(), matcher.get_error()
    ids = GRAMMARS.tokenize_str(text)
    return matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()


def planned(who: UserProfile, plan: WorkoutPlan | None, escalation: Escalation = "none") -> str:
    return encode(
        PlanAnswer(escalation=escalation, plan=plan, explanation='Say "no" — or don\'t.', safety_notes=("A.",))
    )


def test_nearly_every_plan_of_the_planner_can_be_spelt() -> None:
    """Not one in which a day names two exercises that share a bit."""
    people = [random_person(seed) for seed in range(60)]
    spelt = [spells(planned(who, make_plan(who, 1)), "plan_creation", who) for who in people]
    assert sum(spelt) >= 0.8 * len(people)


@pytest.mark.parametrize("seed", range(24))
def test_whatever_is_chosen_an_answer_comes_to_its_end_in_time_and_with_no_exercise_twice_in_a_day(seed: int) -> None:
    who = random_person(seed)
    answer = decode(chosen_at_random(person_grammar("plan_creation", who, None), Random(seed)), "plan_creation")
    assert isinstance(answer, PlanAnswer)
    assert answer.plan is not None
    left_to_the_checker = {"weekly_volume", "recovery", "day_name", "variety"}
    full = {f"{day.weekday} / {day.name}" for day in answer.plan.days if len(day.exercises) == DAY_EXERCISES[1]}
    for finding in check_plan(answer.plan, who):
        short_but_full = finding.rule == "session_too_short" and finding.where in full
        assert finding.rule in left_to_the_checker or short_but_full, finding


@pytest.mark.parametrize("seed", range(40))
def test_whatever_edits_are_chosen_can_be_made_and_leave_nothing_that_is_ruled_out(seed: int) -> None:
    who = random_person(seed)
    plan = make_plan(
        person(goals=who.goals, days_per_week=who.days_per_week, session_minutes=who.session_minutes), seed
    )
    answer = decode(chosen_at_random(person_grammar("safety_adjustment", who, plan), Random(seed)), "safety_adjustment")
    assert isinstance(answer, EditsAnswer)
    changed = apply_edits(plan, answer.edits)
    ruled_out = {"contraindicated", "equipment", "too_advanced", "repeated_exercise", "weekday_order"}
    assert not [finding for finding in check_plan(changed, who) if finding.rule in ruled_out]


def chosen_at_random(grammar: str, random: Random) -> str:
    """Return a calm answer of which every byte is any that is allowed; texts end as soon as they can."""
    matcher, text = LLMatcher(GRAMMARS, grammar), bytearray(b'{"escalation":"none",')
    assert matcher.consume_tokens(list(text))
    while not matcher.is_accepting():
        mask = matcher.compute_bitmask()
        allowed = [byte for byte in range(128) if mask[byte // 8] >> byte % 8 & 1]
        assert allowed, text.decode()
        choice = QUOTE if QUOTE in allowed and len(allowed) > 40 else random.choice(allowed)
        text.append(choice)
        assert matcher.consume_token(choice)
    return text.decode()


def test_an_exercise_that_a_person_may_not_do_cannot_be_spelt() -> None:
    who = next(who for who in map(random_person, range(99)) if len(restrictions_for(who).allowed) < len(EXERCISES) / 2)
    allowed = restrictions_for(who).allowed
    forbidden = next(exercise for exercise in EXERCISES if exercise not in allowed)
    plan = make_plan(who)
    line = replace(plan.days[0].exercises[0], exercise=forbidden)
    day = plan.days[0].model_copy(update={"exercises": (line, *plan.days[0].exercises[1:])})
    changed = plan.model_copy(update={"days": (day, *plan.days[1:])})
    assert not spells(planned(who, changed), "plan_creation", who)


@pytest.mark.parametrize(
    "change", ["fewer days", "other goal", "other minutes", "wrong order", "short day", "too few reps"]
)
def test_a_plan_that_is_not_what_was_asked_cannot_be_spelt(change: str) -> None:
    who = person(goals=("strength",), days_per_week=3)
    plan = make_plan(who)
    first = plan.days[0]
    weak = replace(first.exercises[0], reps=1)
    changes = {
        "fewer days": {"days": plan.days[:2]},
        "other goal": {"goal": "fat_loss"},
        "other minutes": {"name": plan.name.replace(str(who.session_minutes), "20")},
        "wrong order": {"days": plan.days[::-1]},
        "short day": {"days": (first.model_copy(update={"exercises": first.exercises[:2]}), *plan.days[1:])},
        "too few reps": {
            "days": (first.model_copy(update={"exercises": (weak, *first.exercises[1:])}), *plan.days[1:])
        },
    }
    assert not spells(planned(who, plan.model_copy(update=changes[change])), "plan_creation", who)


def test_no_day_names_an_exercise_twice_but_two_days_may() -> None:
    who = person(goals=("strength",), days_per_week=3)
    plan = make_plan(who)
    first, second, third = plan.days
    line = first.exercises[0]
    doubled = first.model_copy(update={"exercises": (*first.exercises, line)})
    again = second.model_copy(update={"exercises": (*second.exercises[:-1], line)})
    assert not spells(planned(who, plan.model_copy(update={"days": (doubled, second, third)})), "plan_creation", who)
    assert spells(planned(who, plan.model_copy(update={"days": (first, again, third)})), "plan_creation", who)


def test_in_an_emergency_nothing_but_the_alarm_can_be_spelt() -> None:
    who = person()
    assert spells(planned(who, None, "emergency"), "plan_creation", who, least="emergency")
    assert not spells(planned(who, make_plan(who), "see_professional"), "plan_creation", who, least="emergency")
    assert not spells(planned(who, make_plan(who)), "plan_creation", who, least="see_professional")


@pytest.mark.parametrize("intent", ["harder", "easier", "more_volume", "shorter", "fewer_days"])
def test_nearly_every_edit_of_the_rule_based_coach_can_be_spelt(intent: str) -> None:
    """Not one that adds what few would."""
    spelt = []
    for seed in range(20):
        who = random_person(seed)
        plan = make_plan(who)
        scenario = Scenario.model_validate(
            {"prompt_type": "plan_modification", "intent": intent} | WISHES.get(intent, {})
        )
        edits = propose_edits(plan, scenario.person(who), scenario, Random(seed).getrandbits(32))
        text = encode(EditsAnswer(escalation="none", edits=edits, explanation="So.", safety_notes=()))
        spelt.append(spells(text, "plan_modification", scenario.person(who), plan))
    assert sum(spelt) >= 0.8 * len(spelt)


WISHES = {"shorter": {"session_minutes": 20}, "fewer_days": {"days_per_week": 2}}


def test_an_edit_of_a_day_that_is_not_in_the_plan_cannot_be_spelt() -> None:
    who = person(days_per_week=3)
    plan = make_plan(who)
    free = next(day for day in ("mon", "tue", "wed", "thu") if day not in {one.weekday for one in plan.days})
    text = '{"escalation":"none","edits":[{"do":"remove DAY","why":"x"}],"explanation":"x","safety_notes":[]}'
    assert spells(text.replace("DAY", plan.days[0].weekday), "plan_modification", who, plan)
    assert not spells(text.replace("DAY", free), "plan_modification", who, plan)


def test_a_reply_can_say_anything() -> None:
    said = encode(ChatAnswer(escalation="see_professional", reply='Ask a "doctor".\nNow — bitte.'))
    assert spells(said, "coach_chat", person(), least="see_professional")
