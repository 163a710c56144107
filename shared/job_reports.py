"""Job reports: in what words Google's services and our own launchers tell that a training job has ended.

    Batch         attributes {"Type": "JOB_STATE_CHANGED", "JobName", "NewJobState"}
    Cloud Run     an audit log entry of /Jobs.RunJob, through a log sink: its response is the execution
    our own       {"job"}

A job's name begins with the run's id in lower case; whoever can read it knows the run. How a job ended is
not read here: its launcher knows, and the same report may be told twice or of another attempt.
"""

import re

import orjson

JOB = r"^train-\d{8}t\d{6}z-[0-9a-f]{8}-[a-z0-9-]{1,18}-[0-9a-f]{8}$"
"""At most 59 characters: a Batch job's name may have 63, and ends in `-r<number>` where it is started again."""
JOB_VARIABLE = "FITSENSE_JOB"
"""The variable that tells a job's process its own name, and by which Cloud Run's executions are told apart."""
BATCH_STATE = "NewJobState"
BATCH_ENDS = ("SUCCEEDED", "FAILED", "CANCELLED", "DELETION_IN_PROGRESS")


def run_of_job(job: str) -> str:
    """Return the run that a job trains on."""
    _, moment, digits, *_ = job.split("-")
    return f"{moment.upper()}-{digits}"


def is_an_end(attributes: dict[str, str]) -> bool:
    """Return whether a message with these attributes tells of an end, rather than of another change of state."""
    return attributes.get(BATCH_STATE, BATCH_ENDS[0]) in BATCH_ENDS


def told(data: bytes, attributes: dict[str, str]) -> dict[str, object]:
    """Return the fields of a job-ended event that a message holds; those that it lacks are not there."""
    if BATCH_STATE in attributes:
        return {"job": first_name(attributes.get("JobName", ""))}
    try:
        fields = orjson.loads(data)
    except ValueError:
        return {}
    if isinstance(fields, dict) and "protoPayload" in fields:
        return {"job": _job_of_execution(fields)}
    return fields if isinstance(fields, dict) else {}


def first_name(batch_job: str) -> str:
    """Return the name of the job that a Batch job is, for the first time or again."""
    return re.sub(r"-r\d+$", "", batch_job.rpartition("/")[2])


def _job_of_execution(entry: object) -> str | None:
    """Return the job that an audit log entry is about: its execution's containers are told it by a variable."""
    for path in ((), ("template", "spec")):
        containers = _at(entry, "protoPayload", "response", "spec", "template", "spec", *path, "containers")
        for variable in (one for container in _items(containers) for one in _items(_at(container, "env"))):
            if _at(variable, "name") == JOB_VARIABLE:
                return str(_at(variable, "value"))
    return None


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _at(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def job_name(run_id: str, recipe: str, digest: str) -> str:
    """Return the name of the job that trains a run by a recipe; `digest` is of all that changes the recipe."""
    plain = re.sub(r"[^a-z0-9]+", "-", recipe.lower()).strip("-")[:18].rstrip("-")
    return f"train-{run_id.lower()}-{plain}-{digest[:8]}"
