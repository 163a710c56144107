"""Router place: a directory with what a router needs: a version with its tokenizer, and an alias to it."""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from services.inference_router.aliases import Aliases, Served, path
from shared.artifacts import DirectoryStore
from shared.documents import SqliteDocuments
from shared.registry import ModelManifest, RecipeUsed, digest_files, model_file, write_manifest

KEY = "sk-bench"
VERSION = "20261125T120000Z-0123abcd-00000001"
TEXTS = [
    "Plan my week, please.",
    "You are a careful coach. Answer with one JSON object.",
    '{"reply":"Rest, eat, sleep."}',
]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tokenizer() -> Tokenizer:
    """Return a byte-level tokenizer of a few texts."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        show_progress=False,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(TEXTS * 5, trainer)
    return made


def furnish(place: Path, backend: str, model: str = "bench", **settings: object) -> dict[str, str]:
    """Fill a directory; return the environment of a router there."""
    store = DirectoryStore(place)
    store.create(model_file(VERSION, "adapter/tokenizer.json"), tokenizer().to_str().encode())
    config = {"chat_template": TEMPLATE, "eos_token": "<|im_end|>"}
    store.create(model_file(VERSION, "adapter/tokenizer_config.json"), json.dumps(config).encode())
    store.create(model_file(VERSION, "adapter/adapter_model.safetensors"), b"weights")
    manifest = ModelManifest(
        version=VERSION,
        artifact_uri=store.uri(model_file(VERSION, "")),
        files=digest_files(store, VERSION),
        base_model="bench-base",
        base_uri=None,
        git_commit="0" * 40,
        dataset_run_id=VERSION.rpartition("-")[0],
        eval_report_uri="",
        recipe=RecipeUsed(name="bench", digest="0" * 64, settings={}),
        created_at="2026-11-25T12:00:00Z",  # type: ignore[arg-type]
    )
    write_manifest(store, manifest)
    lead(place, backend, model)
    named = {f"FITSENSE_ROUTER_{name.upper()}": str(value) for name, value in settings.items()}
    return {
        "FITSENSE_STACK": "embedded",
        "FITSENSE_OUT": str(place),
        "FITSENSE_ROUTER_OUTBOX": str(place / "outbox"),
        "FITSENSE_ROUTER_API_KEYS": json.dumps({"bench": KEY}),
        # One caller here is all users, so that nobody is refused.
        "FITSENSE_ROUTER_SLOTS": "64",
        "FITSENSE_ROUTER_QUEUE": "256",
        "FITSENSE_ROUTER_USER_MOST": "320",
        **named,
    }


def lead(place: Path, backend: str, model: str, version: str = VERSION) -> None:
    """Have the alias lead to a backend."""
    student = Served(version=version, backend=backend, model=model)
    documents = SqliteDocuments(place / "documents.sqlite")
    documents.create(path("dev"), Aliases(student=student, versions=(student,)).model_dump(mode="json"))
