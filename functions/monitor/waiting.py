"""Waiting: what there is that ought to move on, read from the documents and asked of the launchers.

    run           running; its mark is how far each of its deliveries has come
    dead-letter   kept until somebody replays or drops it
    training      started, over by what its launcher says or unknown to it, and its end was never delivered
    promotion     an environment's pointer names a version, and no server has said that it answers with it

A training that its launcher says is running waits for nothing: how long it may take is its job's to say.
"""

import hashlib
from collections.abc import Iterator

from functions.monitor.sightings import Waiting
from shared import dead_letters, jobs, registry, run_state
from shared.documents import Documents
from shared.jobs import JobSpec, JobState, Launchers
from shared.run_state import DeliveryRecord
from shared.runtime import Runtime


def waiting(around: Runtime) -> list[Waiting]:
    """Return everything that waits. Raises Unavailable where the documents or a launcher cannot be asked."""
    documents = around.documents
    return [*_runs(documents), *_letters(documents), *_promotions(documents), *_trainings(around)]


def _runs(documents: Documents) -> Iterator[Waiting]:
    for record in run_state.runs(documents):
        if record.status == "running":
            parts = run_state.deliveries(documents, record.run_id)
            steps = [(part.key, part.status, part.attempts, part.done) for part in parts]
            mark = hashlib.sha256(repr(steps).encode()).hexdigest()[:12]
            yield Waiting(what="run", id=record.run_id, mark=mark, reason=_under_way(parts))


def _under_way(parts: list[DeliveryRecord]) -> str:
    """Return which deliveries of a run have begun and are not done, or that a message must have been lost."""
    open_ = [f"{part.key} is {part.status}" for part in parts if part.status != "done"]
    return ", ".join(open_[:5]) or "every delivery is done, and nothing follows"


def _letters(documents: Documents) -> Iterator[Waiting]:
    for letter in dead_letters.letters(documents):
        reason = f"{letter.function}: {letter.error}"
        yield Waiting(what="dead-letter", id=letter.id, mark=letter.buried_at.isoformat(), reason=reason)


def _promotions(documents: Documents) -> Iterator[Waiting]:
    for environment in registry.ENVIRONMENTS:
        pointer, _ = registry.pointer(documents, environment)
        if pointer and not pointer.served:
            reason = f"no server of {environment} answers with {pointer.version}"
            yield Waiting(what="promotion", id=environment, mark=pointer.decision_id, reason=reason)


def _trainings(around: Runtime) -> Iterator[Waiting]:
    unheard = [spec for spec in jobs.all_jobs(around.documents) if not _was_delivered(around.documents, spec)]
    launchers: Launchers = around.launchers() if unheard else {}
    for spec in unheard:
        launcher = launchers.get(spec.target)
        state = launcher.state(spec.name) if launcher else None
        if state is None or state.outcome is not None:
            yield _training(spec, state)


def _training(spec: JobSpec, state: JobState | None) -> Waiting:
    if state is None:
        reason = f"{spec.target} knows no such job: it was never started"
        return Waiting(what="training", id=spec.name, mark="unknown", reason=reason)
    reason = f"{spec.target} says that it {state.outcome}, and nobody has heard of that"
    mark = f"ended {state.attempts}"
    return Waiting(what="training", id=spec.name, mark=mark, reason=reason, end_untold=True)


def _was_delivered(documents: Documents, spec: JobSpec) -> bool:
    """Return whether a job's end has been heard; one whose request died is a dead letter, and no lost end."""
    heard = run_state.delivery(documents, spec.run_id, f"job_ended/{spec.name}")
    started = run_state.delivery(documents, spec.run_id, f"train/{spec.recipe}")
    return bool((heard and heard.status == "done") or (started and started.status == "failed"))
