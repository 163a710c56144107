import pytest

from services.plan.answers import Writer
from services.plan.coaching import DayWritten, Discarded, Finished, Happening, Said, coach
from shared.coach.checker import check_plan
from shared.coach.plan import Change, ChatAnswer, EditsAnswer, PlanAnswer, WorkoutPlan
from shared.coach.planner import make_plan
from shared.coach.profile import HealthIssue
from tests.people import person
from tests.unit.plan.asking import FakeModel, change, chat, chat_text, creation, edits_text, faulty, plan_text


def finished(happenings: list[Happening]) -> Finished:
    last = happenings[-1]
    assert isinstance(last, Finished)
    return last


def moved_rir(plan: WorkoutPlan, by: int) -> EditsAnswer:
    day, line = plan.days[0], plan.days[0].exercises[0]
    edit = Change(op="rir", day=day.weekday, exercise=line.exercise, value=line.rir + by, why="as you asked for it")
    return EditsAnswer(escalation="none", edits=(edit,), explanation="The main lift gets another distance to failure.")


def test_a_models_plan_is_told_day_by_day_and_says_which_version_wrote_it() -> None:
    plan = make_plan(person(), 3)
    told = list(coach(creation(), FakeModel(plan_text(plan))))
    assert [one.day for one in told[:-1] if isinstance(one, DayWritten)] == list(plan.days)
    assert finished(told).writer == Writer(kind="model", model_version="v1")
    assert isinstance(finished(told).answer, PlanAnswer)


def test_days_are_told_before_the_model_is_done() -> None:
    plan = make_plan(person(), 3)
    model = FakeModel(plan_text(plan))
    happenings = coach(creation(), model)
    assert next(happenings) == DayWritten(plan.days[0])
    assert model.open == 1
    happenings.close()
    assert model.open == 0


def test_a_wrong_day_is_not_told_and_the_model_may_mend_it_once() -> None:
    plan = make_plan(person(experience="beginner"), 1)
    request = creation(who=person(experience="beginner"))
    model = FakeModel(faulty(plan), plan_text(plan))
    told = list(coach(request, model))
    assert [type(one) for one in told] == [DayWritten, Discarded, *[DayWritten] * len(plan.days), Finished]
    assert finished(told).writer.kind == "model"
    assert "rir_bounds" in model.asks[1].turns[-1].content
    assert [turn.role for turn in model.asks[1].turns] == ["user", "assistant", "user"]


def test_after_two_wrong_answers_the_rule_based_coach_answers_and_says_so() -> None:
    who = person(experience="beginner")
    bad = faulty(make_plan(who, 1))
    told = list(coach(creation(who=who), FakeModel(bad, bad)))
    assert finished(told).writer == Writer(kind="rule_based", reason="unfit")
    answer = finished(told).answer
    assert isinstance(answer, PlanAnswer)
    assert answer.plan is not None
    assert check_plan(answer.plan, who) == ()


def test_a_model_that_dies_in_the_middle_is_discarded_and_not_asked_again() -> None:
    plan = make_plan(person(), 3)
    model = FakeModel(plan_text(plan)[:-60], dies_after=True)
    told = list(coach(creation(), model))
    assert isinstance(told[-2], Discarded)
    assert told[-2].code == "broken"
    assert finished(told).writer == Writer(kind="rule_based", reason="broken")
    assert len(model.asks) == 1


@pytest.mark.parametrize("text", ["", "I'd rather not.", '{"escalation":"none"}', "{" * 5000, '"\ud800"'])
def test_nonsense_twice_ends_in_a_rule_based_plan(text: str) -> None:
    told = list(coach(creation(), FakeModel(text, text)))
    assert finished(told).writer == Writer(kind="rule_based", reason="invalid")


def test_without_a_model_the_rule_based_coach_answers_and_says_so() -> None:
    assert finished(list(coach(creation(), None))).writer == Writer(kind="rule_based", reason="no_model")


