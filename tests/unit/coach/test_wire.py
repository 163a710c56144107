"""The wire form: exact, round-tripping, and a decoder that tells every fault and never breaks."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.coach.editing import propose_edits
from shared.coach.notation import write_do
from shared.coach.plan import (
    Add,
    Answer,
    Change,
    ChatAnswer,
    EditsAnswer,
    Move,
    PlanAnswer,
    PlanDay,
    PlannedExercise,
    Remove,
    Swap,
    WorkoutPlan,
)
from shared.coach.planner import make_plan
from shared.coach.vocabulary import PROMPT_TYPES, PromptType
from shared.coach.wire import WireError, answer_schema, decode, encode, plan_lines, strip_reasoning
from tests.people import random_person, random_scenario

SQUAT = PlannedExercise(exercise="goblet-squat", sets=3, reps=10, rir=2, rest_s=90)
PLANK = PlannedExercise(exercise="plank", sets=3, reps=40, rir=2, rest_s=60)
BIKE = PlannedExercise(exercise="stationary-bike", sets=1, reps=20, rir=4, rest_s=0)
PLAN = WorkoutPlan(
    name="Strength, 1 day",
    goal="strength",
    days=(PlanDay(weekday="mon", name="Full Body A", exercises=(SQUAT, PLANK, BIKE)),),
)
PLAN_TEXT = (
    '{"escalation":"none","plan":{"name":"Strength, 1 day","goal":"strength","days":[{"day":"mon",'
    '"name":"Full Body A","exercises":["Goblet Squat 3x10@2/90","Plank 3x40s@2/60",'
    '"Stationary Bike 1x20min@4/0"]}]},"explanation":"Für dich – “slow” first.","safety_notes":["Warm up."]}'
)
PLAN_ANSWER = PlanAnswer(
    escalation="none", plan=PLAN, explanation="Für dich – “slow” first.", safety_notes=("Warm up.",)
)
DOS = {
    "swap mon Back Squat > Leg Press": Swap(day="mon", why="w", exercise="back-squat", new="leg-press"),
    "add tue Plank 3x40s@2/60": Add(day="tue", why="w", new=PLANK),
    "remove wed Plank": Remove(day="wed", why="w", exercise="plank"),
    "remove thu": Remove(day="thu", why="w"),
    "sets fri Plank 4": Change(op="sets", day="fri", why="w", exercise="plank", value=4),
    "reps sat Plank 50": Change(op="reps", day="sat", why="w", exercise="plank", value=50),
    "rir sun 3": Change(op="rir", day="sun", why="w", value=3),
    "rest mon Plank 45": Change(op="rest", day="mon", why="w", exercise="plank", value=45),
    "move mon > wed": Move(day="mon", why="w", to="wed"),
}


def _faults(text: str, prompt_type: PromptType) -> dict[str, str]:
    with pytest.raises(WireError) as refused:
        decode(text, prompt_type)
    return dict(refused.value.faults)


def _edits_text(*edits: object, **fields: object) -> str:
    whole = {"escalation": "none", "edits": edits, "explanation": "Because.", "safety_notes": []}
    return json.dumps(whole | fields)


def _plan_text(*lines: object, **fields: object) -> str:
    plan = {"name": "x", "goal": "strength", "days": [{"day": "mon", "name": "Full Body", "exercises": lines}]}
    whole = {"escalation": "none", "plan": plan, "explanation": "Because.", "safety_notes": []}
    return json.dumps(whole | fields)


def test_a_plan_is_spelt_in_one_compact_line_with_fixed_keys() -> None:
    assert encode(PLAN_ANSWER) == PLAN_TEXT
    assert decode(PLAN_TEXT, "plan_creation") == PLAN_ANSWER


@pytest.mark.parametrize("do", DOS)
def test_every_edit_is_spelt_as_the_notation_says(do: str) -> None:
    answer = EditsAnswer(escalation="none", edits=(DOS[do],), explanation="Because.")
    assert write_do(DOS[do]) == do
    assert decode(_edits_text({"do": do, "why": "w"}), "plan_modification") == answer
    assert decode(encode(answer), "progress_adaptation") == answer


def test_a_reply_and_an_emergency_without_a_plan_round_trip() -> None:
    reply = ChatAnswer(escalation="see_professional", reply='Two lines.\nAnd "quotes" 💪')
    assert encode(reply) == '{"escalation":"see_professional","reply":"Two lines.\\nAnd \\"quotes\\" 💪"}'
    assert decode(encode(reply), "coach_chat") == reply
    stop = PlanAnswer(escalation="emergency", plan=None, explanation="Call for help now.")
    assert decode(encode(stop), "plan_creation") == stop


def test_answers_to_random_people_round_trip_and_fit_their_schema_patterns() -> None:
    line = re.compile(_schema_pattern("plan_creation"))
    do = re.compile(_schema_pattern("plan_modification"))
    for seed in range(300):
        who = random_person(seed)
        plan = make_plan(who)
        answer = PlanAnswer(escalation="none", plan=plan, explanation="Because.", safety_notes=("a", "b"))
        text = encode(answer)
        assert decode(text, "plan_creation") == answer
        assert all(line.search(one) for day in json.loads(text)["plan"]["days"] for one in day["exercises"])
        wish = random_scenario(seed, who, plan)
        if wish is not None:
            edits = EditsAnswer(
                escalation="none", edits=propose_edits(plan, wish.person(who), wish), explanation="Because."
            )
            assert decode(encode(edits), wish.prompt_type) == edits
            assert all(do.search(one["do"]) for one in json.loads(encode(edits))["edits"])


def _schema_pattern(prompt_type: PromptType) -> str:
    found: list[str] = re.findall(r'"pattern": "(.*?)"[,}]', json.dumps(answer_schema(prompt_type)))
    (pattern,) = found
    return str(json.loads(f'"{pattern}"'))


def test_a_name_counts_whatever_its_case_and_number() -> None:
    answer = decode(_plan_text("goblet squats 3x10@2/90", "PLANK 3x40s@2/60"), "plan_creation")
    assert isinstance(answer, PlanAnswer)
    assert answer.plan is not None
    assert answer.plan.days[0].exercises == (SQUAT, PLANK)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (_plan_text("Goblet Squat 3x10@2"), "plan.days[0].exercises[0]", "a line is"),
        (_plan_text("Goblet Squat 3x8-12@2/90"), "plan.days[0].exercises[0]", "a line is"),
        (_plan_text("Goblett Squat 3x10@2/90"), "plan.days[0].exercises[0]", "did you mean Goblet Squat"),
        (_plan_text("Plank 3x40@2/60"), "plan.days[0].exercises[0]", "counts in seconds: write '40s'"),
        (_plan_text("Goblet Squat 3x40s@2/60"), "plan.days[0].exercises[0]", "counts in reps"),
        (_plan_text("Goblet Squat 9x10@2/90"), "plan.days[0].exercises[0]", "sets is 9; allowed is 1 to 6"),
        (_plan_text("Goblet Squat 3x5000@2/90"), "plan.days[0].exercises[0]", "reps is 5000; allowed is 1 to 120"),
        (_plan_text("Goblet Squat 3x10@7/90"), "plan.days[0].exercises[0]", "rir is 7; allowed is 0 to 5"),
        (_plan_text("Goblet Squat 3x10@2/900"), "plan.days[0].exercises[0]", "rest is 900; allowed is 0 to 300"),
        (_plan_text(7), "plan.days[0].exercises[0]", "must be text, not a number"),
        (_plan_text(), "plan.days[0].exercises", "has 0 entries; allowed is 1 to 12"),
        (_plan_text("Plank 3x40s@2/60", escalation="maybe"), "escalation", "allowed are none, see_professional"),
        (_plan_text("Plank 3x40s@2/60", plan=None), "plan", "only where escalation is emergency"),
        (_plan_text("Plank 3x40s@2/60", explanation=""), "explanation", "has 0 characters; allowed is 1 to 1200"),
        (_plan_text("Plank 3x40s@2/60", explanation="a\x00b"), "explanation", "control character"),
        (_plan_text("Plank 3x40s@2/60", safety_notes="slow"), "safety_notes", "must be a list, not text"),
        (_plan_text("Plank 3x40s@2/60", safety_notes=[None]), "safety_notes[0]", "must be text, not null"),
        (_plan_text("Plank 3x40s@2/60", tip="x"), "answer", "unknown key 'tip'"),
        ('{"escalation":"none","plan":{"name":1,"days":"none"}}', "plan.name", "must be text"),
    ],
)
def test_a_fault_in_a_plan_says_where_it_is_and_what_is_allowed(text: str, where: str, message: str) -> None:
    assert message in _faults(text, "plan_creation")[where]


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ("explode mon Plank", "unknown edit 'explode'; allowed are swap, add, remove"),
        ("swap someday Plank > Push-Up", "unknown day 'someday'; allowed are mon"),
        ("swap mon Plank for Push-Up", "the form is 'swap DAY NAME > NAME'"),
        ("swap mon Plank > Plonk", "unknown exercise 'Plonk'; did you mean Plank"),
        ("sets mon Plank many", "the form is 'sets DAY NAME N, or sets DAY N'"),
        ("sets mon Plank 0", "sets is 0; allowed is 1 to 6"),
        ("move mon to wed", "the form is 'move DAY > DAY'"),
        ("move mon > never", "unknown day 'never'"),
        ("add mon Plank", "a line is"),
        ("remove", "unknown day ''"),
    ],
)
def test_a_fault_in_an_edit_says_which_and_what_is_allowed(do: str, message: str) -> None:
    fine = {"do": "remove mon", "why": "w"}
    assert message in _faults(_edits_text(fine, {"do": do, "why": "w"}), "plan_modification")["edits[1].do"]


def test_all_faults_are_told_at_once() -> None:
    text = _plan_text("Plank 3x40@9/60", "Moon Walk 3x10@2/90", escalation="x", explanation=3)
    with pytest.raises(WireError) as refused:
        decode(text, "plan_creation")
    wheres = [fault.where for fault in refused.value.faults]
    assert sorted(set(wheres)) == [
        "escalation", "explanation", "plan.days[0].exercises[0]", "plan.days[0].exercises[1]",
    ]  # fmt: skip
    assert wheres.count("plan.days[0].exercises[0]") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON object"),
        ("no json here", "not a JSON object"),
        ('{"escalation":"none","reply":"Half of a', "not a JSON object: Unterminated string"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ("42", "must be an object"),
        ('{"escalation":"none","reply":NaN}', "NaN is not a number in JSON"),
        ('{"escalation":"none","reply":-Infinity}', "-Infinity"),
        ('{"escalation":"none","reply":' + "9" * 5000 + "}", "integer"),
        ('{"escalation":"none","escalation":"emergency","reply":"x"}', "repeats a key"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "nested too deeply"),
        ('{"escalation":"none","reply":"\ud800"}', "surrogate"),
        ('{"escalation":"none","reply":"\\ud800"}', "surrogate"),
        ('{"escalation":"none"}', "the key 'reply' is missing"),
    ],
)
def test_garbage_is_a_fault_and_never_another_error(text: str, message: str) -> None:
    assert any(message in told for told in _faults(text, "coach_chat").values())


@settings(deadline=None, derandomize=True, database=None)
@given(st.text(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["escalation", "plan", "edits", "reply", "days", "do", "why", "x"]), inner, max_size=5),
).map(json.dumps), st.sampled_from(PROMPT_TYPES))  # fmt: skip
def test_whatever_is_written_decodes_or_is_refused(text: str, prompt_type: PromptType) -> None:
    answer = _decoded_or_refused(text, prompt_type)
    if answer is not None:
        assert decode(encode(answer), prompt_type) == answer


def _decoded_or_refused(text: str, prompt_type: PromptType) -> Answer | None:
    try:
        return decode(text, prompt_type)
    except WireError:
        return None


@settings(deadline=None, derandomize=True, database=None)
@given(st.integers(0, len(PLAN_TEXT) - 1), st.characters(codec="utf-8"))
def test_a_plan_with_one_character_changed_decodes_or_is_refused(place: int, other: str) -> None:
    text = PLAN_TEXT[:place] + other + PLAN_TEXT[place + 1 :]
    _decoded_or_refused(text, "plan_creation")


ANSWER = '{"escalation":"none","reply":"Rest {well}."}'
DRAFT = '{"escalation":"none","reply":"a draft"}'


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        f"  {ANSWER}\n",
        f"```json\n{ANSWER}\n```",
        f"```\n{ANSWER}\n```",
        f"Here you are:\n{ANSWER}\nStay strong!",
        f"<think>First {DRAFT}, then better.</think>{ANSWER}",
        f"<THINK>\n{DRAFT}\n</THINK>\n\n```json\n{ANSWER}\n```",
        f"<think>one</think><think>{DRAFT}</think>{ANSWER}",
        f"<reasoning>{DRAFT}</reasoning>{ANSWER}",
        f"my thoughts without an opening tag {DRAFT} </think>{ANSWER}",
        f"An object {{like this}} or {{}} is not it: {ANSWER}",
        f"{ANSWER} <think>{DRAFT}</think>",
        f"{ANSWER}{DRAFT}",
    ],
)
def test_what_stands_around_an_answer_is_taken_away(text: str) -> None:
    assert strip_reasoning(text) == ANSWER


def test_an_unclosed_thought_holds_no_answer() -> None:
    assert strip_reasoning(f"<think>{DRAFT} and then I") == ""


def test_half_an_answer_stays_half_so_that_the_decoder_can_say_so() -> None:
    assert strip_reasoning(f"Sure! {ANSWER[:30]}") == ANSWER[:30]
    assert strip_reasoning(f"```json\n{ANSWER[:30]}") == ANSWER[:30]


def test_a_tag_inside_the_answer_is_left_alone() -> None:
    text = '{"escalation":"none","reply":"Write <think> to think."}'
    assert strip_reasoning(text) == text


@settings(deadline=None, derandomize=True, database=None)
@given(st.text(alphabet='{}[]"<>/think `a:,', max_size=300))
def test_taking_reasoning_away_never_breaks(text: str) -> None:
    assert len(strip_reasoning(text)) <= len(text)


def test_braces_without_end_are_given_up_soon() -> None:
    assert strip_reasoning("a" + "{" * 200_000).startswith("{")


@pytest.mark.parametrize("prompt_type", PROMPT_TYPES)
def test_every_object_of_a_schema_needs_all_its_keys_and_allows_no_others(prompt_type: PromptType) -> None:
    def check(node: object) -> int:
        if isinstance(node, list):
            return sum(check(one) for one in node)
        if not isinstance(node, dict):
            return 0
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        return (node.get("type") == "object") + sum(check(one) for one in node.values())

    schema = answer_schema(prompt_type)
    assert check(schema) >= 1
    assert next(iter(schema["properties"])) == "escalation"  # type: ignore[call-overload]


def test_a_plan_for_a_prompt_is_one_line_a_day() -> None:
    assert plan_lines(PLAN) == (
        "mon Full Body A: Goblet Squat 3x10@2/90, Plank 3x40s@2/60, Stationary Bike 1x20min@4/0"
    )
