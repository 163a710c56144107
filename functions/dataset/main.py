"""Phase 6, dataset: keep what can be learned from, divide it by user, and write it down.

In      responses-collected
Writes  distillation_dataset/{run_id}/{train,val,test,all_records}.jsonl        one DatasetRecord a line
        distillation_dataset/{run_id}/chat_{train,val,test}.jsonl               the same as messages, for trainers
        distillation_dataset/{run_id}/rejects.jsonl                             what was left out, and why
        distillation_dataset/{run_id}/manifest.json                             last, so that it vouches for the rest
        runs/{run_id}/teacher_totals.json
Out     dataset-built
"""

import functions_framework

from functions.dataset.build import build_dataset
from shared.events import DatasetBuilt, ResponsesCollected
from shared.paths import dataset_file
from shared.phase import Run, phase


@functions_framework.cloud_event
@phase(ResponsesCollected)
def dataset(event: ResponsesCollected, run: Run) -> DatasetBuilt:
    del event
    uri = run.create_document(dataset_file(run.run_id, "manifest.json"), lambda: build_dataset(run))
    return DatasetBuilt(run_id=run.run_id, manifest_uri=uri)
