"""The functions around a training job, called as they are deployed: once, twice, and for what is not there."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.worker import phase_function, push
from functions.autotrain.wish import wish
from shared import jobs, registry
from shared.bus import Message, Outbox, event_in, message
from shared.documents import update
from shared.errors import Conflict, NotFound, Unavailable
from shared.event import Event
from shared.events import (
    DatasetApproved,
    JobEnded,
    JobOutcome,
    ModelEvaluated,
    ModelLoadFailed,
    ModelRegistered,
    ModelServed,
    TrainingEnded,
    TrainRequested,
)
from shared.jobs import JobLauncher, JobSpec, JobState
from shared.paths import dataset_file
from shared.run_config import TrainingSettings
from shared.runtime import Runtime, build, use
from shared.settings import Settings
from tests.models import RUN_ID, put_model

STAND_IN = (sys.executable, str(Path(__file__).parents[2] / "stand_in_job.py"))


class Place:
    """A runtime in a directory, and what its functions publish."""

    def __init__(self, root: Path) -> None:
        self._sent: list[Message] = []
        self.runtime: Runtime = build(Settings(out=root, trainer_command=STAND_IN), Outbox(self._sent.append))
        use(self.runtime)

    def deliver(self, function: str, event: Event) -> list[Event]:
        """Deliver an event to a function and return what it published."""
        before = len(self._sent)
        phase_function(function)(push(message(event)))
        return [event_in(one) for one in self._sent[before:]]

    def launching(self, launcher: JobLauncher) -> None:
        """Run jobs by this launcher from now on."""
        self.runtime = replace(self.runtime, launchers=lambda: {"subprocess": launcher})
        use(self.runtime)


class Says:
    """A launcher that starts nothing and says of every job what it was told to."""

    def __init__(self, state: JobState | None) -> None:
        self.state_to_tell = state
        self.started: list[JobSpec] = []

    def start(self, spec: JobSpec) -> bool:
        self.started.append(spec)
        return True

    def state(self, name: str) -> JobState | None:
        del name
        return self.state_to_tell


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def noted_job(place: Place) -> JobSpec:
    spec = jobs.spec_of(TrainRequested(run_id=RUN_ID, recipe="tiny_cpu"), {"subprocess": Says(None)})
    jobs.note(place.runtime.documents, spec)
    return spec


def approved() -> DatasetApproved:
    return DatasetApproved(run_id=RUN_ID, manifest_uri="m", gate_uri="g")


def test_only_a_config_that_says_so_has_its_dataset_trained_on() -> None:
    assert wish(approved(), TrainingSettings()) is None
    settings = TrainingSettings(start=True, recipe="qwen3_4b_lora", overrides=("epochs=2",), target="batch")
    assert wish(approved(), settings) == TrainRequested(
        run_id=RUN_ID, recipe="qwen3_4b_lora", overrides=("epochs=2",), target="batch"
    )


def test_a_config_from_before_jobs_had_targets_is_still_one() -> None:
    assert TrainingSettings.model_validate({"start": True, "recipe": "tiny_cpu"}).target is None


def test_a_request_is_a_job_that_is_noted_before_it_is_started(place: Place) -> None:
    place.runtime.store.create(dataset_file(RUN_ID, "manifest.json"), b"{}")
    launcher = Says(None)
    place.launching(launcher)
    asked = TrainRequested(run_id=RUN_ID, recipe="tiny_cpu", overrides=("epochs=2",))
    assert [place.deliver("train", asked) for _ in range(2)] == [[], []]
    (spec,) = jobs.jobs_of(place.runtime.documents, RUN_ID)
    assert launcher.started == [spec, spec]
    assert spec.arguments == ("job", RUN_ID, "--recipe", "tiny_cpu", "--set", "epochs=2")
    assert spec.environment == {"FITSENSE_JOB": spec.name}


def test_a_run_without_a_dataset_is_not_trained_on(place: Place) -> None:
    with pytest.raises(NotFound, match=f"run {RUN_ID} has no dataset to train on"):
        place.deliver("train", TrainRequested(run_id=RUN_ID, recipe="tiny_cpu"))
    assert jobs.jobs_of(place.runtime.documents, RUN_ID) == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "preempted", "cancelled"])
def test_however_a_job_ended_it_is_told_with_its_version_and_told_the_same_twice(
    place: Place, outcome: JobOutcome
) -> None:
    spec = noted_job(place)
    version = registry.version_of(RUN_ID, "tiny_cpu", "tiny")
    other = registry.version_of(RUN_ID, "other", "tiny")
    for one, job in ((version, spec.name), (other, "another job")):
        update(place.runtime.documents, f"training/{one}", lambda data, job=job: data | {"job": job})  # type: ignore[misc]
    place.launching(Says(JobState(status="ended", outcome=outcome, reason="why")))
    told = [place.deliver("job-ended", JobEnded(job=spec.name)) for _ in range(2)]
    expected = TrainingEnded(run_id=RUN_ID, version=version, job=spec.name, outcome=outcome, reason="why")
    assert told == [[expected], [expected]]


def test_a_job_that_ended_before_it_knew_its_version_is_told_without(place: Place) -> None:
    spec = noted_job(place)
    place.launching(Says(JobState(status="ended", outcome="failed", reason="exit status 2")))
    (told,) = place.deliver("job-ended", JobEnded(job=spec.name))
    assert isinstance(told, TrainingEnded)
    assert told.version is None


def test_an_end_that_is_told_too_early_is_asked_for_again_and_one_of_an_earlier_attempt_is_let_be(place: Place) -> None:
    spec = noted_job(place)
    place.launching(Says(JobState(status="running")))
    with pytest.raises(Unavailable, match="still runs"):
        place.deliver("job-ended", JobEnded(job=spec.name))
    place.launching(Says(JobState(status="running", attempts=2)))
    assert place.deliver("job-ended", JobEnded(job=spec.name)) == []


def test_the_end_of_a_job_that_nobody_started_is_not_found(place: Place) -> None:
    with pytest.raises(NotFound, match="there is no document"):
        place.deliver("job-ended", JobEnded(job="train-20260217t080910z-0a1b2c3d-tiny-cpu-00000000"))


def evaluated(version: str) -> ModelEvaluated:
    return ModelEvaluated(run_id=RUN_ID, version=version, manifest_uri="uri")


def test_a_model_whose_files_are_right_is_listed_and_listed_once(place: Place) -> None:
    manifest = put_model(place.runtime.store)
    told = [place.deliver("register", evaluated(manifest.version)) for _ in range(2)]
    assert told[0] == told[1]
    (registered,) = told[0]
    assert isinstance(registered, ModelRegistered)
    assert registered.manifest_uri.endswith("manifest.json")
    assert [one.version for one in registry.models(place.runtime.documents)] == [manifest.version]


def test_a_model_with_one_changed_byte_is_not_listed(place: Place, tmp_path: Path) -> None:
    manifest = put_model(place.runtime.store)
    weights = tmp_path / "models" / manifest.version / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(b"X" + weights.read_bytes()[1:])
    with pytest.raises(Conflict, match=r"adapter_model\.safetensors has sha256"):
        place.deliver("register", evaluated(manifest.version))
    assert registry.models(place.runtime.documents) == []


def test_a_manifest_that_is_another_versions_is_not_listed(place: Place) -> None:
    manifest = put_model(place.runtime.store)
    stranger = f"{RUN_ID}-00000000"
    place.runtime.store.create(registry.model_file(stranger, "manifest.json"), manifest.model_dump_json().encode())
    with pytest.raises(Conflict, match=f"the manifest of {stranger} names {manifest.version}"):
        place.deliver("register", evaluated(stranger))


def test_a_model_that_nobody_made_is_not_found(place: Place) -> None:
    with pytest.raises(NotFound, match="it has no manifest"):
        place.deliver("register", evaluated(f"{RUN_ID}-00000000"))


def test_what_a_server_says_of_a_model_is_noted_however_often_it_says_so(place: Place) -> None:
    manifest = put_model(place.runtime.store)
    place.deliver("register", evaluated(manifest.version))
    fields = {"run_id": RUN_ID, "version": manifest.version, "environment": "dev", "backend": "http://vm"}
    failed = ModelLoadFailed.model_validate(fields | {"reason": "out of memory"})
    served = ModelServed.model_validate(fields | {"percent": 100, "adapter": manifest.version})
    assert [place.deliver("load-failed", failed) for _ in range(2)] == [[], []]
    assert registry.model(place.runtime.documents, manifest.version).load_failures == {
        "dev": "http://vm: out of memory"
    }
    assert [place.deliver("served", served) for _ in range(2)] == [[], []]
    record = registry.model(place.runtime.documents, manifest.version)
    assert (record.served_in, record.load_failures) == (("dev",), {})
