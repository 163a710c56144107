"""Phase 7a, validate: is the dataset what its manifest says, and fit to be trained on?

In      dataset-built
Writes  reports/{run_id}/validation_report.json
Out     reports-completed, once none of the four reports is missing
"""

import functions_framework

from functions.validate.checks import validate as check_dataset
from shared.events import DatasetBuilt, Event, ReportsCompleted
from shared.paths import dataset_file, report_file, report_files
from shared.phase import Run, phase
from shared.records import DatasetManifest


@functions_framework.cloud_event
@phase(DatasetBuilt)
def validate(event: DatasetBuilt, run: Run) -> Event | None:
    del event
    manifest = run.read_document(dataset_file(run.run_id, "manifest.json"), DatasetManifest)
    run.create_document(
        report_file(run.run_id, "validation_report.json"),
        lambda: check_dataset(manifest, lambda name: run.store.lines(dataset_file(run.run_id, name))),
    )
    return run.joined(report_files(run.run_id), ReportsCompleted(run_id=run.run_id))
