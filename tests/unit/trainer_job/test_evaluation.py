"""Evaluation: what a report says of models whose answers are known, and that a real network goes all the way."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from trainer_job.base import Base
from trainer_job.evaluation import answering, evaluate
from trainer_job.evaluation.answering import Answers
from trainer_job.evaluation.card import model_card
from trainer_job.evaluation.command import add_command
from trainer_job.evaluation.contestants import Contestant, ready
from trainer_job.evaluation.disturbing import DISTURBANCES, disturbed
from trainer_job.evaluation.entry import settings, summary
from trainer_job.evaluation.evaluate import EvalSettings, evaluate_model
from trainer_job.evaluation.page import render_page
from trainer_job.evaluation.prompts import fresh_exams, grammar, held_out_exams
from trainer_job.evaluation.safety import reference, safety_prompts
from trainer_job.evaluation.side_by_side import Begin, side_by_side
from trainer_job.generation import Written
from trainer_job.recipe import load_recipe

from shared.artifacts import DirectoryStore
from shared.coach.rule_based import answer
from shared.errors import NotFound, Rejected
from shared.eval_report import MODES, EvalReport, Mode
from shared.prompt import render
from shared.records import Query
from tests.unit.trainer_job.a_run import CONFIG, RUN_ID, a_store
from tests.unit.trainer_job.tiny import network, tokenizer

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft asks for it
WORDS = tokenizer()
SMALL = EvalSettings(test=12, fresh=36, min_slice_size=10)
SAFE = {prompt.query().query_id: reference(prompt) for prompt in safety_prompts()}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DirectoryStore:
    return a_store(tmp_path_factory.mktemp("store"))


def right(query: Query) -> str:
    return SAFE.get(query.query_id) or answer(query)


def silent(query: Query) -> str:
    return ""


class Scripted:
    """A model whose answers are known: the base is the first that answers with nothing."""

    def __init__(self, speak: Callable[[Query], str]) -> None:
        self.model = network(WORDS)
        self._speak = speak

    def answer(
        self, queries: Sequence[Query], modes: Sequence[Mode], told: object = None, prompts: object = None
    ) -> Answers:
        texts = [self._speak(query) for query in queries]
        written = [Written(text, len(text) // 4, True, 0.5) for text in texts]
        return Answers(dict.fromkeys(modes, written), [100] * len(queries), 2.0)


@contextmanager
def one_after_the_other(works: int) -> Iterator[Begin]:
    del works
    yield lambda work, /, *arguments, **named: lambda: work(*arguments, **named)


def test_work_at_the_side_gives_what_it_would_give_here_or_raises_it() -> None:
    with side_by_side(2) as begin:
        power, wrong = begin(pow, 2, 10), begin(divmod, 1, 0)
        assert power() == 1024
        with pytest.raises(ZeroDivisionError):
            wrong()


def judged(
    store: DirectoryStore,
    monkeypatch: pytest.MonkeyPatch,
    speakers: Sequence[Callable[[Query], str]],
    asked: EvalSettings = SMALL,
) -> EvalReport:
    """Return the report of scripted models: the student, its base, and, of three, the one that is served."""
    left = list(speakers)
    monkeypatch.setattr(evaluate, "Answerer", lambda *_: Scripted(left.pop(0)))
    monkeypatch.setattr(evaluate, "side_by_side", one_after_the_other)  # another process would not know the script
    base = Base("a-base", network(WORDS), WORDS)
    served = Contestant("older", base) if len(speakers) > 2 else None
    return evaluate_model(Contestant("newer", base), store, RUN_ID, 4096, asked, served)


def test_a_right_student_beats_a_silent_base_by_every_number(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = judged(store, monkeypatch, (right, silent))
    assert report.prompts == {"test": 12, "fresh": 36, "safety": len(SAFE)}
    for mode in MODES:
        found = report.modes[mode]
        assert found.safety is not None
        assert found.safety.passed.rate == 1
        assert {one.rate for metric, one in found.overall.rates.items() if metric != "false_alarm"} == {1.0}
        passed = report.compared("base", mode, "passed")
        assert passed is not None
        assert (passed.outcome, passed.only_theirs, passed.both) == ("better", 0, 0)
        assert found.variety is not None
        assert found.variety.distance > 0.5
    assert report.base is not None
    assert report.base.modes["free"].safety is None
    constant = report.compared("constant", "grammar", "strict_plan")
    assert constant is not None
    assert constant.outcome == "better"
    assert report.worse("base") == ()
    assert {one.kind for one in report.examples} == {"plan", "best"}


def test_a_student_that_became_worse_is_told_overall_and_slice_by_slice(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worse_for_women(query: Query) -> str:
        return silent(query) if query.profile.sex == "female" else right(query)

    report = judged(store, monkeypatch, (worse_for_women, right, right))
    assert (report.served_version, report.served is not None) == ("older", True)
    women = report.compared("served", "grammar", "passed", {"sex": "female"})
    men = report.compared("served", "grammar", "passed", {"sex": "male"})
    assert women is not None
    assert men is not None
    assert (women.outcome, women.difference, men.outcome) == ("worse", -1, "no_difference")
    assert {one.kind for one in report.examples} >= {"worst", "regression"}
    assert all(not one.answers["student"].text for one in report.examples if one.kind == "regression")


def test_a_small_slice_is_shown_and_not_judged(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    report = judged(store, monkeypatch, (silent, right), EvalSettings(test=12, fresh=36, min_slice_size=1000))
    groups = (report.modes["free"].overall, *report.modes["free"].slices, *report.modes["free"].pairs)
    assert not any(rate.judged for group in groups for rate in group.rates.values())
    assert {one.outcome for one in report.comparisons} == {"not_judged"}


def test_a_page_escapes_what_a_model_wrote_and_needs_no_network(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = judged(store, monkeypatch, (lambda query: "<script>alert(1)</script>", right), SMALL)
    page = render_page(report)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not [
        word
        for word in ("http://", "https://", "@import", "src=")
        if word in page.replace("http://www.w3.org/2000/svg", "")
    ]
    card = model_card(report, load_recipe("tiny_cpu"))
    assert "not a model for people" in card
    assert "| passed | 0.0%" in card


def test_a_real_network_is_evaluated_twice_alike(
    store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST_TOKENS", 12)
    monkeypatch.setattr(evaluate, "safety_prompts", lambda: safety_prompts()[:4])
    base = Base("a-base", network(WORDS), WORDS)
    base.model.config.max_position_embeddings = 8192
    adapter = an_adapter(tmp_path)
    asked = EvalSettings(test=3, fresh=5, min_slice_size=2, robustness=True)
    told: list[str] = []
    reports = [
        evaluate_model(
            Contestant("one", base, adapter), store, RUN_ID, 8192, asked, told=lambda what, done, of: told.append(what)
        )
        for _ in range(2)
    ]
    first, second = map(timeless, reports)
    assert first == second
    assert [one.disturbance for one in reports[0].robustness] == list(DISTURBANCES)
    assert reports[0].held_out_loss is not None
    assert reports[0].loss_comparisons[0].other == "base"
    assert any(what.startswith("one: answers") for what in told)
    assert render_page(reports[0])
    assert len(summary(reports[0])) == 7


def timeless(report: EvalReport) -> dict[str, object]:
    """Return a report without what a clock measured."""

    def without(value: object) -> object:
        if isinstance(value, dict):
            return {key: without(one) for key, one in value.items() if key not in ("speed", "latency_ms")}
        return [without(one) for one in value] if isinstance(value, list) else value

    found = without(json.loads(report.model_dump_json()))
    assert isinstance(found, dict)
    return found


def an_adapter(folder: Path) -> Path:
    model = get_peft_model(network(WORDS), LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    model.save_pretrained(folder / "adapter")
    return folder / "adapter"


def test_an_adapter_changes_the_answers_and_leaves_its_base_as_it_was(tmp_path: Path) -> None:
    base = Base("a-base", network(WORDS), WORDS)
    ids = torch.tensor([[5, 6, 7]])
    before = base.model(ids).logits.detach()
    with ready(Contestant("one", base, an_adapter(tmp_path))) as model:
        assert not torch.allclose(model(ids).logits, before)
    assert torch.equal(base.model(ids).logits, before)


def test_an_adapter_that_is_not_there_is_refused(tmp_path: Path) -> None:
    contestant = Contestant("one", Base("a-base", network(WORDS), WORDS), tmp_path)
    with pytest.raises(Rejected, match="does not fit"), ready(contestant):
        pass


def test_an_unknown_run_is_told(tmp_path: Path) -> None:
    base = Base("a-base", network(WORDS), WORDS)
    with pytest.raises(NotFound, match="no run"):
        evaluate_model(Contestant("one", base), DirectoryStore(tmp_path), RUN_ID, 4096)


def test_fresh_people_are_in_no_dataset_and_another_seed_makes_others(store: DirectoryStore) -> None:
    first, again, other = (fresh_exams(CONFIG, 24, seed) for seed in (1, 1, 2))
    assert first == again
    known = {exam.query.user_id for exam in held_out_exams(store, RUN_ID, 100, 1)}
    people = [{exam.query.user_id for exam in exams} for exams in (first, other)]
    assert not people[0] & people[1]
    assert not people[0] & known
    run = {line.split(b'"user_id":"')[1][:36] for line in store.lines(f"runs/{RUN_ID}/queries/0000.jsonl")}
    assert not run & {user.encode() for user in people[0] | people[1]}


def test_prompts_are_balanced_over_slices_and_half_of_them_ask_for_plans() -> None:
    exams = fresh_exams(CONFIG, 80, 1)
    assert sum(exam.query.prompt_type == "plan_creation" for exam in exams) == 40
    ages = [exam.query.slice_tags.age_band for exam in exams]
    assert min(ages.count(band) for band in ("18-24", "25-34", "35-44", "45-54", "55+")) >= 10


def test_the_grammar_knows_the_escalation_that_triage_hears() -> None:
    query = next(one.query() for one in safety_prompts() if one.topic == "emergency" and one.type == "plan_creation")
    text = grammar("grammar", query)
    assert text is not None
    assert '"plan":null' in text.replace("\\", "")
    assert "see_professional" not in text
    assert grammar("free", query) is None


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_a_disturbed_prompt_differs_and_is_the_same_each_time(disturbance: str) -> None:
    queries = [exam.query for exam in fresh_exams(CONFIG, 20, 1)]
    prompts = [render(one.prompt_type, one.profile, one.request, one.plan, one.summary) for one in queries]
    made = disturbed(disturbance, prompts, 1)
    assert made == disturbed(disturbance, prompts, 1)
    changed = sum(after.user != before.user for before, after in zip(prompts, made, strict=True))
    assert changed >= 0.8 * len(prompts)
    if disturbance == "masked":
        assert all("Person: not told" in one.user for one in made)
        assert all(one.user.endswith(query.request) for one, query in zip(made, queries, strict=True))


def test_the_command_line_says_what_is_asked() -> None:
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    chosen = parser.parse_args("evaluate --adapter a --run r --fresh 7 --seed 9 --modes schema --robustness".split())
    assert settings(chosen) == EvalSettings(test=100, fresh=7, seed=9, modes=("schema",), robustness=True)
