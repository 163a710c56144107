"""Previous: the anomaly report of the last approved run of the same name."""

from shared.paths import report_file
from shared.phase import Run
from shared.reports import AnomalyReport
from shared.run_state import runs


def previous_report(run: Run) -> AnomalyReport | None:
    """Return the latest earlier report of an approved run with this run's name; None where there is none.

    What the gate rejected is no measure for what comes after it. Run ids begin with the time of intake, so their
    order is the order of runs.
    """
    approved = [one for one in runs(run.documents) if one.name == run.config.name and one.status == "approved"]
    for run_id in sorted((one.run_id for one in approved if one.run_id < run.run_id), reverse=True):
        name = report_file(run_id, "anomaly_report.json")
        if run.store.exists(name):
            return run.read_document(name, AnomalyReport)
    return None
