"""The tiny base: papers that do not answer prompts, weights that come out the same each time, made once."""

import re

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

SHARES = Shares(outlines=12, readings=5, sessions=6, weeks=8, changes=3, forms=4)
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


def test_no_paper_holds_both_a_message_and_a_week_of_exercises() -> None:
    days = [
        paper.written.count('"exercises":["')
        for paper in papers(answered(), SHARES, 1)
        if "Message:" in paper.given + paper.written
    ]
    assert {0, 1} == set(days)


def test_nothing_is_planned_for_somebody_in_an_emergency() -> None:
    (query, _), *others = answered()
    refused = encode(PlanAnswer(escalation="emergency", plan=None, explanation="Stop.", safety_notes=()))
    text = papers([(query, refused), *others], SHARES, 1)
    planned = "".join(paper.given for paper in text if "exercises" in paper.written)
    assert others[0][0].request in planned
    assert query.request not in planned


def test_all_that_a_week_uses_stands_in_its_menu() -> None:
    weeks = [paper for paper in papers(answered(), SHARES, 1) if "Menu:" in paper.given]
    assert len(weeks) == SHARES.weeks + SHARES.sessions
    for week in weeks:
        rows = week.given.partition("Menu:\n")[2].splitlines()
        menu = {name for row in rows for name in row.partition(": ")[2].split(", ")}
        assert {line[1:].rpartition(" ")[0] for line in re.findall(r'"[^"]+ \d+x[^"]+(?=")', week.written)} <= menu


def test_a_menu_tells_exercises_in_the_order_in_which_the_week_reaches_for_them() -> None:
    for week in (paper for paper in papers(answered(), SHARES, 1) if "Menu:" in paper.given):
        for row in week.given.partition("Menu:\n")[2].splitlines()[:-1]:
            names = [name for name in row.partition(": ")[2].split(", ") if f'"{name} ' in week.written]
            assert names == sorted(names, key=lambda name: week.written.index(f'"{name} '))


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

        return pretrain(text, WORDS, SHAPE, Schedule(step_tokens=256), report).state_dict()

    first, again = weights(losses), weights([])
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert losses[-1] < losses[0] - 0.5


def test_muon_moves_a_matrix_by_orthogonal_steps() -> None:
    torch.manual_seed(0)
    matrix = torch.nn.Parameter(torch.zeros(8, 16))
    matrix.grad = torch.randn(8, 16) * torch.logspace(-2, 0, 8).unsqueeze(1)
    Muon([matrix]).step(1.0)
    sizes = torch.linalg.svdvals(matrix.detach())
    assert sizes.min() > 0.3
    assert sizes.max() < 1.3
