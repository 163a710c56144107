"""Paths: where everything of a run lies in the artifact store."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # records know the whole domain engine, which takes a good part of a cold start to import
    from shared.records import Split

REPORTS = ("validation", "stats", "anomaly", "bias")
"""The quality reports, each made by a phase of its own."""


def run_file(run_id: str, name: str) -> str:
    """Return the path of a phase's artifact."""
    return f"runs/{run_id}/{name}"


def shard_file(run_id: str, phase: str, shard: int) -> str:
    """Return the path of a phase's artifact for one shard."""
    return run_file(run_id, f"{phase}/{shard:04d}.jsonl")


def dataset_file(run_id: str, name: str) -> str:
    """Return the path of a file of the run's dataset."""
    return f"distillation_dataset/{run_id}/{name}"


def split_file(run_id: str, split: "Split") -> str:
    """Return the path of the examples of a split."""
    return dataset_file(run_id, f"{split}.jsonl")


def report_file(run_id: str, name: str) -> str:
    """Return the path of a quality report, the gate's decision or the page."""
    return f"reports/{run_id}/{name}"


def report_files(run_id: str) -> list[str]:
    """Return the paths of the quality reports that the gate waits for."""
    return [report_file(run_id, f"{report}_report.json") for report in REPORTS]
