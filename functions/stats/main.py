"""Phase 7b, stats: what is in the dataset, who is in it, and what it took.

In      dataset-built
Writes  reports/{run_id}/stats_report.json
Out     reports-completed, once none of the four reports is missing
"""

import functions_framework

from functions.stats.compute import compute_stats
from shared.coach.profile import UserProfile
from shared.events import DatasetBuilt, Event, ReportsCompleted
from shared.paths import dataset_file, report_file, report_files, run_file
from shared.phase import Run, phase
from shared.record_lines import record_lines
from shared.records import DatasetManifest, TeacherTotals


@functions_framework.cloud_event
@phase(DatasetBuilt)
def stats(event: DatasetBuilt, run: Run) -> Event | None:
    del event
    manifest = run.read_document(dataset_file(run.run_id, "manifest.json"), DatasetManifest)
    records = record_lines(run.store.lines(dataset_file(run.run_id, "all_records.jsonl")))
    people = run.read_shards("profiles", UserProfile)
    logs = run.shard_lines("workouts")
    totals = run.read_document(run_file(run.run_id, "teacher_totals.json"), TeacherTotals)
    run.create_document(
        report_file(run.run_id, "stats_report.json"),
        lambda: compute_stats(manifest, records, people, logs, totals),
    )
    return run.joined(report_files(run.run_id), ReportsCompleted(run_id=run.run_id))
