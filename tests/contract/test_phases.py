"""The phases, delivered as functions-framework delivers them: twice, late, out of order, and poisoned."""

import base64
import random
from dataclasses import dataclass
from pathlib import Path

import functions_framework
import pytest

from deploy.topology import topology
from deploy.worker import phase_function, push
from shared import run_state
from shared.bus import Message
from shared.errors import Rejected
from shared.runtime import use
from tests.pipeline import Pipeline

EVERYTHING = ("runs", "distillation_dataset", "reports")
FOLDER = Path(__file__).parents[2] / "functions"


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(tmp_path)


@dataclass(frozen=True)
class Finished:
    """A run that has ended, and every message that was on the bus."""

    pipeline: Pipeline
    run_id: str
    messages: list[Message]

    def heard_by(self, name: str) -> list[Message]:
        return [message for message in self.messages if message.topic == topology().functions[name].trigger]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    pipeline = Pipeline(tmp_path_factory.mktemp("finished"))
    run_id, first = pipeline.drop()
    return Finished(pipeline, run_id, [first, *pipeline.run(first)])


def test_a_run_ends_in_one_decision_of_the_gate(finished: Finished) -> None:
    topics = [message.topic for message in finished.messages]
    assert topics[-1] == "dataset-approved"
    assert topics.count("run-requested") == 3
    assert run_state.run(finished.pipeline.runtime.documents, finished.run_id).status == "approved"


@pytest.mark.parametrize("name", topology().functions)
def test_a_redelivered_event_writes_nothing_and_publishes_the_same_next_event(name: str, finished: Finished) -> None:
    pipeline = finished.pipeline
    use(pipeline.runtime)
    before, published_before = pipeline.files(finished.run_id, EVERYTHING), list(pipeline.published)
    for message in finished.heard_by(name):
        phase_function(name)(push(message))
    assert pipeline.files(finished.run_id, EVERYTHING) == before
    again = pipeline.published[len(published_before) :]
    assert again
    assert all(message in published_before for message in again)


@pytest.mark.parametrize("seed", range(3))
def test_events_delivered_twice_and_in_any_order_give_the_same_dataset(seed: int, tmp_path: Path) -> None:
    straight = Pipeline(tmp_path / "a")
    run_id, first = straight.drop()
    straight.run(first)
    expected = straight.files(run_id)
    shuffled = Pipeline(tmp_path / "b")
    other_id, other_first = shuffled.drop()
    shuffled.run(other_first, order=random.Random(seed), copies=2)
    assert shuffled.files(other_id) == expected


def test_the_number_of_shards_changes_no_byte_of_the_dataset(tmp_path: Path) -> None:
    found = []
    for shards in (1, 7):
        pipeline = Pipeline(tmp_path / str(shards))
        run_id, first = pipeline.drop(users=14, shards=shards)
        pipeline.run(first)
        found.append(pipeline.files(run_id))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", topology().functions)
def test_a_poisoned_event_is_rejected_with_the_field_named(name: str, pipeline: Pipeline) -> None:
    del pipeline
    poisoned = Message(topology().functions[name].trigger, b'{"run_id": "not a run id"}', {"objectId": "x"})
    with pytest.raises(Rejected, match=r"run_id|bucket"):
        phase_function(name)(push(poisoned))


@pytest.mark.parametrize(
    "envelope",
    [{}, {"message": None}, {"message": {"data": "%%%"}}, {"message": {"data": 7}}, [1], {"message": {}}],
)
def test_an_envelope_that_is_no_push_is_rejected(envelope: object, pipeline: Pipeline) -> None:
    event = push(Message("run-requested", b"{}", {}))
    event.data = envelope
    with pytest.raises(Rejected):
        phase_function("profiles")(event)


@pytest.mark.parametrize("name", topology().functions)
def test_functions_framework_serves_the_phase_to_a_pubsub_push(name: str, finished: Finished) -> None:
    use(finished.pipeline.runtime)
    message = finished.heard_by(name)[0]
    published = len(finished.pipeline.published)
    app = functions_framework.create_app(name, str(FOLDER / name / "main.py"), "cloudevent")
    data = base64.b64encode(message.data).decode()
    body = {"message": {"data": data, "attributes": message.attributes, "messageId": "1"}, "subscription": "s"}
    answer = app.test_client().post(f"/projects/p/topics/{message.topic}", json=body)
    assert answer.status_code == 200
    assert len(finished.pipeline.published) > published


def test_a_config_that_cannot_be_run_gets_an_error_document_beside_it(pipeline: Pipeline, tmp_path: Path) -> None:
    run_id, first = pipeline.drop(config="name: tiny\nusrs: 3\n")
    with pytest.raises(Rejected, match="usrs"):
        pipeline.run(first)
    (error,) = (tmp_path / "configs" / "runs").glob("*.error.json")
    assert "did you mean users?" in error.read_text()
    assert run_state.run(pipeline.runtime.documents, run_id).status == "failed"
