"""Recipe: everything that decides how a student is trained, as one YAML document.

Checked in full before anything is downloaded: a field that does not exist is refused with the one that was
probably meant, and every fault is told at once. The effect of each knob stands beside it in recipes/*.yaml.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from shared.errors import Rejected
from shared.frozen import Frozen

RECIPES: Final = Path(__file__).parent.parent / "recipes"

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Lora(Frozen):
    """The low-rank matrices beside every linear layer; plain LoRA, so that vLLM can load it."""

    rank: Annotated[int, Field(ge=1, le=512)]
    alpha: Positive
    dropout: Share = 0.0


class Optimizer(Frozen):
    """How weights move. Rates are those of the peak, after the warm-up."""

    learning_rate: Annotated[float, Field(gt=0, le=1)]
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "cosine"
    warmup_share: Share = 0.03
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0


class Batches(Frozen):
    """How examples are put together."""

    examples: Positive
    """Sequences in one forward pass."""
    accumulate: Positive = 1
    """Forward passes in one step."""
    arrange: Literal["auto", "grouped", "packed"] = "auto"
    """`grouped`: by length, padded; `packed`: whole examples one after another; `auto`: packed on a GPU."""


class Validation(Frozen):
    """When training is judged on the validation split, and when it ends because it no longer gains."""

    every_steps: Positive
    """A checkpoint is written as often, so that the best one is there to be kept."""
    patience: Positive = 3
    """So many judgements without a new best end the training."""
    examples: Positive = 256
    """At most so many validation examples, the first ones."""


class Recipe(Frozen):
    """One way to train a student."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    base: Annotated[str, Field(min_length=1)]
    """`tiny`, gs://bucket/prefix, a directory, or org/name of a model hub."""
    quantise: Literal["none", "nf4"] = "none"
    dtype: Literal["auto", "bf16", "fp32"] = "auto"
    """`auto`: bf16 where the hardware computes in it, fp32 elsewhere; emulated bf16 is ten times slower."""
    context_tokens: Annotated[int, Field(ge=64, le=131_072)]
    """Longer examples are left out and counted, never cut."""
    lora: Lora
    optimizer: Optimizer
    batches: Batches
    epochs: Annotated[float, Field(gt=0)]
    max_steps: Positive | None = None
    validation: Validation
    gradient_checkpointing: bool = False
    seed: int = 7

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        if self.quantise == "nf4" and self.base == "tiny":
            raise ValueError("quantise: the tiny base is too small to gain from nf4; choose none")
        return self


class RecipeError(Rejected):
    """A recipe is wrong; `faults` holds one line for each field, saying what is allowed."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def load_recipe(name: str, overrides: Iterable[str] = ()) -> Recipe:
    """Return a recipe by its name in recipes/, or by its path; raises RecipeError."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else RECIPES / f"{name}.yaml"
    try:
        text = path.read_bytes()
    except OSError as exc:
        known = sorted(one.stem for one in RECIPES.glob("*.yaml"))
        raise RecipeError((f"recipe {name!r} cannot be read; there are {', '.join(known)}",)) from exc
    return parse_recipe(text, overrides)


def digest(recipe: Recipe) -> str:
    """Return the sha256 of everything that a recipe says, overrides included."""
    return hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()


def parse_recipe(text: bytes, overrides: Iterable[str] = ()) -> Recipe:
    """Return the recipe that a YAML document and `key=value` overrides make; raises RecipeError."""
    try:
        fields = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as exc:
        raise RecipeError((f"not YAML: {' '.join(str(exc).split())[:300]}",)) from exc
    if not isinstance(fields, dict):
        raise RecipeError(("the recipe must be a mapping of fields; recipes/tiny_cpu.yaml shows one",))
    return _validated(fields, overrides)


def overridden(recipe: Recipe, overrides: Iterable[str]) -> Recipe:
    """Return a recipe with `key=value` overrides; raises RecipeError."""
    return _validated(recipe.model_dump(mode="json"), overrides)


def _validated(fields: dict[str, object], overrides: Iterable[str]) -> Recipe:
    for override in overrides:
        _override(fields, override)
    try:
        return Recipe.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as exc:
        raise RecipeError(tuple(_fault(error) for error in exc.errors(include_url=False))) from exc
    except (TypeError, ValueError) as exc:
        raise RecipeError((f"the YAML holds more than plain data: {exc}",)) from exc


def _override(fields: dict[str, object], override: str) -> None:
    path, equals, value = override.partition("=")
    if not equals or not path:
        raise RecipeError((f"--set {override!r}: write it as key=value, such as optimizer.learning_rate=0.001",))
    *parents, last = path.split(".")
    for parent in parents:
        inner = fields.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise RecipeError((f"--set {override!r}: {parent} is a value and has no fields",))
        fields = inner
    fields[last] = yaml.safe_load(value)


def _fault(error: ErrorDetails) -> str:
    location = [str(part) for part in error["loc"]]
    field = ".".join(location) or "recipe"
    if error["type"] == "extra_forbidden":
        return f"{field}: there is no such field{_did_you_mean(location)}"
    message = error["msg"].removeprefix("Value error, ")
    given = error.get("input")
    shown = "" if error["type"] == "missing" or isinstance(given, (dict, BaseModel)) else f" (got {given!r:.80})"
    return f"{field}: {message[:1].lower()}{message[1:]}{shown}"


def _did_you_mean(location: list[str]) -> str:
    known = _fields_at(location[:-1])
    close = difflib.get_close_matches(location[-1], known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; allowed are {', '.join(known)}"


def _fields_at(location: list[str]) -> list[str]:
    models: list[type[BaseModel]] = [Recipe]
    for name in location:
        models = [one for model in models if name in model.model_fields for one in _models_in(model, name)]
    return sorted({name for model in models for name in model.model_fields})


def _models_in(model: type[BaseModel], name: str) -> list[type[BaseModel]]:
    annotation = model.model_fields[name].annotation
    return [one for one in (annotation, *get_args(annotation)) if isinstance(one, type) and issubclass(one, BaseModel)]
