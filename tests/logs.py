"""Logs for tests: a training log as the phases that follow read it."""

from typing import cast

import orjson

from shared.coach.training_log import LogLine, PersonLog


def as_read(log: PersonLog) -> LogLine:
    """Return a log as it comes back from its line."""
    return cast(LogLine, orjson.loads(log.model_dump_json()))
