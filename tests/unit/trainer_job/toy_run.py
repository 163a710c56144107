"""Toy run: a dataset, a base and a recipe so small that a whole job takes seconds."""

import hashlib
import json
from pathlib import Path

import yaml

from shared.artifacts import ArtifactStore
from shared.paths import dataset_file
from shared.records import DatasetFile, DatasetManifest
from tests.unit.trainer_job.tiny import chat, network, tokenizer

RUN_ID = "20260102T030405Z-0a1b2c3d"
SPLITS = {"train": 48, "val": 8, "test": 8}


def toy_dataset(store: ArtifactStore, splits: dict[str, int] = SPLITS) -> None:
    """Create the chat files of a dataset, with their manifest."""
    files = {}
    for split, count in splits.items():
        content = b"".join(
            chat(f'{{"escalation":"none","reply":"{"Train. " * (1 + n % 5)}{n}"}}', f"{split}-{n}", f"Question {n}?")
            + b"\n"
            for n in range(count)
        )
        store.create(dataset_file(RUN_ID, f"chat_{split}.jsonl"), content)
        files[f"chat_{split}.jsonl"] = DatasetFile(
            records=count, bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
    manifest = DatasetManifest(
        seed=1,
        config_sha256="c",
        code_version="v",
        teacher_provider="mock",
        teacher_model="m",
        users=1,
        queries=1,
        responses=1,
        records=sum(splits.values()),
        splits={},
        split_shares={},
        rejected={},
        rejected_by_type={},
        files=files,
        inputs={},
    )
    store.create(dataset_file(RUN_ID, "manifest.json"), manifest.model_dump_json().encode())


def toy_base(folder: Path) -> Path:
    """Write an untrained network with its tokenizer, as a base is laid out; returns the folder."""
    words = tokenizer()
    network(words).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def toy_recipe(folder: Path, base: Path) -> Path:
    """Write the recipe of a training of twelve steps; returns its file."""
    fields = {
        "name": "toy",
        "base": str(base),
        "context_tokens": 200,
        "lora": {"rank": 4, "alpha": 8},
        "optimizer": {"learning_rate": 0.004, "schedule": "linear"},
        "batches": {"examples": 4},
        "epochs": 1.0,
        "validation": {"every_steps": 4, "examples": 8},
    }
    file = folder / "toy.yaml"
    file.write_text(yaml.safe_dump(fields))
    return file


def digests(out: Path, pattern: str) -> dict[str, str]:
    """Return the sha256 of the files of a store that match, by name."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.glob(pattern))
        if path.is_file()
    }


def manifest_of(out: Path) -> dict[str, object]:
    """Return the one model's manifest."""
    (file,) = out.glob("models/2*/manifest.json")
    found: dict[str, object] = json.loads(file.read_text())
    return found
