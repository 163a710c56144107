"""Config text: YAML or overrides in, RunConfig out, or everything that is wrong with it at once."""

from collections.abc import Iterable
from typing import get_args

from shared.inbox import MAX_CONFIG_BYTES
from shared.run_config import RunConfig, Teacher
from shared.yaml_model import Faulty, YamlModel


class ConfigError(Faulty):
    """A run config is wrong; `faults` holds one line for each field, saying what is allowed."""


_CONFIG = YamlModel(
    RunConfig,
    ConfigError,
    called="config",
    shown_in="deploy/runs/small.yaml",
    override_example="users=50 or gate.min_records=10",
    variants=frozenset(
        get_args(model.model_fields["provider"].annotation)[0] for model in get_args(get_args(Teacher)[0])
    ),
)


def parse_config(text: bytes, overrides: Iterable[str] = ()) -> RunConfig:
    """Return the config that a YAML document and `key=value` overrides make; raises ConfigError."""
    if len(text) > MAX_CONFIG_BYTES:
        raise ConfigError((f"the config has {len(text):,} bytes; at most {MAX_CONFIG_BYTES:,} are allowed",))
    return _CONFIG.parse(text, overrides)
