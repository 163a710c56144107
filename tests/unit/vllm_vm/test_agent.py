"""The agent: what is promoted is fetched, checked, loaded, probed and told of; what is wrong is never served."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from vllm_vm.agent import Agent
from vllm_vm.probe import GOLDEN, check
from vllm_vm.settings import AgentSettings

from shared.artifacts import DirectoryStore
from shared.bus import message
from shared.coach.plan import PlanAnswer
from shared.coach.planner import make_plan
from shared.coach.wire import encode
from shared.documents import SqliteDocuments
from shared.errors import Rejected, Unavailable
from shared.event import Event
from shared.events import ModelLoadFailed, ModelPromoted, ModelServed
from shared.pull import Received, SpoolSubscription
from shared.registry import model_file
from shared.spool import Spool
from tests.people import person
from tests.serving.versions import promote, put_model, version

GOOD = encode(PlanAnswer(escalation="none", plan=make_plan(GOLDEN), explanation="Short and simple."))


@dataclass
class ToyEngine:
    """A model server in memory."""

    held: dict[str, Path] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    says: str = GOOD
    down: bool = False
    on: str = "toy"

    def adapters(self) -> dict[str, Path]:
        if self.down:
            raise Unavailable("told to be down")
        return dict(self.held)

    def base(self) -> str:
        return self.on

    def load(self, name: str, folder: Path) -> None:
        assert name not in self.held
        self.held[name] = folder
        self.done.append(f"load {name}")

    def unload(self, name: str) -> None:
        if name not in self.held:
            raise Rejected("it holds no such adapter")
        del self.held[name]
        self.done.append(f"unload {name}")

    def complete(self, body: dict[str, object], within_s: float) -> str:
        self.done.append(f"ask {body['model']}")
        return self.says


class KeptBus:
    """A bus that keeps what is published."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def flush(self) -> None:
        pass


