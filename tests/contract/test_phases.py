"""The phases, delivered as functions-framework delivers them: twice, late, out of order, and poisoned."""

import base64
import random
from dataclasses import dataclass
from pathlib import Path

import functions_framework
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from deploy.topology import topology
from deploy.worker import phase_function, push
from shared import dead_letters, run_state
from shared.bus import Message, message
from shared.dead_letters import DeadLetter
from shared.errors import Rejected
from shared.events import RunRequested
from shared.runtime import use
from tests.pipeline import Pipeline

EVERYTHING = ("runs", "distillation_dataset", "reports")
FOLDER = Path(__file__).parents[2] / "functions"
ATTEMPTS = "CloudPubSubDeadLetterSourceDeliveryCount"
NO_RUN = "20260217T080910Z-0a1b2c3d"


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


@pytest.mark.parametrize("name", topology().pipeline())
def test_a_redelivered_event_writes_nothing_and_publishes_the_same_next_event(name: str, finished: Finished) -> None:
    pipeline = finished.pipeline
    use(pipeline.runtime)
    before, published_before = pipeline.files(finished.run_id, EVERYTHING), list(pipeline.published)
    for heard in finished.heard_by(name):
        phase_function(name)(push(heard))
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
    with pytest.raises(Rejected, match=r"run_id|bucket|job"):
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


def client(name: str) -> FlaskClient:
    """Return a client of the function as functions-framework serves it."""
    return functions_framework.create_app(name, str(FOLDER / name / "main.py"), "cloudevent").test_client()


def posted(to: FlaskClient, message: Message, **more: str) -> TestResponse:
    """Push a message as Pub/Sub does."""
    data = base64.b64encode(message.data).decode()
    body = {"message": {"data": data, "attributes": message.attributes | more, "messageId": "1"}, "subscription": "s"}
    return to.post(f"/projects/p/topics/{message.topic}", json=body)


@pytest.mark.parametrize("name", topology().pipeline())
def test_functions_framework_serves_the_phase_to_a_pubsub_push(name: str, finished: Finished) -> None:
    use(finished.pipeline.runtime)
    published = len(finished.pipeline.published)
    assert posted(client(name), finished.heard_by(name)[0]).status_code == 200
    assert len(finished.pipeline.published) > published


def test_a_push_that_is_wrong_is_answered_400_with_what_is_wrong(pipeline: Pipeline) -> None:
    del pipeline
    answer = posted(client("profiles"), Message("run-requested", b'{"run_id": 7}', {}))
    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert error["code"] == "rejected"
    assert "run_id" in error["message"]
    assert error["request_id"]


def test_a_push_that_needs_what_is_not_there_is_answered_404(pipeline: Pipeline) -> None:
    del pipeline
    answer = posted(client("profiles"), message(RunRequested(run_id=NO_RUN, shard=0, shards=1)))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")


def test_a_push_is_answered_503_while_a_dependency_is_down(pipeline: Pipeline, tmp_path: Path) -> None:
    _, first = pipeline.drop()
    (tmp_path / "runs").touch()  # a file where a folder belongs
    answer = posted(client("intake"), first)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "unavailable")
    (tmp_path / "runs").unlink()
    assert posted(client("intake"), first).status_code == 200


def test_a_push_that_meets_a_bug_is_answered_500_and_told_nothing_of_it(pipeline: Pipeline) -> None:
    run_id, first = pipeline.drop()
    requested = pipeline.deliver(first)[0]
    # What cannot be: a run.json that no code of ours wrote.
    (pipeline.runtime.settings.out / "runs" / run_id / "run.json").write_text('{"config": 7}')
    answer = posted(client("profiles"), requested)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (500, "internal")
    assert "config" not in answer.text


STOPS = """
import functions_framework
from shared.errors import Stopped
from shared.events import RunRequested
from shared.phase import phase

@functions_framework.cloud_event
@phase(RunRequested)
def stops(event, run):
    raise Stopped("the limit is spent")
"""


def test_a_limit_that_is_reached_stops_the_run_and_acknowledges(pipeline: Pipeline, tmp_path: Path) -> None:
    run_id, first = pipeline.drop()
    requested = pipeline.deliver(first)[0]
    source = tmp_path / "stops.py"
    source.write_text(STOPS)
    served = functions_framework.create_app("stops", str(source), "cloudevent").test_client()
    assert posted(served, requested).status_code == 204
    record = run_state.run(pipeline.runtime.documents, run_id)
    assert (record.status, record.reasons) == ("stopped", ("the limit is spent",))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"{}", b'{"message": {}}', b"\xff\xfe"], ids=repr)
def test_a_request_that_is_no_push_is_answered_4xx(body: bytes, pipeline: Pipeline) -> None:
    del pipeline
    served = client("profiles")
    for content_type in ("application/json", "application/cloudevents+json", "text/plain"):
        answer = served.post("/", data=body, content_type=content_type)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.get_json()["error"]["message"]


@pytest.mark.parametrize(
    "ignored",
    [{"eventType": "OBJECT_DELETE"}, {"eventType": "OBJECT_ARCHIVE"}, {"objectId": "runs/tiny.yaml.error.json"}],
)
def test_what_is_no_new_config_is_acknowledged_and_leaves_nothing(ignored: dict[str, str], pipeline: Pipeline) -> None:
    _, first = pipeline.drop()
    assert posted(client("intake"), first, **ignored).status_code == 200
    assert pipeline.published == []
    assert run_state.runs(pipeline.runtime.documents) == []


