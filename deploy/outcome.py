"""Outcome: how a run ended, as one object for programs and one table for people."""

import hashlib
import sys
from shlex import quote

from rich.console import Console
from rich.table import Table

from shared import run_state
from shared.artifacts import ArtifactStore
from shared.errors import NotFound
from shared.frozen import Frozen
from shared.paths import dataset_file, report_file, run_file
from shared.records import DatasetManifest, TeacherTotals
from shared.reports import GateReport
from shared.run_state import DeliveryRecord, RunRecord, RunStatus
from shared.runtime import Runtime

EXIT_CODES: dict[RunStatus, int] = {
    "approved": 0,
    "failed": 1,
    "stopped": 1,
    "running": 1,
    "interrupted": 130,
    "rejected": 3,
}
COMMANDS: dict[RunStatus, tuple[str, str]] = {
    "failed": ("Go on   ", "resume"),
    "stopped": ("Go on   ", "resume"),
    "interrupted": ("Go on   ", "resume"),
    "running": ("Follow  ", "runs"),
}
"""What to do next about a run that has not come to the gate."""
STYLES = {"approved": "bold green", "rejected": "bold yellow"}


class Counts(Frozen):
    """How much of everything there is."""

    users: int
    queries: int
    responses: int
    records: int
    rejected: int
    train: int
    val: int
    test: int


class FileDigest(Frozen):
    """What a file's bytes are."""

    sha256: str


class DatasetFiles(Frozen):
    """The dataset's files, by name, the manifest included."""

    files: dict[str, FileDigest]


class GateOutcome(Frozen):
    """What the gate said."""

    verdict: str
    reasons: tuple[str, ...]


class Outcome(Frozen):
    """What `fitsense run --json` prints."""

    run_id: str
    status: RunStatus
    reasons: tuple[str, ...]
    out: str
    counts: Counts | None
    dataset: DatasetFiles
    gate: GateOutcome | None
    report: str | None
    seconds: float
    cost_usd: float

    @property
    def exit_code(self) -> int:
        """0 approved, 3 rejected by the gate, 1 failed or stopped, 130 interrupted."""
        return EXIT_CODES[self.status]


def outcome(around: Runtime, files: ArtifactStore, run_id: str, seconds: float) -> Outcome:
    """Return how a run stands now; `files` has its dataset and reports on this machine."""
    store = around.store
    record = _record(around, run_id)
    manifest = _manifest(store, run_id)
    gate = _gate(store, run_id)
    page = report_file(run_id, "index.html")
    return Outcome(
        run_id=run_id,
        status=record.status,
        reasons=record.reasons,
        out=str(around.settings.out.absolute()),
        counts=_counts(manifest) if manifest else None,
        dataset=DatasetFiles(files=_digests(store, run_id, manifest) if manifest else {}),
        gate=GateOutcome(verdict=gate.verdict, reasons=gate.reasons) if gate else None,
        report=files.uri(page) if files.exists(page) else None,
        seconds=round(seconds, 3),
        cost_usd=_cost_usd(around, run_id),
    )


def _record(around: Runtime, run_id: str) -> RunRecord:
    try:
        return run_state.run(around.documents, run_id)
    except NotFound:
        return RunRecord(run_id=run_id)  # its config was dropped, and intake has not come to it yet


def _manifest(store: ArtifactStore, run_id: str) -> DatasetManifest | None:
    name = dataset_file(run_id, "manifest.json")
    return DatasetManifest.model_validate_json(store.read(name)) if store.exists(name) else None


def _gate(store: ArtifactStore, run_id: str) -> GateReport | None:
    name = report_file(run_id, "gate.json")
    return GateReport.model_validate_json(store.read(name)) if store.exists(name) else None


def _counts(manifest: DatasetManifest) -> Counts:
    return Counts(
        users=manifest.users,
        queries=manifest.queries,
        responses=manifest.responses,
        records=manifest.records,
        rejected=sum(manifest.rejected.values()),
        train=manifest.splits["train"],
        val=manifest.splits["val"],
        test=manifest.splits["test"],
    )


def _digests(store: ArtifactStore, run_id: str, manifest: DatasetManifest) -> dict[str, FileDigest]:
    found = {name: FileDigest(sha256=file.sha256) for name, file in manifest.files.items()}
    own = hashlib.sha256(store.read(dataset_file(run_id, "manifest.json"))).hexdigest()
    return found | {"manifest.json": FileDigest(sha256=own)}


def _cost_usd(around: Runtime, run_id: str) -> float:
    name = run_file(run_id, "teacher_totals.json")
    if around.store.exists(name):
        return TeacherTotals.model_validate_json(around.store.read(name)).cost_usd
    return round(sum(one.cost_usd for one in run_state.deliveries(around.documents, run_id)), 6)


def show(console: Console, ended: Outcome, deliveries: list[DeliveryRecord], options: str) -> None:
    """Print how a run ended, for people; `options` name its place on a command line."""
    console.print(f"[{STYLES.get(ended.status, 'bold red')}]{ended.status}[/]  run {ended.run_id}")
    for reason in ended.reasons:
        console.print(f"  · {reason}", highlight=False)
    if ended.counts:
        console.print(_counts_table(ended.counts, deliveries, ended))
    if ended.report:
        console.print(f"Report   {ended.report}", soft_wrap=True, highlight=False)
    if ended.dataset.files:
        folder = f"{ended.out}/{dataset_file(ended.run_id, '')}"
        console.print(f"Dataset  {folder}", soft_wrap=True, highlight=False)
    if ended.status in COMMANDS:
        label, command = COMMANDS[ended.status]
        line = f"{label} {quote(sys.argv[0])} {command} {ended.run_id} {options}"
        console.print(line, soft_wrap=True, highlight=False)


def _counts_table(counts: Counts, deliveries: list[DeliveryRecord], ended: Outcome) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("people", f"{counts.users:,}")
    table.add_row("messages", f"{counts.queries:,}")
    table.add_row("records", f"{counts.records:,}  ({counts.rejected:,} rejected)")
    table.add_row("splits", f"train {counts.train:,} · val {counts.val:,} · test {counts.test:,}")
    table.add_row("work", f"{sum(one.seconds for one in deliveries):.1f} s in {len(deliveries)} deliveries")
    table.add_row("took", f"{ended.seconds:.1f} s · {ended.cost_usd:.2f} USD")
    return table
