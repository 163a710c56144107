"""Weights: the base that vLLM is started on: which one, and its files on this machine.

Which one follows from what is promoted: the base that the environment's version was trained on. Adapters to another
base cannot be loaded beside it; for those, vLLM has to be started again.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import orjson

from shared.artifacts import ArtifactStore
from shared.documents import Documents
from shared.errors import NotFound, Rejected, Unavailable
from shared.events import Environment
from shared.registry import pointer, read_manifest

CONFIG = "config.json"
RECEIPT = "base.json"
"""Beside weights that this project made: the sha256 of each file."""


def wanted_base(documents: Documents, store: ArtifactStore, environment: Environment) -> str | None:
    """Return the base of the version that is to serve an environment; None where nothing is promoted yet."""
    found, _ = pointer(documents, environment)
    return read_manifest(store, found.version).base_model if found else None


def place_of(store: ArtifactStore, base: str) -> str:
    """Return where the weights of a base lie in the store; raises NotFound."""
    for place in (base, f"models/base/{base}"):
        if not Path(place).is_absolute() and store.exists(f"{place}/{CONFIG}"):
            return place
    raise NotFound(f"the store has no weights of {base!r}: copy them to models/base/{base}/")


def fetch_base(store: ArtifactStore, base: str, folder: Path) -> Path:
    """Return the folder of a base's files, fetched if it is not here; raises Rejected where one is not as it was."""
    if (there := Path(base)).is_absolute() and (there / CONFIG).is_file():
        return there
    place = place_of(store, base)
    target = folder / hashlib.sha256(place.encode()).hexdigest()[:16]
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    try:
        digests = {
            name.removeprefix(f"{place}/"): _copy(store, name, unfinished / name.removeprefix(f"{place}/"))
            for name in store.names(f"{place}/")
        }
        _compare(place, unfinished / RECEIPT, digests)
        os.replace(unfinished, target)
    except OSError as exc:
        raise Unavailable(f"cannot write the base {base}: {exc.strerror}") from exc
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _copy(store: ArtifactStore, name: str, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    sha = hashlib.sha256()
    with target.open("wb") as file:
        for piece in store.pieces(name):
            file.write(piece)
            sha.update(piece)
    return sha.hexdigest()


def _compare(place: str, receipt: Path, digests: dict[str, str]) -> None:
    if not receipt.exists():
        return
    wanted: dict[str, str] = orjson.loads(receipt.read_bytes())["files"]
    wrong = [name for name, sha in wanted.items() if digests.get(name) != sha]
    if wrong:
        raise Rejected(f"weights below {place} are not what {RECEIPT} says: {', '.join(wrong)}")