class Place:
    """An agent with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = DirectoryStore(folder / "store")
        self.documents = SqliteDocuments(folder / "documents.sqlite")
        self.bus = KeptBus()
        self.spool = Spool(folder / "bus")
        self.subscription = SpoolSubscription(folder / "bus" / "new", lease_s=60)
        self.engine = ToyEngine()
        self.agent = self.another()

    def another(self) -> Agent:
        """Return an agent as it is after a start."""
        settings = AgentSettings(adapters=self.folder / "adapters", url="http://vllm:8000", wait_s=0.1)
        return Agent(settings, self.store, self.documents, self.bus, self.subscription, self.engine)

    def tell(self, event: ModelPromoted) -> None:
        """Publish a promotion and have the agent take it."""
        self.spool.send(message(event))
        (received,) = self.subscription.pull(1, 5)
        self.agent.take(received)

    def promote(self, number: int, percent: int = 100) -> str:
        """Put a version there, promote it, and tell the agent."""
        name = version(number)
        if not self.store.exists(model_file(name, "manifest.json")):
            put_model(self.store, number)
        self.tell(promote(self.documents, name, percent))
        return name

    def waiting(self) -> list[Received]:
        return self.subscription.pull(9, 0)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_promoted_version_is_loaded_probed_and_told_of(place: Place) -> None:
    name = place.promote(1)
    assert place.engine.done == [f"load {name}", f"ask {name}"]
    (served,) = place.bus.events
    assert isinstance(served, ModelServed)
    assert (served.version, served.adapter, served.backend, served.percent) == (name, name, "http://vllm:8000", 100)
    assert place.waiting() == []
    assert place.engine.held[name] == place.folder / "adapters" / name


def test_a_promotion_that_comes_twice_is_told_of_twice_and_loaded_once(place: Place) -> None:
    put_model(place.store, 1)
    event = promote(place.documents, version(1))
    place.tell(event)
    place.tell(event)
    assert place.engine.done == [f"load {version(1)}", f"ask {version(1)}"]
    assert [type(one) for one in place.bus.events] == [ModelServed, ModelServed]


def test_a_promotion_that_another_one_has_overtaken_moves_nothing(place: Place) -> None:
    put_model(place.store, 1)
    first = promote(place.documents, version(1))
    place.promote(2)
    place.tell(first)
    assert list(place.engine.held) == [version(2)]


def test_another_environments_promotions_are_not_for_this_machine(place: Place) -> None:
    put_model(place.store, 1)
    place.tell(promote(place.documents, version(1)).model_copy(update={"environment": "prod"}))
    assert place.engine.done == []
    assert place.waiting() == []


def spoil(place: Place, file: str) -> None:
    path = place.folder / "store" / model_file(version(2), file)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize("file", ["adapter/adapter_model.safetensors", "adapter/adapter_config.json"])
def test_a_corrupted_file_is_never_served_and_what_was_served_stays(place: Place, file: str) -> None:
    place.promote(1)
    put_model(place.store, 2)
    spoil(place, file)
    place.promote(2)
    failed = place.bus.events[-1]
    assert isinstance(failed, ModelLoadFailed)
    assert "is not what its manifest says" in failed.reason
    assert list(place.engine.held) == [version(1)]
    assert place.waiting() == []


def test_a_half_uploaded_version_is_never_served(place: Place) -> None:
    place.promote(1)
    put_model(place.store, 2)
    (place.folder / "store" / model_file(version(2), "adapter/adapter_model.safetensors")).unlink()
    place.promote(2)
    (place.folder / "store" / model_file(version(3), "adapter")).mkdir(parents=True)
    place.tell(promote(place.documents, version(3)))
    reasons = [one.reason for one in place.bus.events if isinstance(one, ModelLoadFailed)]
    assert ["there is no artifact" in reasons[0], "it has no manifest" in reasons[1]] == [True, True]
    assert list(place.engine.held) == [version(1)]


def test_a_manifest_that_points_outside_of_its_folder_is_refused(place: Place) -> None:
    put_model(place.store, 1)
    path = place.folder / "store" / model_file(version(1), "manifest.json")
    manifest = json.loads(path.read_bytes())
    manifest["files"]["adapter/../../../etc/passwd"] = {"sha256": "0" * 64, "bytes": 1}
    path.write_text(json.dumps(manifest))
    place.promote(1)
    assert isinstance(place.bus.events[0], ModelLoadFailed)
    assert "is no path below the model's folder" in place.bus.events[0].reason


def unsafe() -> str:
    """A plan that somebody with a bad knee may not follow."""
    return encode(PlanAnswer(escalation="none", plan=make_plan(person(days_per_week=2)), explanation="Go for it."))


@pytest.mark.parametrize("answer", ["", "{", "no JSON", GOOD.replace('"days":[', '"days":[]x['), unsafe()])
def test_a_version_that_fails_the_golden_prompt_is_unloaded_and_never_served(place: Place, answer: str) -> None:
    place.engine.says = answer
    name = place.promote(1)
    assert place.engine.done == [f"load {name}", f"ask {name}", f"unload {name}"]
    assert [type(one) for one in place.bus.events] == [ModelLoadFailed]


def test_the_golden_prompts_own_answer_passes() -> None:
    check(GOOD)
    with pytest.raises(Rejected, match="may not do"):
        check(unsafe())


def test_the_last_three_versions_stay_loaded(place: Place) -> None:
    names = [place.promote(number) for number in range(1, 6)]
    assert sorted(place.engine.held) == names[2:]
    assert sorted(path.name for path in (place.folder / "adapters").iterdir()) == names[2:]


def test_a_rollback_finds_its_version_loaded(place: Place) -> None:
    for number in (1, 2, 3):
        place.promote(number)
    place.engine.done.clear()
    place.promote(1)
    assert place.engine.done == []
    assert isinstance(place.bus.events[-1], ModelServed)
    assert place.bus.events[-1].version == version(1)


def test_a_canary_never_pushes_out_what_answers_everybody_else(place: Place) -> None:
    place.promote(1)
    for number in (2, 3, 4, 5):
        place.promote(number, percent=10)
    assert version(1) in place.engine.held
    assert isinstance(place.bus.events[-1], ModelServed)
    assert place.bus.events[-1].percent == 10


def test_after_a_start_everything_that_is_served_is_loaded_again(place: Place) -> None:
    place.promote(1)
    place.promote(2, percent=20)
    place.engine.held.clear()
    place.engine.done.clear()
    place.bus.events.clear()
    agent = place.another()
    agent.restore()
    assert sorted(place.engine.held) == [version(1), version(2)]
    assert [(type(one), getattr(one, "version", "")) for one in place.bus.events] == [(ModelServed, version(2))]
    place.engine.done.clear()
    agent.restore()
    assert place.engine.done == []


def test_a_server_that_restarted_gets_its_adapter_back(place: Place) -> None:
    place.promote(1)
    place.engine.held.clear()
    place.agent.restore()
    assert list(place.engine.held) == [version(1)]


def test_a_rotten_copy_on_this_machine_is_fetched_again(place: Place) -> None:
    place.promote(1)
    copy = place.folder / "adapters" / version(1) / "adapter_model.safetensors"
    copy.write_bytes(b"rotten")
    place.engine.held.clear()
    place.agent.restore()
    assert copy.read_bytes() != b"rotten"
    assert list(place.engine.held) == [version(1)]


def test_a_message_is_given_back_while_the_server_is_down(place: Place) -> None:
    put_model(place.store, 1)
    event = promote(place.documents, version(1))
    place.engine.down = True
    with pytest.raises(Unavailable):
        place.tell(event)
    place.engine.down = False
    (received,) = place.subscription.pull(1, 5)
    place.agent.take(received)
    assert list(place.engine.held) == [version(1)]
    assert place.waiting() == []


def test_a_version_that_failed_is_not_tried_again_until_it_is_promoted_again(place: Place) -> None:
    place.engine.says = "nonsense"
    place.promote(1)
    place.agent.restore()
    assert len(place.bus.events) == 1
    place.engine.says = GOOD
    place.promote(1)
    assert isinstance(place.bus.events[-1], ModelServed)


def test_an_adapter_to_another_base_is_refused_with_what_to_do(place: Place) -> None:
    place.engine.on = "another"
    place.promote(1)
    (failed,) = place.bus.events
    assert isinstance(failed, ModelLoadFailed)
    assert "start it anew" in failed.reason
    assert place.engine.done == []
