"""Cards: what a version is made of and how its tokens are counted, from the registry's files."""

from services.inference_router.counting import TokenizerCounter
from services.inference_router.interactions import Lineage
from services.inference_router.table import Card
from shared.artifacts import ArtifactStore
from shared.errors import NotFound
from shared.registry import ModelManifest, model_file, read_manifest

WEIGHTS = "adapter/adapter_model.safetensors"
TOKENIZER = "tokenizer.json"
CONFIG = "tokenizer_config.json"
TEMPLATE = "chat_template.jinja"


class StoredCards:
    """Cards from an artifact store."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def card(self, version: str) -> Card:
        """Read a version's manifest and its tokenizer: the adapter's own, or its base's."""
        manifest = read_manifest(self._store, version)
        weights = manifest.files.get(WEIGHTS)
        return Card(Lineage(manifest.base_model, weights.sha256 if weights else None), self._counter(manifest))

    def _counter(self, manifest: ModelManifest) -> TokenizerCounter:
        for folder in _places(manifest):
            if self._store.exists(f"{folder}/{TOKENIZER}"):
                read, template = self._store.read, f"{folder}/{TEMPLATE}"
                return TokenizerCounter(
                    read(f"{folder}/{TOKENIZER}"),
                    read(f"{folder}/{CONFIG}"),
                    read(template).decode() if self._store.exists(template) else None,
                )
        raise NotFound(f"neither {manifest.version} nor its base {manifest.base_model} has a {TOKENIZER}")


def _places(manifest: ModelManifest) -> tuple[str, ...]:
    base = manifest.base_model
    own = model_file(manifest.version, "adapter")
    return (own,) if base.startswith("/") else (own, base, f"models/base/{base}")