def test_a_config_that_cannot_be_run_gets_an_error_document_beside_it(pipeline: Pipeline, tmp_path: Path) -> None:
    run_id, first = pipeline.drop(config="name: tiny\nusrs: 3\n")
    with pytest.raises(Rejected, match="usrs"):
        pipeline.run(first)
    (error,) = (tmp_path / "configs" / "runs").glob("*.error.json")
    assert "did you mean users?" in error.read_text()
    assert run_state.run(pipeline.runtime.documents, run_id).status == "failed"


def test_a_config_that_is_too_large_gets_an_error_document_too(pipeline: Pipeline, tmp_path: Path) -> None:
    run_id, first = pipeline.drop(config="# " + "x" * 300_000)
    with pytest.raises(Rejected, match="at most"):
        pipeline.run(first)
    (error,) = (tmp_path / "configs" / "runs").glob("*.error.json")
    assert "at most 262,144" in error.read_text()
    assert run_state.run(pipeline.runtime.documents, run_id).status == "failed"


def test_a_run_goes_on_only_when_no_other_letter_of_it_stays(pipeline: Pipeline) -> None:
    documents = pipeline.runtime.documents
    run_id, first = pipeline.drop()
    letters = [DeadLetter.of(one, "profiles", 5, "no") for one in pipeline.deliver(first)]
    for letter in letters:
        dead_letters.bury(documents, letter)
    dead_letters.let_go_on(documents, letters[:2])
    assert run_state.run(documents, run_id).status == "failed"
    dead_letters.let_go_on(documents, letters)
    assert run_state.run(documents, run_id).status == "running"


def died(message: Message, function: str) -> dict[str, str]:
    """Return the attributes that Pub/Sub gives a message of a function's subscription that it gave up."""
    marks = {"Subscription": f"{message.topic}--{function}", "SubscriptionProject": "p", "DeliveryCount": "5"}
    return {f"CloudPubSubDeadLetterSource{name}": value for name, value in marks.items()}


def buried(pipeline: Pipeline, message: Message, **attributes: str) -> DeadLetter:
    """Push a message to the function that hears dead letters, and return the letter that it kept."""
    sent = Message("dead-letters", message.data, message.attributes)
    assert posted(client("dead_letters"), sent, **attributes).status_code == 200
    (letter,) = dead_letters.letters(pipeline.runtime.documents)
    return letter


def test_a_dead_letter_tells_the_reason_that_the_last_attempt_left(pipeline: Pipeline, tmp_path: Path) -> None:
    run_id, first = pipeline.drop()
    requested = pipeline.deliver(first)[1]
    (tmp_path / "runs" / run_id / "profiles").touch()
    assert posted(client("profiles"), requested).status_code == 503
    letter = buried(pipeline, requested, **died(requested, "profiles"))
    assert (letter.function, letter.topic, letter.attempts) == ("profiles", "run-requested", 5)
    assert (letter.message(), letter.run_id) == (requested, run_id)
    assert letter.error.startswith("Unavailable: artifact")
    record = run_state.run(pipeline.runtime.documents, run_id)
    assert (record.status, record.reasons) == ("failed", (f"profiles: {letter.error}",))


def test_a_dead_letter_that_was_poisoned_tells_what_is_wrong_with_it(pipeline: Pipeline) -> None:
    poisoned = Message("run-requested", b'{"run_id": 7}', {"run_id": "another"})
    letter = buried(pipeline, poisoned, **died(poisoned, "profiles"))
    assert letter.error.startswith("Rejected: not a run-requested event: run_id")
    assert letter.message() == poisoned
    assert run_state.runs(pipeline.runtime.documents) == []


def test_a_dead_letter_of_a_function_that_never_answered_says_so(pipeline: Pipeline) -> None:
    requested = pipeline.deliver(pipeline.drop()[1])[0]
    assert "killed" in buried(pipeline, requested, **died(requested, "profiles")).error


def test_a_message_that_nobody_knows_is_kept_with_what_is_known(pipeline: Pipeline) -> None:
    for sent in (Message("dead-letters", b"\xff\x00", {}), Message("dead-letters", b"", {"a": "b"})):
        letter = buried(pipeline, sent)
        assert (letter.function, letter.topic, letter.attempts) == ("unknown", "unknown", 0)
        assert letter.message().data == sent.data
        dead_letters.drop(pipeline.runtime.documents, letter.id)


def test_the_same_message_dead_twice_is_one_letter(pipeline: Pipeline) -> None:
    requested = pipeline.deliver(pipeline.drop()[1])[0]
    first = buried(pipeline, requested, **died(requested, "profiles"))
    second = buried(pipeline, requested, **(died(requested, "profiles") | {ATTEMPTS: "6"}))
    assert (first.id, second.attempts) == (second.id, 6)


def test_a_copy_of_a_message_that_was_delivered_fails_no_run(finished: Finished) -> None:
    use(finished.pipeline.runtime)
    copy = finished.heard_by("profiles")[0]
    sent = Message("dead-letters", copy.data, copy.attributes)
    assert posted(client("dead_letters"), sent, **died(copy, "profiles")).status_code == 200
    assert dead_letters.letters(finished.pipeline.runtime.documents) == []
    assert run_state.run(finished.pipeline.runtime.documents, finished.run_id).status == "approved"
