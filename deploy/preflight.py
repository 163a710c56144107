"""Preflight: what can be known to fail before a run begins."""

import os
from pathlib import Path

from shared.config_text import ConfigError
from shared.run_config import OpenAICompatibleTeacher, RecordedTeacher, RunConfig
from shared.settings import secret


def check_teacher(config: RunConfig) -> None:
    """Raise ConfigError where this machine lacks what the config's teacher needs."""
    teacher = config.teacher
    if isinstance(teacher, OpenAICompatibleTeacher) and teacher.api_key_env and not secret(teacher.api_key_env):
        raise ConfigError((f"teacher.api_key_env: the environment variable {teacher.api_key_env} is not set",))
    if isinstance(teacher, RecordedTeacher) and not Path(teacher.path).is_file():
        raise ConfigError((f"teacher.path: there is no file {teacher.path}",))


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
