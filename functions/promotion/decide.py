"""Decide: judge a request against what serves now, keep the decision, and move the pointer from there.

A request is one decision, whose id is its message's digest: delivered again, it finds what was decided. The
decision is kept first, then the pointer is moved by compare-and-set, then the decision is marked as settled.
Whoever moves a pointer on settles the decision that put it there before, so none stays open once the pointer no
longer names it. Where somebody else moved the pointer meanwhile, the request is judged again: against what
serves by then.
"""

import hashlib
import logging
from datetime import UTC, datetime

from pydantic import ValidationError

from functions.promotion.rules import Candidate, Verdict, judge
from functions.promotion.thresholds import EnvironmentRules, read_rules
from shared import registry
from shared.artifacts import ArtifactStore
from shared.documents import Document, Documents
from shared.errors import NotFound, Rejected, Unavailable
from shared.eval_report import EvalReport
from shared.events import ModelPromoted, PromoteRequested, PromotionRejected
from shared.phase import Run
from shared.registry import Decision, Pointer

MAX_TRIES = 100

log = logging.getLogger("fitsense.promotion")


def decide(request: PromoteRequested, run: Run) -> ModelPromoted | PromotionRejected:
    """Return what came of a request."""
    rules, candidate = read_rules().of(request.environment), _candidate(run, request.version)
    for _ in range(MAX_TRIES):
        decision = _attempt(request, run, candidate, rules)
        if decision is not None:
            log.info(decision.verdict, extra={"version": decision.version, "environment": decision.environment})
            return _event(decision, run)
    raise Unavailable(f"the pointer of {request.environment} moves all the time")


def decision_id(request: PromoteRequested) -> str:
    """Return the id of the decision about a request."""
    return hashlib.sha256(request.data()).hexdigest()[:12]


def _attempt(request: PromoteRequested, run: Run, candidate: Candidate, rules: EnvironmentRules) -> Decision | None:
    """Return the decision once it is settled; None where somebody else was faster."""
    documents, path = run.documents, f"decisions/{decision_id(request)}"
    there = documents.get(path)
    decision = Decision.model_validate(there.data) if there else None
    if decision is not None and decision.settled:
        return decision
    pointer, seen = registry.pointer(documents, request.environment)
    if pointer is not None and decision is not None and pointer.decision_id == decision.id:
        return _settle(documents, decision.id)
    if pointer is not None:
        _settle(documents, pointer.decision_id)
    verdict = judge(request, candidate, rules, pointer, _served_report(run.store, pointer, request.version))
    decision = _decision(request, verdict, pointer)
    if not _keep(documents, path, there, decision):
        return None
    if decision.verdict == "rejected":
        return decision
    if not registry.move(documents, request.environment, seen, _moved(pointer, decision)):
        return None
    return _settle(documents, decision.id)


def _decision(request: PromoteRequested, verdict: Verdict, pointer: Pointer | None) -> Decision:
    granted = verdict.is_granted(request.force)
    return Decision(
        id=decision_id(request),
        version=request.version,
        environment=request.environment,
        percent=request.percent,
        actor=request.actor,
        reason=request.reason,
        force=request.force,
        verdict="promoted" if granted else "rejected",
        reasons=verdict.fatal + verdict.objections,
        numbers=verdict.numbers,
        against=pointer.stable if pointer else None,
        decided_at=datetime.now(UTC),
        settled=not granted,
    )


def _keep(documents: Documents, path: str, there: Document | None, decision: Decision) -> bool:
    data = decision.model_dump(mode="json")
    return documents.replace(there, data) if there else documents.create(path, data)


def _settle(documents: Documents, decided: str) -> Decision | None:
    """Mark a decision as carried out, and return it; None where there is no such decision."""
    while (found := documents.get(f"decisions/{decided}")) is not None:
        decision = Decision.model_validate(found.data)
        if decision.settled or documents.replace(found, found.data | {"settled": True}):
            return decision.model_copy(update={"settled": True})
    return None


def _moved(pointer: Pointer | None, decision: Decision) -> Pointer:
    """Return where a decision moves a pointer; what served all requests stays known beside a canary."""
    previous = pointer.stable if pointer else None
    if pointer is not None and previous == decision.version:
        previous = pointer.previous if pointer.previous != decision.version else None
    return Pointer(
        version=decision.version,
        percent=decision.percent,
        previous=previous,
        decision_id=decision.id,
        moves=pointer.moves + 1 if pointer else 1,
    )


def _candidate(run: Run, version: str) -> Candidate:
    """Look at a model: whether it is listed, every file's sha256, and its report."""
    try:
        record, manifest = registry.model(run.documents, version), registry.read_manifest(run.store, version)
    except Rejected as exc:
        return Candidate(None, (str(exc),), None)
    wrong = registry.tampering(run.store, manifest)
    report = _report(run.store, version)
    if report is None:
        wrong += (f"{registry.EVAL_REPORT} cannot be read",)
    elif report.version != version:
        wrong += (f"{registry.EVAL_REPORT} is that of {report.version}",)
    return Candidate(record, wrong, report)


def _served_report(store: ArtifactStore, pointer: Pointer | None, version: str) -> EvalReport | None:
    stable = pointer.stable if pointer else None
    return _report(store, stable) if stable not in (None, version) else None


def _report(store: ArtifactStore, version: str | None) -> EvalReport | None:
    try:
        return EvalReport.model_validate_json(store.read(registry.model_file(version or "", registry.EVAL_REPORT)))
    except (NotFound, ValidationError):
        return None


def _event(decision: Decision, run: Run) -> ModelPromoted | PromotionRejected:
    if decision.verdict == "rejected":
        return PromotionRejected(
            run_id=run.run_id,
            version=decision.version,
            environment=decision.environment,
            decision_id=decision.id,
            reasons=decision.reasons,
        )
    return ModelPromoted(
        run_id=run.run_id,
        version=decision.version,
        environment=decision.environment,
        percent=decision.percent,
        manifest_uri=run.store.uri(registry.model_file(decision.version, registry.MANIFEST)),
        decision_id=decision.id,
    )
