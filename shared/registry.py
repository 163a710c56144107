"""Registry: model versions, what they are made of, and which of them serves each environment.

    models/<version>/manifest.json      artifact, written last and whole: it vouches for the files beside it
    models/<version>                    document: that the version is registered, and where it has been served
    environments/<environment>          document: the version that is to serve; moved by compare-and-set only
    decisions/<id>                      document: who wanted a version to serve, when, why, and what came of it

A version's name is derived from all that decides its weights, so training the same twice makes one version.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, JsonValue, ValidationError

from shared.artifacts import ArtifactStore
from shared.documents import Data, Document, Documents, update
from shared.errors import Conflict, NotFound
from shared.event import VERSION, faults, run_of
from shared.events import Environment, Percent
from shared.frozen import Frozen

ENVIRONMENTS: tuple[Environment, ...] = ("dev", "stage", "prod")
MANIFEST = "manifest.json"
EVAL_REPORT = "eval_report.json"


def _below_its_folder(name: str) -> str:
    parts = name.split("/")
    if not all(part and part[0] != "." for part in parts):
        raise ValueError(f"{name!r} is no path below the model's folder")
    return name


FileName = Annotated[str, AfterValidator(_below_its_folder)]


class FileDigest(Frozen):
    """What a file's bytes are."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class RecipeUsed(Frozen):
    """How a model was trained."""

    name: str
    digest: str
    """sha256 of the settings, overrides included."""
    settings: dict[str, JsonValue]


class ModelManifest(Frozen):
    """manifest.json: a model version, and every file that it is made of."""

    version: str = Field(pattern=VERSION)
    artifact_uri: str
    """Of the folder of the files."""
    files: dict[FileName, FileDigest]
    """By their names below models/<version>/; all but the manifest itself."""
    base_model: str
    base_uri: str | None
    """Where the base's weights lie, if not on a model hub."""
    git_commit: str
    dataset_run_id: str
    eval_report_uri: str
    recipe: RecipeUsed
    created_at: AwareDatetime


class ModelRecord(Frozen):
    """A registered version, and where it has been served."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    manifest_uri: str = ""
    base_model: str = ""
    recipe: str = ""
    created_at: AwareDatetime | None = None
    registered_at: AwareDatetime | None = None
    served_in: tuple[Environment, ...] = ()
    load_failures: dict[Environment, str] = Field(default_factory=dict)
    """The last reason why a server of an environment could not load it."""

    @property
    def run_id(self) -> str:
        """The run that it was trained on."""
        return run_of(self.version)


class Pointer(Frozen):
    """Which version is to serve an environment."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    percent: Percent = 100
    """Of the requests; the others go to `previous`."""
    previous: str | None = None
    """What served all requests before, and serves the others now."""
    served: bool = False
    """Whether a server has said that it answers with it."""
    decision_id: str
    moves: int = 0
    """How often the pointer has been moved."""

    @property
    def stable(self) -> str | None:
        """The version that serves most: a canary is not it."""
        return self.version if self.percent == 100 else self.previous


class Decision(Frozen):
    """Whether a version may serve an environment, and everything that was known when that was decided."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    version: str
    environment: Environment
    percent: Percent
    actor: str
    reason: str
    """Why the actor wanted it."""
    force: bool
    verdict: Literal["promoted", "rejected"]
    reasons: tuple[str, ...]
    """Everything that speaks against it; where it was forced, what was overruled."""
    numbers: dict[str, float]
    against: str | None
    """The version that it was compared with."""
    decided_at: AwareDatetime
    settled: bool = False
    """Whether the pointer has been moved, or need not be."""


def version_of(run_id: str, recipe_digest: str, base: str) -> str:
    """Return the version of a model trained on a run by a recipe; `base` is the base's name or digest."""
    digest = hashlib.sha256(f"{recipe_digest}\n{base}".encode()).hexdigest()
    return f"{run_id}-{digest[:8]}"


def model_file(version: str, name: str) -> str:
    """Return the path of one of a model's files."""
    return f"models/{version}/{name}"


def digest_file(store: ArtifactStore, name: str) -> FileDigest:
    """Return an artifact's digest, reading it a piece at a time; raises NotFound."""
    digest, size = hashlib.sha256(), 0
    for piece in store.pieces(name):
        digest.update(piece)
        size += len(piece)
    return FileDigest(sha256=digest.hexdigest(), bytes=size)


def digest_files(store: ArtifactStore, version: str) -> dict[str, FileDigest]:
    """Return what lies in a version's folder, for its manifest."""
    prefix = model_file(version, "")
    found = {name.removeprefix(prefix): name for name in store.names(prefix)}
    return {short: digest_file(store, name) for short, name in sorted(found.items()) if short != MANIFEST}


def write_manifest(store: ArtifactStore, manifest: ModelManifest) -> str:
    """Create a version's manifest, unless it has one; returns its URI."""
    name = model_file(manifest.version, MANIFEST)
    store.create(name, manifest.model_dump_json(indent=2).encode() + b"\n")
    return store.uri(name)


