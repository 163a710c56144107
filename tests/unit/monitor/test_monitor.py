"""The monitor, delivered as it is deployed: what it takes to stand still, what it tells of, and what it mends."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.worker import phase_function, push
from functions.monitor.look import DOCUMENT, IDS_TOLD, look_around
from functions.monitor.sightings import Sightings, Waiting, overdue, sighted
from shared import dead_letters, jobs, registry, run_state
from shared.bus import Message, Outbox, event_in, message
from shared.dead_letters import DeadLetter
from shared.errors import Unavailable
from shared.event import Event
from shared.events import JobEnded, MonitorDue, TrainRequested
from shared.jobs import JobSpec, JobState
from shared.run_state import Delivery, RunRecord
from shared.runtime import Runtime, build, use
from shared.settings import Settings

RUN_ID = "20260217T080910Z-0a1b2c3d"
VERSION = f"{RUN_ID}-00000000"
NOON = datetime(2026, 2, 17, 12, tzinfo=UTC)
PATIENCE_S = 1800


class Says:
    """A launcher that says of every job what it was told to, and counts how often it was asked."""

    def __init__(self, state: JobState | None) -> None:
        self.told = state
        self.asked = 0

    def start(self, spec: JobSpec) -> bool:
        raise AssertionError(spec)

    def state(self, name: str) -> JobState | None:
        del name
        self.asked += 1
        return self.told


class Place:
    """A directory with a monitor in it, and a clock that a test turns."""

    def __init__(self, root: Path) -> None:
        self.sent: list[Message] = []
        settings = Settings(out=root, monitor_patience_s=PATIENCE_S)
        self.launcher = Says(None)
        made = build(settings, Outbox(self.sent.append))
        self.runtime: Runtime = replace(made, launchers=lambda: {"subprocess": self.launcher})
        use(self.runtime)

    def look(self, minutes: float) -> list[JobEnded]:
        """Look around so many minutes after noon."""
        return look_around(self.runtime, NOON + timedelta(minutes=minutes))

    def deliver(self) -> list[Event]:
        """Deliver the clock's message, and return what was published."""
        self.sent.clear()
        phase_function("monitor")(push(message(MonitorDue(schedule="monitor"))))
        return [event_in(one) for one in self.sent]

    def seen(self) -> Sightings:
        found = self.runtime.documents.get(DOCUMENT)
        return Sightings.model_validate(found.data if found else {})

    def run_begins(self) -> None:
        run_state.create(self.runtime.documents, RunRecord(run_id=RUN_ID))

    def training(self, state: JobState | None) -> JobSpec:
        spec = jobs.spec_of(TrainRequested(run_id=RUN_ID, recipe="tiny_cpu"), {"subprocess": self.launcher})
        jobs.note(self.runtime.documents, spec)
        self.launcher.told = state
        return spec


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "fitsense.monitor")
    return caplog


