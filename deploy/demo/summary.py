"""Summary: what a mission came to: versions, scores, latencies, tokens, cost, and where to look."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from deploy.demo.person import Week
from deploy.demo.serving import Serving
from deploy.demo.student import WAYS, base_rate, rate_text
from deploy.tables import plain, show
from shared.eval_report import EvalReport, Mode
from shared.paths import report_file
from shared.registry import model_file


@dataclass(slots=True)
class Mission:
    """All that a demo did."""

    run_id: str
    version: str
    report: EvalReport
    out: Path
    serving: Serving | None = None
    week: Week | None = None
    seconds: float = 0.0


def show_summary(mission: Mission, kept: bool) -> None:
    """Print it."""
    table = plain("in all", "")
    report, options = mission.report, f"--out {mission.out}"
    table.add_row("dataset", mission.run_id)
    table.add_row("model", f"{mission.version}, an adapter to {report.base_model}")
    for words, mode in WAYS.items():
        table.add_row(f"strict plans, {words}", _score(report, mode))
    if mission.serving and mission.week:
        table.add_row("vLLM ready", f"after {mission.serving.seconds:.0f} s")
        for row in reversed(mission.week.interactions):
            table.add_row(row["prompt_type"] or "", _told(row))
        tokens = sum(row["completion_tokens"] or 0 for row in mission.week.interactions)
        cost = sum(row["cost_usd"] or 0 for row in mission.week.interactions)
        table.add_row("written", f"{tokens} tokens, {cost:.4f} USD")
    table.add_row("took", f"{mission.seconds:.0f} s")
    table.add_row("dataset's page", str(mission.out / report_file(mission.run_id, "index.html")))
    table.add_row("evaluation's page", str(mission.out / model_file(mission.version, "eval_report.html")))
    table.add_row("model card", str(mission.out / model_file(mission.version, "model_card.md")))
    show(table)
    if kept and mission.serving:
        Console().print(
            f"it runs on at {mission.serving.url}: fitsense ask \u201c…\u201d {options}; fitsense down {options}"
        )
    else:
        Console().print(f"again, and left running: make demo KEEP=1; or: fitsense up --model {options}")


def _score(report: EvalReport, mode: Mode) -> str:
    student, base = report.rate(mode, "strict_plan"), base_rate(report, mode, "strict_plan")
    return f"{rate_text(student)}; base {rate_text(base)}"


def _told(row: dict[str, object]) -> str:
    sha = str(row["adapter_sha256"] or "")[:12]
    first = f"first token {row['ttft_ms']:.0f} ms, " if row["ttft_ms"] is not None else ""
    took = f"{first}all {row['latency_ms']:.0f} ms, {row['completion_tokens']} tokens"
    return f"{row['status']} by {row['model_version']} (sha256 {sha}…): {took}"
