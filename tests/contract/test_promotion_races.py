"""Promotions at once, by threads and by processes: each moves the pointer once, and no decision is lost."""

from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from deploy.worker import phase_function, push
from shared import registry
from shared.bus import message
from shared.events import ModelPromoted, PromoteRequested
from tests.places import Fresh, Place
from tests.promoting import Promoting, request
from tests.racing import in_processes, in_threads

RACERS = 6


def requests(versions: list[str]) -> list[PromoteRequested]:
    return [request(version, request_id=str(number)) for number, version in enumerate(versions)]


def assert_each_moved_once(gate: Promoting, asked: list[PromoteRequested]) -> None:
    decisions = gate.decisions()
    assert {one.version for one in decisions} == {one.version for one in asked}
    assert len(decisions) == len(asked)
    assert all(one.settled and one.verdict == "promoted" for one in decisions)
    pointer = gate.pointer()
    assert pointer
    assert pointer.moves == len(asked)
    assert pointer.decision_id in {one.id for one in decisions}


def test_threads_that_promote_at_once_each_move_the_pointer_once(tmp_path: Path) -> None:
    gate = Promoting.in_directory(tmp_path)
    asked = requests([gate.model(f"model {number}") for number in range(RACERS)])
    in_threads(RACERS, lambda number: deliver(asked[number]))
    assert_each_moved_once(gate, asked)
    assert all(isinstance(one, ModelPromoted) for one in gate.published)
    assert len(gate.published) == RACERS


def test_processes_that_promote_at_once_each_move_the_pointer_once(tmp_path: Path) -> None:
    gate = Promoting.in_directory(tmp_path)
    asked = requests([gate.model(f"model {number}") for number in range(RACERS)])
    in_processes(RACERS, deliver_alone, tmp_path, asked)
    assert_each_moved_once(gate, asked)


def test_the_same_request_at_once_in_many_threads_is_one_move(tmp_path: Path) -> None:
    gate = Promoting.in_directory(tmp_path)
    (asked,) = requests([gate.model("model")])
    in_threads(RACERS, lambda _: deliver(asked))
    assert_each_moved_once(gate, [asked])
    assert len(set(gate.published)) == 1


def test_a_worse_model_does_not_slip_in_beside_a_better_one(tmp_path: Path) -> None:
    from tests.unit.promotion.test_promotion import report

    gate = Promoting.in_directory(tmp_path)
    good, worse = gate.model("good"), gate.model("worse", report(strict_plan=0.7))
    asked = requests([good, worse])
    in_threads(2, lambda number: deliver(asked[number]))
    kept = {one.version: one for one in gate.decisions()}
    assert kept[good].verdict == "promoted"
    pointer = gate.pointer()
    assert pointer
    assert pointer.version == good
    # The worse one came first and was replaced, or came second and was held against the good one.
    assert (kept[worse].verdict, kept[worse].against) in (("promoted", None), ("rejected", good))


@pytest.mark.slow
def test_threads_that_promote_at_once_on_firestore_each_move_the_pointer_once(
    on_firestore: Fresh, tmp_path: Path
) -> None:
    place: Place = on_firestore()
    documents = place.runtime().documents
    gate = Promoting.in_directory(tmp_path)
    object.__setattr__(gate.runtime, "documents", documents)
    gate.adopt()
    asked = requests([gate.model(f"model {number}") for number in range(RACERS)])
    in_threads(RACERS, lambda number: deliver(asked[number]))
    assert_each_moved_once(gate, asked)
    assert registry.pointer(documents, "dev")[0]


def deliver(asked: PromoteRequested) -> None:
    phase_function("promotion")(push(message(asked)))


def deliver_alone(number: int, start: Barrier, root: Path, asked: list[PromoteRequested]) -> None:
    Promoting.in_directory(root)
    start.wait()
    deliver(asked[number])
