"""YAML model: a YAML document with `key=value` overrides as a model, or everything that is wrong with it at once."""

import difflib
import json
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import Rejected

M = TypeVar("M", bound=BaseModel)


class Faulty(Rejected):
    """A document is wrong; `faults` holds one line for each field, saying what is allowed."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


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


@dataclass(frozen=True, slots=True)
class YamlModel(Generic[M]):
    """A model that people write as YAML, and what to tell them where it is wrong."""

    model: type[M]
    error: type[Faulty]
    called: str
    """What the document is to a person: "config", "recipe"."""
    shown_in: str
    """A file that shows one."""
    override_example: str
    variants: frozenset[str] = frozenset()
    """Tags of unions: pydantic puts the chosen one into a field's path, and a person did not write it."""

    def parse(self, text: bytes, overrides: Iterable[str] = ()) -> M:
        """Return the model that a document and overrides make; raises the model's error."""
        return self.validate(self._mapping(text), overrides)

    def validate(self, fields: dict[str, object], overrides: Iterable[str] = ()) -> M:
        """Return the model that fields and overrides make; raises the model's error."""
        for override in overrides:
            self._override(fields, override)
        try:
            # By way of JSON, because strict mode then still reads dates, which JSON has only as text.
            return self.model.model_validate_json(json.dumps(fields), strict=True)
        except ValidationError as exc:
            raise self.error(tuple(self._fault(error) for error in exc.errors(include_url=False))) from exc
        except (ValueError, TypeError, RecursionError) as exc:
            raise self.error((f"the YAML holds more than plain data, or contains itself: {exc}",)) from exc

    def _mapping(self, text: bytes) -> dict[str, object]:
        try:
            loaded = yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a SafeLoader
        except (yaml.YAMLError, ValueError, RecursionError) as exc:
            raise self.error((f"not YAML: {' '.join(str(exc).split())[:300]}",)) from exc
        if loaded is None:
            raise self.error((f"the {self.called} is empty; {self.shown_in} shows what one looks like",))
        if not isinstance(loaded, dict):
            kind = type(loaded).__name__
            raise self.error((f"the {self.called} must be a mapping of fields, not a {kind}; see {self.shown_in}",))
        return {str(key): value for key, value in loaded.items()}

    def _override(self, fields: dict[str, object], override: str) -> None:
        path, equals, text = override.partition("=")
        if not equals or not path:
            raise self.error((f"--set {override!r}: write it as key=value, such as {self.override_example}",))
        *parents, last = path.split(".")
        for parent in parents:
            inner = fields.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise self.error((f"--set {override!r}: {parent} is a value and has no fields",))
            fields = inner
        try:
            fields[last] = yaml.load(text, Loader=_Loader)  # noqa: S506
        except yaml.YAMLError as exc:
            raise self.error((f"--set {override!r}: the value is not YAML",)) from exc

    def _fault(self, error: ErrorDetails) -> str:
        location = [str(part) for part in error["loc"] if part not in self.variants]
        field = ".".join(location) or self.called
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "union_tag_invalid":
            told = error["ctx"]
            tag = told["discriminator"].strip("'")
            return f"{field}.{tag}: must be one of {told['expected_tags']} (got {told['tag']!r})"
        if error["type"] == "extra_forbidden":
            return f"{field}: there is no such field{self._did_you_mean(location)}"
        given = error.get("input")
        shown = "" if error["type"] == "missing" or isinstance(given, (dict, BaseModel)) else f" (got {given!r:.80})"
        return f"{field}: {message[:1].lower()}{message[1:]}{shown}"

    def _did_you_mean(self, location: list[str]) -> str:
        known = self._fields_at(location[:-1])
        close = difflib.get_close_matches(location[-1], known, n=1)
        return f"; did you mean {close[0]}?" if close else f"; allowed are {', '.join(known)}"

    def _fields_at(self, location: list[str]) -> list[str]:
        """Return the names of the fields of the model, or of what lies at a path inside it."""
        models: list[type[BaseModel]] = [self.model]
        for name in location:
            inner = [model.model_fields[name].annotation for model in models if name in model.model_fields]
            models = [model for annotation in inner for model in _models_in(annotation)]
        return sorted({name for model in models for name in model.model_fields})


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