def test_the_grammar_knows_the_person_as_the_message_makes_them() -> None:
    who = person(days_per_week=3)
    model = FakeModel(None)
    list(coach(creation("Plan please, 2 days a week.", who), model))
    two_days = FakeModel(None)
    list(coach(creation(who=person(days_per_week=2)), two_days))
    assert model.asks[0].grammar == two_days.asks[0].grammar
    assert "minutes" in model.asks[0].turns[0].content


@pytest.mark.parametrize("words", ["I get chest pain when I press", "I fainted in training yesterday"])
def test_an_emergency_is_answered_without_any_model(words: str) -> None:
    for request in (creation(words), change(words), chat(words)):
        model = FakeModel()
        told = finished(list(coach(request, model)))
        assert told.answer.escalation == "emergency"
        assert told.writer.kind == "triage"
        assert model.asks == []
        assert not getattr(told.answer, "plan", None)
        assert not getattr(told.answer, "edits", ())


def test_a_reply_is_told_by_the_sentence_and_whole() -> None:
    reply = 'Rest two minutes. Then "go" again! More is not better.'
    told = list(coach(chat("How long should I rest between sets?"), FakeModel(chat_text(reply))))
    said = [one.words for one in told if isinstance(one, Said)]
    assert said[0] == "Rest two minutes. "
    assert "".join(said) == reply
    assert finished(told).answer == ChatAnswer(escalation="none", reply=reply)


def test_unsafe_words_are_never_said() -> None:
    bad = chat_text("Good question. Just push through the pain and max out every set. That helps.")
    told = list(coach(chat("My sets feel hard, what now?"), FakeModel(bad, bad)))
    assert "pain" not in "".join(one.words for one in told if isinstance(one, Said))
    assert finished(told).writer == Writer(kind="rule_based", reason="unfit")


def test_a_reply_that_goes_round_in_circles_is_taken_back() -> None:
    bad = chat_text("Rest two minutes. Keep 5 to 6 to 6 to 6 to 6 to 6 to 6 days.")
    told = list(coach(chat("How long should I rest between sets?"), FakeModel(bad, bad)))
    assert any(isinstance(one, Discarded) for one in told)
    assert finished(told).writer == Writer(kind="rule_based", reason="unfit")


def test_a_change_by_a_model_is_taken_when_it_does_what_was_asked() -> None:
    plan = make_plan(person())
    answer = moved_rir(plan, -1)
    request = change("It is too easy, make it harder", person(), plan)
    told = finished(list(coach(request, FakeModel(edits_text(answer)))))
    assert told.writer.kind == "model"
    assert told.answer == answer


def test_a_change_that_does_the_opposite_is_not_taken() -> None:
    plan = make_plan(person())
    text = edits_text(moved_rir(plan, 2))
    model = FakeModel(text, text)
    told = finished(list(coach(change("It is too easy, make it harder", person(), plan), model)))
    assert told.writer.kind == "rule_based"
    assert "request_not_followed" in model.asks[1].turns[-1].content


def test_wishes_that_are_not_understood_change_nothing_without_a_model() -> None:
    told = finished(list(coach(change("Colourless green ideas sleep furiously"), None)))
    assert isinstance(told.answer, EditsAnswer)
    assert told.answer.edits == ()
    assert "could not tell" in told.answer.explanation


def test_a_new_ailment_in_a_wish_binds_model_and_coach() -> None:
    who = person(conditions=())
    plan = make_plan(who)
    request = change("My doctor says I have a herniated disc", who, plan)
    assert request.person.conditions == (HealthIssue(id="disc_herniation", severity="moderate"),)
    told = finished(
        list(
            coach(
                request,
                FakeModel(
                    edits_text(
                        EditsAnswer(
                            escalation="none", edits=(), explanation="Keep everything as it is, it will be fine."
                        )
                    ),
                    None,
                ),
            )
        )
    )
    assert told.writer.kind == "rule_based"