def read_manifest(store: ArtifactStore, version: str) -> ModelManifest:
    """Return a version's manifest; raises NotFound where there is none, and Conflict where it is not one."""
    try:
        data = store.read(model_file(version, MANIFEST))
    except NotFound as exc:
        raise NotFound(f"there is no model {version}: it has no manifest") from exc
    try:
        return ModelManifest.model_validate_json(data)
    except ValidationError as exc:
        raise Conflict(f"the manifest of {version} is not one: {faults(exc)}") from exc


def tampering(store: ArtifactStore, manifest: ModelManifest) -> tuple[str, ...]:
    """Return what is not as a manifest says, a sentence each; nothing where every file's sha256 is right."""
    found = [_difference(store, manifest.version, name, wanted) for name, wanted in manifest.files.items()]
    if EVAL_REPORT not in manifest.files:
        found.append(f"{EVAL_REPORT} is not among the files of the manifest")
    return tuple(one for one in found if one)


def register(documents: Documents, manifest: ModelManifest, manifest_uri: str) -> None:
    """List a version; one that is listed stays as it is."""
    record = ModelRecord(
        version=manifest.version,
        manifest_uri=manifest_uri,
        base_model=manifest.base_model,
        recipe=manifest.recipe.name,
        created_at=manifest.created_at,
        registered_at=datetime.now(UTC),
    )
    known = documents.get(_model_path(manifest.version))
    if known is None or not ModelRecord.model_validate(known.data).manifest_uri:
        # What is noted of a server came first where events overtook each other; it is kept.
        update(documents, _model_path(manifest.version), lambda data: record.model_dump(mode="json") | _noted(data))


def model(documents: Documents, version: str) -> ModelRecord:
    """Return a registered version; raises NotFound."""
    found = documents.get(_model_path(version)) if "/" not in version and version.isprintable() and version else None
    record = ModelRecord.model_validate(found.data) if found else None
    if record is None or not record.manifest_uri:
        raise NotFound(f"there is no model {version!r} in the registry")
    return record


def models(documents: Documents) -> list[ModelRecord]:
    """Return every registered version, the first registered first."""
    records = (ModelRecord.model_validate(one.data) for one in documents.list("models/"))
    beginning = datetime.min.replace(tzinfo=UTC)
    return sorted((one for one in records if one.manifest_uri), key=lambda one: one.registered_at or beginning)


def note_served(documents: Documents, version: str, environment: Environment) -> None:
    """Note that a server of an environment answers with a version."""

    def serve(data: Data) -> Data:
        record = ModelRecord.model_validate(data | {"version": version})
        failures = {name: why for name, why in record.load_failures.items() if name != environment}
        served_in = sorted({*record.served_in, environment}, key=ENVIRONMENTS.index)
        return data | {"version": version, "served_in": served_in, "load_failures": failures}

    update(documents, _model_path(version), serve)
    _note_pointer(documents, version, environment, served=True)


def note_load_failure(documents: Documents, version: str, environment: Environment, reason: str) -> None:
    """Note why a server of an environment could not load a version."""

    def fail(data: Data) -> Data:
        failures = ModelRecord.model_validate(data | {"version": version}).load_failures
        return data | {"version": version, "load_failures": {**failures, environment: reason}}

    update(documents, _model_path(version), fail)


def pointer(documents: Documents, environment: Environment) -> tuple[Pointer | None, Document | None]:
    """Return which version is to serve an environment, and the document as it was read, to be moved from."""
    found = documents.get(f"environments/{environment}")
    return (Pointer.model_validate(found.data), found) if found else (None, None)


def move(documents: Documents, environment: Environment, seen: Document | None, wanted: Pointer) -> bool:
    """Point an environment at a version unless it was moved since it was seen; return whether that was done."""
    data: Data = wanted.model_dump(mode="json")
    if seen is None:
        return documents.create(f"environments/{environment}", data)
    return documents.replace(seen, data)


def decision(documents: Documents, decision_id: str) -> Decision | None:
    """Return a decision, if it has been taken."""
    found = documents.get(f"decisions/{decision_id}")
    return Decision.model_validate(found.data) if found else None


def decisions(documents: Documents) -> list[Decision]:
    """Return every decision, oldest first."""
    found = [Decision.model_validate(one.data) for one in documents.list("decisions/")]
    return sorted(found, key=lambda one: one.decided_at)


def _difference(store: ArtifactStore, version: str, name: str, wanted: FileDigest) -> str | None:
    try:
        found = digest_file(store, model_file(version, name))
    except NotFound:
        return f"{name} is missing"
    return (
        None if found == wanted else f"{name} has sha256 {found.sha256[:12]}…, its manifest says {wanted.sha256[:12]}…"
    )


def _note_pointer(documents: Documents, version: str, environment: Environment, served: bool) -> None:
    path = f"environments/{environment}"
    while (found := documents.get(path)) is not None and found.data.get("version") == version:
        if found.data.get("served") == served or documents.replace(found, found.data | {"served": served}):
            return


def _noted(data: Mapping[str, object]) -> Data:
    return {name: data[name] for name in ("served_in", "load_failures") if name in data}


def _model_path(version: str) -> str:
    return f"models/{version}"
