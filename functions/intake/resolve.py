"""Resolve: a dropped YAML document into the file that every later phase reads."""

import hashlib
import json
from functools import cache
from pathlib import Path

from shared import run_state
from shared.config_text import ConfigError, parse_config
from shared.errors import Rejected
from shared.events import ConfigDropped
from shared.phase import Run
from shared.run_config import RunConfig, RunFile, config_sha256
from shared.run_state import RunRecord

SOURCE = Path(__file__).parents[2]


def read_config(event: ConfigDropped, run: Run) -> RunConfig:
    """Return the dropped config, and note in the run's state that there is such a run.

    Raises Rejected, after noting the run as failed and leaving an error document beside the config.
    """
    try:
        config = parse_config(run.runtime.inbox.read(event))
    except Rejected as exc:
        faults = exc.faults if isinstance(exc, ConfigError) else (str(exc),)
        error = {"error": {"code": "bad_config", "message": str(exc), "faults": faults, "run_id": run.run_id}}
        run.runtime.inbox.write_error(event, json.dumps(error, indent=2).encode())
        run_state.finish(run.documents, run.run_id, "failed", faults)
        raise
    record = RunRecord(run_id=run.run_id, name=config.name, users=config.users, shards=config.shards)
    run_state.create(run.documents, record)
    return config


def resolve(event: ConfigDropped, config: RunConfig) -> RunFile:
    """Return the contents of run.json."""
    return RunFile(
        run_id=event.run_id,
        config=config,
        config_sha256=config_sha256(config),
        code_version=code_version(),
        dropped_as=f"{event.bucket}/{event.name}#{event.generation}",
    )


@cache
def code_version() -> str:
    """Return 12 hex digits over the sources of all phases: what they were made by, with or without git."""
    digest = hashlib.sha256()
    for folder in ("functions", "shared"):
        for path in sorted((SOURCE / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.relative_to(SOURCE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
