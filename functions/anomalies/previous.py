"""Previous: the anomaly report of the last approved run of the same name."""

from datetime import UTC, datetime

from shared.paths import report_file
from shared.phase import Run
from shared.reports import AnomalyReport
from shared.run_state import RunRecord, runs

_UNKNOWN = datetime.min.replace(tzinfo=UTC)


def previous_report(run: Run) -> AnomalyReport | None:
    """Return the latest earlier report of an approved run with this run's name; None where there is none.

    What the gate rejected is no measure for what comes after it. Earlier is what began earlier: ids tell the
    second only, and short runs can begin in the same one.
    """
    known = sorted(runs(run.documents), key=_order)
    before = known[: next((place for place, one in enumerate(known) if one.run_id == run.run_id), len(known))]
    for one in reversed(before):
        name = report_file(one.run_id, "anomaly_report.json")
        if one.name == run.config.name and one.status == "approved" and run.store.exists(name):
            return run.read_document(name, AnomalyReport)
    return None


def _order(record: RunRecord) -> tuple[datetime, str]:
    return record.began_at or _UNKNOWN, record.run_id
