"""Phase 7d, bias: does the dataset serve every slice of people equally well?

In      dataset-built
Writes  reports/{run_id}/bias_report.json
Out     reports-completed, once none of the four reports is missing
"""

import functions_framework

from functions.bias.slices import slice_bias
from shared.events import DatasetBuilt, Event, ReportsCompleted
from shared.paths import dataset_file, report_file, report_files
from shared.phase import Run, phase
from shared.record_lines import record_lines
from shared.records import RejectRecord


@functions_framework.cloud_event
@phase(DatasetBuilt)
def bias(event: DatasetBuilt, run: Run) -> Event | None:
    del event
    records = record_lines(run.store.lines(dataset_file(run.run_id, "all_records.jsonl")))
    rejects = run.read(dataset_file(run.run_id, "rejects.jsonl"), RejectRecord)
    run.create_document(report_file(run.run_id, "bias_report.json"), lambda: slice_bias(records, rejects, run.config))
    return run.joined(report_files(run.run_id), ReportsCompleted(run_id=run.run_id))
