"""Phase 8, gate: turn the four reports into one decision, and one page to look at.

In      reports-completed
Writes  reports/{run_id}/gate.json, reports/{run_id}/index.html
Out     dataset-approved | dataset-rejected
"""

import functions_framework

from functions.gate.decide import announce, decide, page, read_reports
from shared.events import Event, ReportsCompleted
from shared.paths import report_file
from shared.phase import Run, phase


@functions_framework.cloud_event
@phase(ReportsCompleted)
def gate(event: ReportsCompleted, run: Run) -> Event:
    del event
    reports = read_reports(run)
    run.create_document(report_file(run.run_id, "gate.json"), lambda: decide(run, reports))
    run.create_bytes(report_file(run.run_id, "index.html"), lambda: page(run, reports))
    return announce(run)
