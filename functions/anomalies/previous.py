"""Previous: the anomaly report of the run before this one, of the same name."""

from shared.paths import report_file
from shared.phase import Run
from shared.reports import AnomalyReport
from shared.run_state import runs


def previous_report(run: Run) -> AnomalyReport | None:
    """Return the latest earlier report of a run with this run's name; None where there is none.

    Run ids begin with the time of intake, so their order is the order of runs.
    """
    earlier = [one.run_id for one in runs(run.documents) if one.name == run.config.name and one.run_id < run.run_id]
    for run_id in sorted(earlier, reverse=True):
        name = report_file(run_id, "anomaly_report.json")
        if run.store.exists(name):
            return run.read_document(name, AnomalyReport)
    return None
