"""Phase 7c, anomalies: duplicates, gaps, outliers, drift, and shift against the previous run.

In      dataset-built
Writes  reports/{run_id}/anomaly_report.json
Out     reports-completed, once none of the four reports is missing
"""

import functions_framework

from functions.anomalies.detect import detect_anomalies
from functions.anomalies.previous import previous_report
from shared.events import DatasetBuilt, Event, ReportsCompleted
from shared.paths import dataset_file, report_file, report_files
from shared.phase import Run, phase
from shared.record_lines import record_lines
from shared.records import DatasetManifest


@functions_framework.cloud_event
@phase(DatasetBuilt)
def anomalies(event: DatasetBuilt, run: Run) -> Event | None:
    del event
    manifest = run.read_document(dataset_file(run.run_id, "manifest.json"), DatasetManifest)
    records = record_lines(run.store.lines(dataset_file(run.run_id, "all_records.jsonl")))
    run.create_document(
        report_file(run.run_id, "anomaly_report.json"),
        lambda: detect_anomalies(manifest, records, run.config, previous_report(run)),
    )
    return run.joined(report_files(run.run_id), ReportsCompleted(run_id=run.run_id))
