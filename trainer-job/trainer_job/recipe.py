"""Recipe: everything that decides how a student is trained, as one YAML document.

Checked in full before anything is downloaded: a field that does not exist is refused with the one that was
probably meant, and every fault is told at once. The effect of each knob stands beside it in recipes/*.yaml.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from shared.frozen import Frozen
from shared.yaml_model import Faulty, YamlModel

RECIPES: Final = Path(__file__).parent.parent / "recipes"

Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0, le=100_000)]
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


class Examination(Frozen):
    """What the student is asked once it is trained."""

    test: Count = 100
    """Messages of the dataset's test split."""
    fresh: Count = 100
    """Messages of people that no dataset holds."""
    seed: int = 990001
    """Which of them; tune on one, report on another."""


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
    examination: Examination = Examination()
    gradient_checkpointing: bool = False
    seed: int = 7

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        if self.quantise == "nf4" and self.base == "tiny":
            raise ValueError("quantise: the tiny base is too small to gain from nf4; choose none")
        return self


class RecipeError(Faulty):
    """A recipe is wrong; `faults` holds one line for each field, saying what is allowed."""


_RECIPE: Final = YamlModel(
    Recipe,
    RecipeError,
    called="recipe",
    shown_in="recipes/tiny_cpu.yaml",
    override_example="optimizer.learning_rate=0.001",
)


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
    return _RECIPE.parse(text, overrides)


def overridden(recipe: Recipe, overrides: Iterable[str]) -> Recipe:
    """Return a recipe with `key=value` overrides; raises RecipeError."""
    return _RECIPE.validate(recipe.model_dump(mode="json"), overrides)
