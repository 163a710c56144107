"""Which run a run is compared with."""

from datetime import UTC, datetime
from pathlib import Path

from functions.anomalies.previous import previous_report
from shared.documents import update
from shared.paths import report_file
from shared.phase import Run
from shared.reports import AnomalyReport
from shared.run_state import Delivery
from tests.pipeline import Pipeline


def test_the_previous_run_is_the_one_that_began_before_whatever_their_ids(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    dropped = [pipeline.drop(users=users) for users in (12, 24)]
    for _, message in dropped:
        pipeline.run(message)
    second, first = (_run(pipeline, run_id) for run_id in sorted(run_id for run_id, _ in dropped))
    for microsecond, run in enumerate((first, second)):
        _let_begin(run, datetime(2026, 2, 17, microsecond=microsecond, tzinfo=UTC))

    assert previous_report(first) is None
    expected = second.read_document(report_file(first.run_id, "anomaly_report.json"), AnomalyReport)
    assert previous_report(second) == expected


def _run(pipeline: Pipeline, run_id: str) -> Run:
    runtime = pipeline.runtime
    return Run(run_id, runtime, Delivery(runtime.documents, run_id, "anomalies"))


def _let_begin(run: Run, at: datetime) -> None:
    update(run.documents, f"runs/{run.run_id}", lambda data: data | {"began_at": at.isoformat()})
