"""The tiny base: papers that do not answer prompts, weights that come out the same each time, made once."""

import pytest
import torch
from trainer_job.tiny.muon import Muon
from trainer_job.tiny.pretraining import Pace, Schedule, Shape, pretrain
from trainer_job.tiny.text import Paper, Shares, papers

from shared.coach.plan import PlanAnswer
from shared.coach.planner import make_plan
from shared.coach.profile import slice_tags
from shared.coach.scenario import Scenario
from shared.coach.wire import encode
from shared.errors import Rejected
from shared.records import Query
from tests.people import random_person
from tests.unit.trainer_job.tiny import tokenizer

SHARES = Shares(outlines=12, bare=4, readings=5, weeks=8, sessions=6, changes=3, forms=4)
SHAPE = Shape(width=32, layers=1, heads=1, key_heads=1, inner=64)
WORDS = tokenizer()


def answered(count: int = 6) -> list[tuple[Query, str]]:
    made = []
    for seed in range(count):
        who = random_person(seed)
        plan = make_plan(who, 1)
        query = Query(
            query_id=f"query-{seed}",
            user_id=who.user_id,
            prompt_type="plan_creation",
            request=f"Please plan week {seed}.",
            scenario=Scenario(prompt_type="plan_creation", intent="new_plan"),
            profile=who,
            plan=None,
            summary=None,
            slice_tags=slice_tags(who),
            constraints=(),
        )
        made.append((query, encode(PlanAnswer(escalation="none", plan=plan, explanation="So.", safety_notes=()))))
    return made


def test_equal_messages_make_equal_papers_and_another_seed_others() -> None:
    assert papers(answered(), SHARES, 1) == papers(answered(), SHARES, 1)
    assert papers(answered(), SHARES, 1) != papers(answered(), SHARES, 2)


def test_no_paper_holds_both_a_message_and_a_plan() -> None:
    for paper in papers(answered(), SHARES, 1):
        text = paper.given + paper.written
        assert not ("Message:" in text and ("Week:" in text or '"plan":' in text))


def test_all_that_a_week_uses_stands_in_its_menu() -> None:
    weeks = [paper for paper in papers(answered(), SHARES, 1) if paper.written.startswith("Week:")]
    assert len(weeks) == SHARES.weeks
    for week in weeks:
        rows = week.given.partition("Menu:\n")[2].splitlines()
        menu = {name for row in rows for name in row.partition(": ")[2].split(", ")}
        lines = [line.partition(": ")[2] for line in week.written.splitlines()[1:]]
        assert {one.rpartition(" ")[0] for line in lines for one in line.split(", ")} <= menu


def test_without_messages_there_is_no_base() -> None:
    with pytest.raises(Rejected, match="there are none"):
        papers([], SHARES, 1)


def test_equal_papers_make_equal_weights_and_the_loss_falls() -> None:
    torch.set_num_threads(1)
    text = [Paper("Goal: strength\n", f"Train {n % 3} days a week.") for n in range(200)]
    losses: list[float] = []

    def weights(told: list[float]) -> dict[str, torch.Tensor]:
        def report(pace: Pace) -> None:
            told.append(pace.loss)

        return pretrain(text, WORDS, SHAPE, Schedule(step_tokens=64), report).state_dict()

    first, again = weights(losses), weights([])
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert losses[-1] < losses[0] - 1


def test_muon_moves_a_matrix_by_orthogonal_steps() -> None:
    torch.manual_seed(0)
    matrix = torch.nn.Parameter(torch.zeros(8, 16))
    matrix.grad = torch.randn(8, 16) * torch.logspace(-2, 0, 8).unsqueeze(1)
    Muon([matrix]).step(1.0)
    sizes = torch.linalg.svdvals(matrix.detach())
    assert sizes.min() > 0.3
    assert sizes.max() < 1.3
