import pytest

from services.plan.answers import Writer
from services.plan.proposing import Choice, Proposal, ProposedEdit, decide, whole
from shared.coach.editing import apply_edits
from shared.coach.plan import Add, Change, Edit, PlannedExercise, Remove, Swap
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue
from shared.errors import Conflict, Rejected
from tests.people import person

PERSON = person()
PLAN = make_plan(PERSON)
DAY = PLAN.days[0]
FIRST, SECOND = DAY.exercises[0], DAY.exercises[1]
WHY = "asked for"


def proposal(*edits: Edit) -> Proposal:
    return Proposal(
        kind="modification",
        request="please",
        edits=tuple(ProposedEdit(edit=edit) for edit in edits),
        explanation="because",
        safety_notes=(),
        escalation="none",
        writer=Writer(kind="rule_based"),
    )


def rir(exercise: str, value: int) -> Change:
    return Change(op="rir", day=DAY.weekday, exercise=exercise, value=value, why=WHY)


BOTH = proposal(rir(FIRST.exercise, 3), rir(SECOND.exercise, 4))


def test_taken_whole_all_edits_are_in_the_plan_and_none_is_pending() -> None:
    decided, plan = decide(BOTH, whole(BOTH, "accepted"), PLAN, PERSON)
    assert plan == apply_edits(PLAN, [one.edit for one in BOTH.edits])
    assert decided.pending == ()


def test_left_whole_the_plan_stays() -> None:
    decided, plan = decide(BOTH, whole(BOTH, "rejected"), PLAN, PERSON)
    assert plan == PLAN
    assert {one.decision for one in decided.edits} == {"rejected"}


def test_taken_one_by_one_in_any_order_the_plan_is_the_same() -> None:
    first, between = decide(BOTH, Choice(accept=(1,)), PLAN, PERSON)
    assert first.pending == (0,)
    second, plan = decide(first, Choice(accept=(0,)), between, PERSON)
    assert plan == decide(BOTH, whole(BOTH, "accepted"), PLAN, PERSON)[1]
    assert second.pending == ()


def test_one_taken_one_left() -> None:
    decided, plan = decide(BOTH, Choice(accept=(0,), reject=(1,)), PLAN, PERSON)
    assert [one.decision for one in decided.edits] == ["accepted", "rejected"]
    assert plan == apply_edits(PLAN, [BOTH.edits[0].edit])


def test_what_is_decided_cannot_be_decided_again() -> None:
    decided, plan = decide(BOTH, Choice(accept=(0,)), PLAN, PERSON)
    for choice in (Choice(accept=(0,)), Choice(reject=(0,))):
        with pytest.raises(Conflict, match="edits 0 are decided already"):
            decide(decided, choice, plan, PERSON)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(), "nothing is accepted"),
        (Choice(accept=(2,)), "there are no edits 2; the proposal has 2, from 0"),
        (Choice(accept=(-1,)), "there are no edits -1"),
        (Choice(accept=(0,), reject=(0,)), "edits 0 are both"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(choice: Choice, said: str) -> None:
    with pytest.raises(Rejected, match=said):
        decide(BOTH, choice, PLAN, PERSON)


def test_an_edit_that_leans_on_another_says_on_which() -> None:
    there = {line.exercise for line in DAY.exercises}
    new = next(one for one in ("leg-press", "goblet-squat", "hip-thrust", "plank") if one not in there)
    leaning = proposal(
        Swap(day=DAY.weekday, why=WHY, exercise=FIRST.exercise, new=new),
        Change(op="sets", day=DAY.weekday, why=WHY, exercise=new, value=3),
    )
    with pytest.raises(Conflict, match=r"edit 1 no longer fits.*lean on edits 0"):
        decide(leaning, Choice(accept=(1,)), PLAN, PERSON)


def test_a_plan_that_has_changed_since_can_refuse_an_edit() -> None:
    changed = apply_edits(PLAN, [Remove(day=DAY.weekday, why=WHY, exercise=FIRST.exercise)])
    with pytest.raises(Conflict, match="is not there"):
        decide(BOTH, Choice(accept=(0,)), changed, PERSON)


def test_what_became_unsafe_since_it_was_proposed_is_refused() -> None:
    """The person's health changed between the proposal and the click."""
    jumps = PlannedExercise(exercise="box-jump", sets=3, reps=5, rir=2, rest_s=120)
    risky = proposal(Add(day=DAY.weekday, why=WHY, new=jumps))
    hurt = person(injuries=(HealthIssue(id="acl_reconstruction", severity="severe"),))
    with pytest.raises(Conflict, match="ruled out"):
        decide(risky, whole(risky, "accepted"), PLAN, hurt)
