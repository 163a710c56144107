"""Export schemas: write schemas/ from the models, or with --check say what is stale."""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from deploy.deployables import Deployables
from deploy.http_documents import http_documents
from deploy.topology import Topology
from functions.promotion.thresholds import PromotionRules
from shared.coach.profile import UserProfile
from shared.coach.vocabulary import PROMPT_TYPES
from shared.coach.wire import answer_schema
from shared.eval_report import EvalReport
from shared.events import EVENTS
from shared.records import ChatExample, DatasetManifest, DatasetRecord, RejectRecord
from shared.registry import ModelManifest
from shared.reports import AnomalyReport, BiasReport, GateReport, StatsReport, ValidationReport
from shared.run_config import RunConfig, RunFile

FOLDER = Path(__file__).parents[1] / "schemas"

MODELS: dict[str, type[BaseModel]] = {
    "run-config.v1.json": RunConfig,
    "run-file.v1.json": RunFile,
    "topology.v1.json": Topology,
    "deployables.v1.json": Deployables,
    "profile.v1.json": UserProfile,
    "promotion.v1.json": PromotionRules,
    "model-manifest.v1.json": ModelManifest,
    "dataset/record.v1.json": DatasetRecord,
    "dataset/chat-example.v1.json": ChatExample,
    "dataset/reject.v1.json": RejectRecord,
    "dataset/manifest.v1.json": DatasetManifest,
    "reports/validation.v1.json": ValidationReport,
    "reports/stats.v1.json": StatsReport,
    "reports/anomaly.v1.json": AnomalyReport,
    "reports/bias.v1.json": BiasReport,
    "reports/gate.v1.json": GateReport,
    "reports/eval.v1.json": EvalReport,
}


def schemas() -> dict[str, str]:
    """Return the text of every generated file, by its path below schemas/."""
    models = MODELS | {f"events/{event.topic}.v1.json": event for event in EVENTS}
    found: dict[str, object] = {path: model.model_json_schema() for path, model in models.items()}
    found |= {f"answers/{kind.replace('_', '-')}.v1.json": answer_schema(kind) for kind in PROMPT_TYPES}
    found |= http_documents()
    return {path: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for path, schema in found.items()}


def stale(wanted: dict[str, str]) -> list[str]:
    """Return the paths that are missing, out of date, or made from nothing any more."""
    there = {
        path.relative_to(FOLDER).as_posix(): path.read_text()
        for path in FOLDER.rglob("*.json")
        if not path.is_relative_to(FOLDER / "examples")
    }
    return sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))


def main(arguments: list[str]) -> int:
    """Write what is stale; with --check only name it, and fail where there is any."""
    wanted = schemas()
    paths = stale(wanted)
    for path in paths:
        print(f"stale: schemas/{path}")
        if "--check" not in arguments:
            _write(FOLDER / path, wanted.get(path))
    return 1 if paths and "--check" in arguments else 0


def _write(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
