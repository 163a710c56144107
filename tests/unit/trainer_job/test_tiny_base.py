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

SHARES = Shares(outlines=12, readings=5, openings=6, weeks=8, changes=3, forms=4)
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


def test_no_paper_holds_a_message_and_a_whole_week_for_it() -> None:
    days = [
        (paper.written.count('"day":'), len(re.findall(r" \d+x", paper.written)))
        for paper in papers(answered(), SHARES, 1)
        if "Message:" in paper.given
    ]
    assert any(lines for _, lines in days)
    assert all(count <= 2 or not lines for count, lines in days)


def test_nothing_is_planned_for_somebody_in_an_emergency() -> None:
    (query, _), *others = answered()
    refused = encode(PlanAnswer(escalation="emergency", plan=None, explanation="Stop.", safety_notes=()))
    text = papers([(query, refused), *others], SHARES, 1)
    planned = "".join(paper.given for paper in text if "exercises" in paper.written)
    assert others[0][0].request in planned
    assert query.request not in planned


def menus() -> list[tuple[list[list[str]], str]]:
    """Return the rows of each menu, and what was written under it."""
    found = []
    for paper in papers(answered(), SHARES, 1):
        told, _, menu = paper.given.partition("Menu:\n")
        if told and menu:
            rows = [row.partition(": ")[2].split(", ") for row in re.split("Asked:|Message:", menu)[0].splitlines()]
            found.append((rows, paper.written))
    return found


def test_all_that_is_planned_stands_in_the_menu() -> None:
    assert len(menus()) == SHARES.weeks + SHARES.openings
    for rows, written in menus():
        planned = {line.rpartition(" ")[0] for line in re.findall(r'"([A-Z][^"]* \d+x[^"]+)"', written)}
        assert planned <= {name for row in rows for name in row}


def test_a_menu_tells_exercises_in_the_order_in_which_they_are_reached_for() -> None:
    for rows, written in menus():
        reached = re.findall(r'"([A-Z][^"]*?) \d+x', written)
        for row in rows:
            used = [name for name in row if name in reached]
            assert used == sorted(used, key=reached.index)


def test_without_messages_there_is_no_base() -> None:
    with pytest.raises(Rejected, match="there are none"):
        papers([], SHARES, 1)


def test_equal_papers_make_equal_weights_by_one_process_or_two_and_the_loss_falls() -> None:
    torch.set_num_threads(1)
    text = [Paper("Goal: strength\n", f"Train {n % 3} days a week.") for n in range(200)]
    losses: list[float] = []

    def weights(told: list[float], processes: int) -> dict[str, torch.Tensor]:
        def report(pace: Pace) -> None:
            told.append(pace.loss)

        return pretrain(text, WORDS, SHAPE, Schedule(step_tokens=256), report, processes).state_dict()

    first, again, shared = weights(losses, 1), weights([], 1), weights([], 2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert all(torch.equal(first[name], shared[name]) for name in first)
    assert losses[-1] < losses[0] - 0.5


def test_muon_moves_a_matrix_by_orthogonal_steps() -> None:
    torch.manual_seed(0)
    matrix = torch.nn.Parameter(torch.zeros(8, 16))
    matrix.grad = torch.randn(8, 16) * torch.logspace(-2, 0, 8).unsqueeze(1)
    Muon([matrix]).step(1.0)
    sizes = torch.linalg.svdvals(matrix.detach())
    assert sizes.min() > 0.3
    assert sizes.max() < 1.3
