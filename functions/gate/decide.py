"""Decide: collect what the gate judges, and announce what it found."""

import itertools
from dataclasses import dataclass

from functions.gate.page import render_page
from functions.gate.rules import judge
from shared.events import DatasetApproved, DatasetRejected, Event
from shared.paths import dataset_file, report_file
from shared.phase import Run
from shared.records import DatasetManifest, DatasetRecord
from shared.reports import AnomalyReport, BiasReport, GateReport, StatsReport, ValidationReport

SAMPLES = 40
"""Records that the page may choose its examples from."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Everything that the gate looks at."""

    manifest: DatasetManifest
    validation: ValidationReport
    stats: StatsReport
    anomalies: AnomalyReport
    bias: BiasReport


def read_reports(run: Run) -> Reports:
    """Return a run's reports."""
    return Reports(
        manifest=run.read_document(dataset_file(run.run_id, "manifest.json"), DatasetManifest),
        validation=run.read_document(report_file(run.run_id, "validation_report.json"), ValidationReport),
        stats=run.read_document(report_file(run.run_id, "stats_report.json"), StatsReport),
        anomalies=run.read_document(report_file(run.run_id, "anomaly_report.json"), AnomalyReport),
        bias=run.read_document(report_file(run.run_id, "bias_report.json"), BiasReport),
    )


def decide(run: Run, reports: Reports) -> GateReport:
    """Return the gate's verdict."""
    return judge(run.config, reports.validation, reports.stats, reports.anomalies, reports.bias)


def page(run: Run, reports: Reports) -> bytes:
    """Return the page that shows a run, its reports and a few of its records."""
    records = run.read(dataset_file(run.run_id, "all_records.jsonl"), DatasetRecord)
    return render_page(
        run.run_id,
        run.config,
        reports.manifest,
        reports.validation,
        reports.stats,
        reports.anomalies,
        reports.bias,
        verdict(run),
        list(itertools.islice(records, SAMPLES)),
    )


def verdict(run: Run) -> GateReport:
    """Return the verdict that was written down: the first one, however often it was made."""
    return run.read_document(report_file(run.run_id, "gate.json"), GateReport)


def announce(run: Run) -> Event:
    """Set how the run ended, and return the event that says so."""
    found = verdict(run)
    manifest_uri = run.store.uri(dataset_file(run.run_id, "manifest.json"))
    gate_uri = run.store.uri(report_file(run.run_id, "gate.json"))
    run.finish(found.verdict, found.reasons)
    if found.verdict == "approved":
        return DatasetApproved(run_id=run.run_id, manifest_uri=manifest_uri, gate_uri=gate_uri)
    return DatasetRejected(run_id=run.run_id, manifest_uri=manifest_uri, gate_uri=gate_uri, reasons=found.reasons)
