"""What is watched is what the code emits, and every alert has its section in the runbook."""

import ast
import re
from pathlib import Path
from typing import Any, get_args

import click
import pytest
import yaml

from services.inference_router.metrics import Metrics
from shared.events import AiInteraction
from shared.telemetry import telemetry

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy" / "observability.yaml").read_text()
WATCHED = yaml.safe_load(TEXT)
RUNBOOK = (ROOT / "deploy" / "runbook.md").read_text()
NAME = re.compile(r"(?<![\w:\"/.~=-])([a-zA-Z_][\w]*:[\w]+|fitsense_\w+)(?=[{\[\s)]|$)")
SUFFIXES = ("_bucket", "_sum", "_count")
VLLM = {
    "vllm:generation_tokens_total",
    "vllm:kv_cache_usage_perc",
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
}
"""Of vLLM 0.32; held against its source where that is installed."""


def queries() -> dict[str, str]:
    found = {
        f"{board}: {tile['title']}: {legend}": query
        for board, one in WATCHED["dashboards"].items()
        for tile in one["tiles"]
        for legend, query in tile["queries"].items()
    }
    return found | {f"alert {name}": one["query"] for name, one in WATCHED["alerts"].items()}


def names(query: str) -> set[str]:
    return set(NAME.findall(query))


def emitted() -> dict[str, set[str]]:
    """Return every metric of our own processes by its Prometheus name, with its labels."""
    found: dict[str, set[str]] = {}
    for registry in (telemetry("plan").registry, Metrics().registry):
        for collector in registry._collector_to_names:
            for metric in collector.collect():
                labels = set(getattr(collector, "_labelnames", ()))
                suffixes = {"counter": ("_total",), "histogram": SUFFIXES}.get(metric.type, ("",))
                found |= {metric.name + suffix: labels for suffix in suffixes}
    return found


def log_metrics() -> set[str]:
    found = set()
    for name, one in WATCHED["logs"].items():
        base = f"logging_googleapis_com:user_{name}"
        found |= {base + suffix for suffix in SUFFIXES} if "value" in one else {base}
    return found


@pytest.mark.parametrize("where", queries())
def test_a_query_asks_for_metrics_that_are_emitted(where: str) -> None:
    google = {name for listed in WATCHED["google_metrics"].values() for name in listed}
    known = google | set(emitted()) | log_metrics() | VLLM
    used = names(queries()[where])
    assert used
    assert sorted(used - known) == []


@pytest.mark.parametrize("where", queries())
def test_a_query_groups_and_selects_by_labels_that_our_metrics_have(where: str) -> None:
    query = queries()[where]
    ours = [emitted()[name] for name in names(query) if name in emitted()]
    grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(",")} - {"le"}
    if ours:
        selected = {
            label for inner in re.findall(r"\{([^}]*)\}", query) for label in re.findall(r"(\w+)\s*[=!]", inner)
        }
        assert grouped | selected <= set.union(*ours)


def test_a_metric_that_does_not_exist_would_be_found() -> None:
    assert names("sum(rate(fitsense_router_requets_total[5m]))") - set(emitted())


def test_every_google_metric_that_is_listed_is_used() -> None:
    used = {name for query in queries().values() for name in names(query)}
    assert sorted(name for listed in WATCHED["google_metrics"].values() for name in listed if name not in used) == []


def test_objectives_are_measured_by_what_is_emitted() -> None:
    for name, one in WATCHED["slos"].items():
        for text in (one.get("total"), one.get("bad"), one.get("distribution")):
            for metric in re.findall(r"prometheus\.googleapis\.com/(\w+)/(?:counter|gauge|histogram)", text or ""):
                assert {metric, metric + "_bucket"} & set(emitted()), name
    statuses = set(get_args(AiInteraction.model_fields["status"].annotation))
    assert set(re.findall(r'metric\.labels\.status="(\w+)"', TEXT)) <= statuses


def logged() -> dict[str, set[str]]:
    """Return the messages that the code logs, with the fields that go with them where those are written out."""
    found: dict[str, set[str]] = {}
    for path in (one for folder in ("functions", "shared") for one in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.") and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.setdefault(str(first.value), set()).update(re.findall(r"'(\w+)'", _around(path, node)))
    return found


def _around(path: Path, call: ast.Call) -> str:
    """Return the source of the function that a call stands in, whose dictionaries name the fields."""
    functions = [
        one
        for one in ast.walk(ast.parse(path.read_text()))
        if isinstance(one, ast.FunctionDef) and one.lineno <= call.lineno <= (one.end_lineno or 0)
    ]
    return ast.unparse(functions[-1]) if functions else ""


@pytest.mark.parametrize("name", WATCHED["logs"])
def test_a_log_metric_counts_lines_that_the_code_writes(name: str) -> None:
    one = WATCHED["logs"][name]
    always = {"phase", "run_id", "trace"}  # log_context's, around every delivery
    fields = logged()[one["message"]]
    assert {*one["labels"], *([one["value"]] if "value" in one else [])} <= fields | always


def test_vllms_metrics_are_vllms() -> None:
    sources = list((ROOT / "vllm-vm" / ".venv").glob("lib/python*/site-packages/vllm/v1/metrics/*.py"))
    text = "".join(path.read_text() for path in sources)
    if not text:
        pytest.skip("NOT CHECKED: vLLM is not installed; make setup-vllm")
    assert [name for name in VLLM if f'"{name.removesuffix("_total")}"' not in text] == []


def sections() -> set[str]:
    """Return the runbook's headings as a page's anchors."""
    return {
        line.lstrip("#").strip().lower().replace(" ", "-") for line in RUNBOOK.splitlines() if line.startswith("##")
    }


def test_every_alert_is_a_section_of_the_runbook() -> None:
    wanted = {*WATCHED["alerts"], *(f"slo-{name}" for name in WATCHED["slos"]), "front-door"}
    assert sorted(wanted - sections()) == []


def test_the_runbook_says_how_to_go_back() -> None:
    going_back = {"replay-dead-letters", "roll-back-a-service", "roll-back-a-model", "roll-back-a-migration"}
    wanted = going_back | {"ask-for-quota", "restore-drill"}
    assert sorted(wanted - sections()) == []


def test_commands_of_the_runbook_are_commands(command_help: Any) -> None:
    spoken = set(re.findall(r"^    fitsense ([a-z-]+)", RUNBOOK, re.MULTILINE))
    assert sorted(spoken - command_help) == []


@pytest.fixture
def command_help() -> set[str]:
    from deploy.cli import main

    return set(main.list_commands(click.Context(main)))


def test_prices_in_queries_are_in_the_table() -> None:
    main = (ROOT / "deploy" / "terraform" / "modules" / "stack" / "main.tf").read_text()
    given = set(re.findall(r"^    (\w+) += local\.table", main, re.MULTILINE)) | {
        "max_connections",
        "teacher_usd_per_day",
    }
    assert set(re.findall(r"(?<!\$)\$\{(\w+)\}", TEXT)) <= given
    newest = max((ROOT / "deploy" / "prices").glob("*.yaml"))
    used = set(re.findall(r"local\.table\.(\w+)", main))
    assert used <= set(yaml.safe_load(newest.read_text())["usd"])