def warnings(told: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    return [(vars(one)["what"], vars(one)["count"]) for one in told.records if one.message == "waits too long"]


def test_where_nothing_waits_nothing_is_told(place: Place, told: pytest.LogCaptureFixture) -> None:
    assert place.deliver() == []
    assert place.seen().seen == {}
    assert place.seen().looked_at is not None
    assert warnings(told) == []


def test_a_run_that_moves_is_never_told_of(place: Place, told: pytest.LogCaptureFixture) -> None:
    place.run_begins()
    for minutes in range(0, 100, 25):
        with Delivery(place.runtime.documents, RUN_ID, "profiles/0000"):
            pass
        place.look(minutes)
    assert warnings(told) == []


def test_a_run_that_stands_still_is_told_of_as_long_as_it_does(place: Place, told: pytest.LogCaptureFixture) -> None:
    place.run_begins()
    for minutes in (0, 10, 20, 30, 40):
        place.look(minutes)
    assert warnings(told) == [("run", 1), ("run", 1)]
    with Delivery(place.runtime.documents, RUN_ID, "profiles/0000"):
        place.look(50)
    assert warnings(told) == [("run", 1), ("run", 1)]


def test_what_is_told_of_a_run_says_which_part_is_under_way(place: Place, told: pytest.LogCaptureFixture) -> None:
    place.run_begins()
    with Delivery(place.runtime.documents, RUN_ID, "teacher/0003"):
        place.look(0)
        place.look(30)
    fields = vars(told.records[-1])
    assert fields["ids"] == [RUN_ID]
    assert fields["reason"] == "teacher/0003 is running"


def test_a_run_that_has_ended_does_not_wait(place: Place) -> None:
    place.run_begins()
    place.look(0)
    assert list(place.seen().seen) == [f"run/{RUN_ID}"]
    run_state.finish(place.runtime.documents, RUN_ID, "approved")
    place.look(1)
    assert place.seen().seen == {}


def test_looking_twice_at_once_notes_the_same_and_publishes_the_same(place: Place) -> None:
    place.training(JobState(status="ended", outcome="failed"))
    place.look(0)
    assert place.look(30) == place.look(30) != []
    (one,) = place.seen().seen.values()
    assert one.since == NOON


def test_a_dead_letter_that_stays_is_told_of_and_one_that_is_dropped_is_forgotten(
    place: Place, told: pytest.LogCaptureFixture
) -> None:
    for number in range(IDS_TOLD + 5):
        dead = Message("run-requested", str(number).encode(), {})
        dead_letters.bury(place.runtime.documents, DeadLetter.of(dead, "profiles", 5, "Rejected: no"))
    place.look(0)
    place.look(30)
    assert warnings(told) == [("dead-letter", IDS_TOLD + 5)]
    assert len(vars(told.records[-1])["ids"]) == IDS_TOLD
    for letter in dead_letters.letters(place.runtime.documents):
        dead_letters.drop(place.runtime.documents, letter.id)
    place.look(31)
    assert place.seen().seen == {}


def test_the_end_of_a_training_that_nobody_heard_of_is_told_again(place: Place) -> None:
    spec = place.training(JobState(status="ended", outcome="preempted"))
    assert place.look(0) == []
    assert place.look(30) == [JobEnded(job=spec.name)]


def test_once_heard_an_end_is_not_told_again_and_its_launcher_not_asked(place: Place) -> None:
    spec = place.training(JobState(status="ended", outcome="succeeded"))
    with Delivery(place.runtime.documents, RUN_ID, f"job_ended/{spec.name}"):
        pass
    assert place.look(0) == place.look(60) == []
    assert place.launcher.asked == 0


def test_the_lost_end_is_heard_by_the_function_that_it_is_for(place: Place) -> None:
    spec = place.training(JobState(status="ended", outcome="succeeded"))
    place.look(0)
    (again,) = place.look(30)
    phase_function("job-ended")(push(message(again)))
    assert [event_in(one).topic for one in place.sent] == ["training-ended"]
    assert spec.name == again.job
    assert place.look(31) == []
    assert place.seen().seen == {}


def test_a_training_that_runs_waits_for_nothing_however_long_it_takes(place: Place) -> None:
    place.training(JobState(status="running"))
    assert place.look(0) == place.look(6000) == []
    assert place.seen().seen == {}


def test_a_training_that_was_noted_and_never_started_is_told_of(place: Place, told: pytest.LogCaptureFixture) -> None:
    place.training(None)
    assert place.look(0) == place.look(30) == []
    assert warnings(told) == [("training", 1)]
    assert vars(told.records[-1])["reason"] == "subprocess knows no such job: it was never started"


def test_a_promotion_that_no_server_answers_for_is_told_of(place: Place, told: pytest.LogCaptureFixture) -> None:
    wanted = registry.Pointer(version=VERSION, decision_id="d1")
    assert registry.move(place.runtime.documents, "dev", None, wanted)
    place.look(0)
    place.look(30)
    assert warnings(told) == [("promotion", 1)]
    registry.note_served(place.runtime.documents, VERSION, "dev")
    place.look(31)
    assert place.seen().seen == {}


def test_while_the_documents_are_down_the_message_is_delivered_again(place: Place) -> None:
    class Down(Says):
        def state(self, name: str) -> JobState | None:
            raise Unavailable(f"{name}: cannot be asked")

    place.training(None)
    place.launcher = Down(None)
    with pytest.raises(Unavailable):
        place.deliver()


def test_a_mark_that_changes_and_changes_back_has_moved() -> None:
    def one(mark: str) -> list[Waiting]:
        return [Waiting(what="run", id="a", mark=mark, reason="")]

    seen = Sightings()
    for minutes, mark in ((0, "x"), (20, "y"), (29, "x"), (31, "x")):
        now = NOON + timedelta(minutes=minutes)
        seen = sighted(seen, one(mark), now)
        assert overdue(seen, one(mark), now, PATIENCE_S) == []


def test_the_line_of_log_is_one_that_cloud_logging_counts(place: Place, told: pytest.LogCaptureFixture) -> None:
    from shared.log import JsonLines

    place.run_begins()
    place.look(0)
    place.look(30)
    line = json.loads(JsonLines().format(told.records[-1]))
    assert (line["severity"], line["message"], line["what"], line["count"]) == ("WARNING", "waits too long", "run", 1)
