"""Config text: YAML or overrides in, RunConfig out, or everything that is wrong with it at once."""

import difflib
import json
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import Rejected
from shared.inbox import MAX_CONFIG_BYTES
from shared.run_config import RunConfig, Teacher

TEACHERS = frozenset(get_args(model.model_fields["provider"].annotation)[0] for model in get_args(get_args(Teacher)[0]))


class _Loader(yaml.SafeLoader):
    """YAML's plain data, with dates left as text: pydantic names the field where one is wrong.

    Not the C loader: libyaml's crashes the process where brackets nest 100,000 deep.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping; raises YAMLError for a key that stands there twice, of which YAML would drop one."""
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if twice := [key for key, count in keys.items() if count > 1]:
            raise yaml.YAMLError(f"{', '.join(twice)}: given more than once")
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class ConfigError(Rejected):
    """A run config is wrong; `faults` holds one line for each field, saying what is allowed."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def parse_config(text: bytes, overrides: Iterable[str] = ()) -> RunConfig:
    """Return the config that a YAML document and `key=value` overrides make; raises ConfigError."""
    fields = _mapping(text)
    for override in overrides:
        _override(fields, override)
    try:
        # By way of JSON, because strict mode then still reads dates, which JSON has only as text.
        return RunConfig.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as exc:
        raise ConfigError(tuple(_fault(error) for error in exc.errors(include_url=False))) from exc
    except (ValueError, TypeError, RecursionError) as exc:
        raise ConfigError((f"the YAML holds more than plain data, or contains itself: {exc}",)) from exc


def _mapping(text: bytes) -> dict[str, object]:
    if len(text) > MAX_CONFIG_BYTES:
        raise ConfigError((f"the config has {len(text):,} bytes; at most {MAX_CONFIG_BYTES:,} are allowed",))
    try:
        loaded = yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise ConfigError((f"not YAML: {' '.join(str(exc).split())[:300]}",)) from exc
    if loaded is None:
        raise ConfigError(("the config is empty; deploy/runs/small.yaml shows what one looks like",))
    if not isinstance(loaded, dict):
        raise ConfigError((f"the config must be a mapping of fields, not a {type(loaded).__name__}",))
    return {str(key): value for key, value in loaded.items()}


def _override(fields: dict[str, object], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise ConfigError((f"--set {override!r}: write it as key=value, such as users=50 or gate.min_records=10",))
    *parents, last = path.split(".")
    for parent in parents:
        inner = fields.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise ConfigError((f"--set {override!r}: {parent} is a value and has no fields",))
        fields = inner
    try:
        fields[last] = yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as exc:
        raise ConfigError((f"--set {override!r}: the value is not YAML",)) from exc


def _fault(error: ErrorDetails) -> str:
    # pydantic puts the chosen variant of a union into the path; a person did not write it.
    location = [str(part) for part in error["loc"] if part not in TEACHERS]
    field = ".".join(location) or "config"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "union_tag_invalid":
        return f"{field}.provider: must be one of {error['ctx']['expected_tags']} (got {error['ctx']['tag']!r})"
    if error["type"] == "extra_forbidden":
        return f"{field}: there is no such field{_did_you_mean(location)}"
    given = error.get("input")
    shown = "" if error["type"] == "missing" or isinstance(given, (dict, BaseModel)) else f" (got {given!r:.80})"
    return f"{field}: {message[:1].lower()}{message[1:]}{shown}"


def _did_you_mean(location: list[str]) -> str:
    known = _fields_at(location[:-1])
    close = difflib.get_close_matches(location[-1], known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; allowed are {', '.join(sorted(known))}"


def _fields_at(location: list[str]) -> list[str]:
    """Return the names of the fields of the config, or of what lies at a path inside it."""
    models: list[type[BaseModel]] = [RunConfig]
    for name in location:
        inner = [model.model_fields[name].annotation for model in models if name in model.model_fields]
        models = [model for annotation in inner for model in _models_in(annotation)]
    return sorted({name for model in models for name in model.model_fields})


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
